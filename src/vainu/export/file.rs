use std::time::Duration;

use bytes::Bytes;
use reqwest::{Response, StatusCode};
use tokio::time::{sleep, timeout};

use super::error::ExportError;
use super::job::Job;
use super::link::DownloadLink;
use crate::vainu::answer::is_transient;
use crate::vainu::client::Client;
use crate::vainu::error::{Cause, Error};
use crate::vainu::http;
use crate::vainu::meter::Meter;
use crate::vainu::no_answer::NoAnswer;
use crate::vainu::retry::{Failure, Tries, Trouble};
use crate::vainu::traffic::Endpoint;
use crate::vainu::transport::wait_of;

/// Fresh links that are taken in a row where none gives a byte.
const FRESH_LINKS: u32 = 5;

/// How often a download may break off, each time further on than ever before: something on the way ends all
/// that take long.
const BREAKS: u32 = 10;

/// What comes next of an export.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// Decompressed.
    Bytes(Bytes),
    /// It broke off: all of it comes again, from its start.
    Anew,
    /// Its end, as the server announced it.
    End,
}

/// The rows of an export, downloaded as they are asked for. Their host sees no access token. A download may
/// take as long as something comes at least every `api.timeout`; one that fails is tried again for
/// `api.retry_for`.
pub struct ExportFile<'a> {
    client: &'a Client,
    job: &'a Job,
    meter: &'a Meter,
    link: DownloadLink,
    body: Option<Response>,
    tries: Tries<'static>,
    /// Links in a row that were refused.
    refused: u32,
    breaks: u32,
    /// Bytes of this download, and of the longest so far.
    came: u64,
    furthest: u64,
}

impl<'a> ExportFile<'a> {
    pub(super) fn new(client: &'a Client, job: &'a Job, link: DownloadLink, meter: &'a Meter) -> Self {
        let tries = tries(client);
        Self { client, job, meter, link, body: None, tries, refused: 0, breaks: 0, came: 0, furthest: 0 }
    }

    /// Where it comes from, for messages.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.link.host
    }

    /// What comes next.
    ///
    /// # Errors
    /// See [`Error`], if nothing more is to be had.
    pub async fn next(&mut self) -> Result<Part, Error> {
        let mut body = match self.body.take() {
            Some(body) => body,
            None => self.open().await?,
        };
        let stall = self.client.api.timeout;
        let broken = match timeout(stall, body.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                self.meter.count_bytes(bytes.len());
                self.came += bytes.len() as u64;
                self.body = Some(body);
                return Ok(Part::Bytes(bytes));
            }
            Ok(Ok(None)) => return Ok(Part::End),
            Ok(Err(error)) => NoAnswer::of(&error, stall),
            Err(_) => stalled(stall),
        };
        self.anew(broken.into()).await?;
        Ok(Part::Anew)
    }

    /// Has all of it come again, since what came is of no use.
    ///
    /// # Errors
    /// See [`Error`], if that was tried for long enough.
    pub async fn anew(&mut self, cause: Cause) -> Result<(), Error> {
        self.body = None;
        let came = std::mem::take(&mut self.came);
        if came > self.furthest {
            self.furthest = came;
            self.breaks += 1;
            self.tries = tries(self.client);
        }
        if self.breaks > BREAKS {
            return Err(ExportError::BrokeOff { host: self.link.host.clone(), times: self.breaks }.into());
        }
        self.again(Trouble::new(cause)).await
    }

    async fn open(&mut self) -> Result<Response, Error> {
        loop {
            let (url, rule) = (self.link.url(), self.link.rule);
            let http = http::for_download(&self.client.api, &url, move |url| rule.allows(url))?;
            self.meter.count_request();
            let limit = self.client.api.timeout;
            let sent = timeout(limit, http.get(url).send()).await;
            let status = sent.as_ref().ok().and_then(|sent| sent.as_ref().ok()).map(Response::status);
            self.meter.count_answer(Endpoint::Download, status.map(|status| status.as_u16()));
            let cause = match sent {
                Ok(Ok(response)) if response.status() == StatusCode::OK => {
                    self.refused = 0;
                    return Ok(response);
                }
                Ok(Ok(response)) => {
                    self.refusal(&response).await?;
                    continue;
                }
                Ok(Err(error)) => NoAnswer::of(&error, limit),
                Err(_) => stalled(limit),
            };
            self.again(Trouble::new(cause.into())).await?;
        }
    }

    /// What an answer without the file means: to wait, or to take a fresh link of the job where it says that
    /// this one is not good any more.
    async fn refusal(&mut self, response: &Response) -> Result<(), Error> {
        let status = response.status();
        if status.is_redirection() {
            return Err(self.link.redirected(response).into());
        }
        if !status.is_client_error() || is_transient(status) {
            let cause = Cause::Status { status: status.as_u16(), detail: None };
            return self.again(Trouble { wait: wait_of(response.headers()), ..Trouble::new(cause) }).await;
        }
        self.refused += 1;
        if self.refused > FRESH_LINKS {
            let (host, status) = (self.link.host.clone(), status.as_u16());
            return Err(ExportError::Expired { host, links: self.refused, status }.into());
        }
        tracing::info!(host = self.link.host, %status, "the download link is not good: taking a fresh one");
        if self.refused > 1 {
            sleep(self.client.polls.first).await;
        }
        self.link = self.client.finished_export(self.job, self.meter).await?.link;
        Ok(())
    }

    async fn again(&mut self, trouble: Trouble) -> Result<(), Error> {
        let failure = Failure::from(trouble).at(&self.link.host);
        self.tries.again(failure, self.meter).await
    }
}

fn tries(client: &Client) -> Tries<'static> {
    Tries::new("the export's download", client.api.retry_for, client.polls)
}

fn stalled(limit: Duration) -> NoAnswer {
    NoAnswer::BrokenOff(format!("nothing came for {}", humantime::format_duration(limit)))
}
