//! Exports, the second way to list: a job that is submitted and polled, then one file to download.

mod error;
mod file;
mod job;
mod link;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

pub use error::ExportError;
pub use file::{ExportFile, Part};
pub use job::Job;
pub use link::DownloadLink;

use self::job::{Polled, Submitted};
use super::call::Call;
use super::client::Client;
use super::error::Error;
use super::meter::Meter;
use super::request::Selection;
use super::retry::Tries;
use super::traffic::Endpoint;

const SUBMIT: &str = "/v3/organizations/async/?async_format=jsonl";

/// A job that ended `completed`.
#[derive(Debug)]
pub struct Finished {
    pub link: DownloadLink,
    /// The server's clock when it said so, by its `Date` header.
    pub date: Option<Timestamp>,
}

impl Client {
    /// Submits an export of `selection` as JSON lines in order of `business_id`; a server that refuses the
    /// order is asked once more without one. Rows that come in random order cost the store several times more.
    ///
    /// # Errors
    /// See [`Error`]; what is transient has then been tried again for `api.retry_for`.
    pub async fn submit_export(&self, selection: &Selection, meter: &Meter) -> Result<Job, Error> {
        let submitted = match self.submit(selection, true, meter).await {
            Err(refusal @ Error::Refused { status: 400, .. }) => {
                tracing::warn!(%refusal, "the API refused the export: asking without an order");
                self.submit(selection, false, meter).await?
            }
            submitted => submitted?,
        };
        let Submitted { job, state } = submitted;
        if let Some(state) = state {
            state.going_on(job.shown())?;
        }
        tracing::info!(job = job.shown(), "export submitted");
        Ok(job)
    }

    /// Polls a job until it has completed, for `api.export_timeout` since its submission. While it runs it is
    /// polled again and again after the same wait; after a failure the waits double.
    ///
    /// # Errors
    /// [`Error::Export`] if nothing is to be had of the job; otherwise see [`Error`].
    pub async fn finished_export(&self, job: &Job, meter: &Meter) -> Result<Finished, Error> {
        let call = Call::get(Endpoint::ExportJob, link::of_job(&job.link, &self.api.base_url)?);
        let patience = self.api.export_timeout;
        let since = Instant::now();
        let mut rest = patience;
        loop {
            // Many failures in a row are as usual while a long job runs: each poll has a budget of its own.
            let tries = Tries::new(&call.endpoint, self.api.retry_for.min(rest), self.polls);
            let polled = self.ask(&call, tries, Polled::read, meter).await?;
            if let Some(link) = polled.state.going_on(&call.endpoint)? {
                let link = DownloadLink::checked(&link, &self.api.base_url)?;
                return Ok(Finished { link, date: polled.date });
            }
            rest = patience.saturating_sub(job.age(polled.date).max(since.elapsed()));
            if rest.is_zero() {
                return Err(ExportError::TooSlow { endpoint: call.endpoint, patience }.into());
            }
            tracing::debug!(job = call.endpoint, "the export is not ready yet");
            sleep(self.polls.first.min(rest)).await;
        }
    }

    /// The rows of a finished job, which has to be polled again where its link has expired.
    #[must_use]
    pub fn export_file<'a>(&'a self, job: &'a Job, link: DownloadLink, meter: &'a Meter) -> ExportFile<'a> {
        ExportFile::new(self, job, link, meter)
    }

    async fn submit(&self, selection: &Selection, ordered: bool, meter: &Meter) -> Result<Submitted, Error> {
        self.post(Endpoint::Export, SUBMIT, selection.export_body(ordered), Submitted::read, meter).await
    }
}
