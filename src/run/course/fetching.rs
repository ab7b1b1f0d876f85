//! How a course comes by its rows.

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::way::Choice;
use super::{Course, RunError};
use crate::config::settings::Fetch;
use crate::listing::{self, Counted, Listed, Plan, Read, Way};
use crate::vainu::{self, DownloadLink, Finished, Job, Kind, Selection};

/// Pages, or parts of an export, that may wait for the store.
const PAGES_AHEAD: usize = 1;

impl Course<'_> {
    /// How many match, and the server's time at its first answer.
    pub(super) async fn count(&mut self) -> Result<(Option<u64>, Option<Timestamp>), RunError> {
        let Counted { number, date } = self.ask_count(&self.selection).await?;
        let number = number.inspect_err(|reason| {
            warn!(%reason, "no count: this run is not guarded against a filter that stopped working");
        });
        let count = number.ok();
        self.storing.numbers.expected = count;
        self.storing.progress.expected(count);
        Ok((count, date))
    }

    /// Lists everything, by the way that suits.
    pub(super) async fn list_whole(&mut self, expected: Option<u64>) -> Result<Listed, RunError> {
        self.take_way(self.whole_way(expected)).await?;
        let listed = match self.way {
            Way::Pages => {
                let plan = self.plan(expected, self.holding.last_rows());
                self.list_pages(plan, self.selection.clone()).await?
            }
            Way::Export => {
                let (job, link) = self.resumed_or_submitted().await?;
                self.list_export(job, link, expected).await?
            }
        };
        self.export_over = true;
        Ok(listed)
    }

    /// Lists what `changed`, of which there are `total` at most; how many were expected. Only an export wants
    /// a count of its own. Its job is not remembered: another run has another window.
    pub(super) async fn list_changed(
        &mut self,
        changed: Selection,
        total: Option<u64>,
    ) -> Result<(Listed, Option<u64>), RunError> {
        self.take_way(self.changed_way()).await?;
        let (listed, expected) = match self.way {
            Way::Pages => {
                let plan = self.plan(None, total.or(self.holding.last_rows()));
                (self.list_pages(plan, changed).await?, None)
            }
            Way::Export => {
                let expected = self.ask_count(&changed).await?.number.ok();
                let job = self.submit(&changed).await?;
                let Finished { link, .. } = self.wait_for(&job).await?;
                (self.list_export(job, link, expected).await?, expected)
            }
        };
        self.export_over = true;
        Ok((listed, expected))
    }

    fn whole_way(&self, expected: Option<u64>) -> Way {
        let choice = Choice {
            fetch: self.holding.query.fetch,
            next: self.holding.remembered.next_fetch,
            is_submitted: self.holding.submitted().is_some(),
            is_accepted_short: self.holding.accepted_shortfall() > 0,
            rows: self.holding.last_rows().or(expected),
        };
        choice.way()
    }

    /// Changes are few, so that size says nothing.
    fn changed_way(&self) -> Way {
        match self.holding.query.fetch {
            Fetch::Auto => self.holding.remembered.next_fetch.unwrap_or(Way::Pages),
            Fetch::Pages => Way::Pages,
            Fetch::Export => Way::Export,
        }
    }

    async fn ask_count(&self, selection: &Selection) -> Result<Counted, RunError> {
        let count =
            listing::fresh_count(self.client, selection, self.settings.api.count_timeout, self.storing.meter);
        Ok(self.stop.run_until_cancelled(count).await.ok_or(RunError::Stopped)??)
    }

    async fn take_way(&mut self, way: Way) -> Result<(), RunError> {
        if way != self.way {
            self.storing.store.set_fetch(self.storing.run, way).await?;
            self.way = way;
        }
        Ok(())
    }

    fn plan(&self, expected: Option<u64>, last_rows: Option<u64>) -> Plan {
        Plan {
            page_size: self.settings.api.page_size,
            expected,
            last_rows,
            concurrency: self.settings.api.concurrency,
        }
    }

    async fn list_pages(&mut self, plan: Plan, selection: Selection) -> Result<Listed, RunError> {
        let (client, meter) = (self.client, self.storing.meter);
        let (mut sink, pages) = mpsc::channel(PAGES_AHEAD);
        let reading = async move { listing::read(client, &selection, plan, &mut sink, meter).await };
        self.store_beside(reading.boxed(), pages).await
    }

    async fn list_export(
        &mut self,
        job: Job,
        link: DownloadLink,
        expected: Option<u64>,
    ) -> Result<Listed, RunError> {
        let (client, meter) = (self.client, self.storing.meter);
        let (mut sink, pages) = mpsc::channel(PAGES_AHEAD);
        let reading = async move {
            let mut file = client.export_file(&job, link, meter);
            listing::read_export(&mut file, job.submitted_at, expected, &mut sink).await
        };
        self.store_beside(reading.boxed(), pages).await
    }

    /// Lists and stores side by side. A stop ends the listing; what came is stored.
    async fn store_beside(
        &mut self,
        reading: BoxFuture<'_, Result<Listed, vainu::Error>>,
        pages: mpsc::Receiver<Vec<Read>>,
    ) -> Result<Listed, RunError> {
        let halt = self.stop.child_token();
        let fetch = async { halt.run_until_cancelled(reading).await };
        let store = async {
            let stored = self.storing.all(pages).await;
            stored.inspect_err(|_| halt.cancel())
        };
        let (listed, stored) = tokio::join!(fetch, store);
        stored?;
        Ok(listed.ok_or(RunError::Stopped)??)
    }

    /// A finished export: that of an earlier run, if it still lives, else one that is submitted now.
    async fn resumed_or_submitted(&mut self) -> Result<(Job, DownloadLink), RunError> {
        if let Some(job) = self.holding.submitted()
            && let Some(link) = self.resumed(&job).await?
        {
            self.is_resumed = true;
            return Ok((job, link));
        }
        let selection = self.selection.clone();
        let job = self.submit(&selection).await?;
        let export = self.holding.as_export(&job);
        self.storing.store.remember_export(self.storing.query, export.as_ref()).await?;
        let Finished { link, .. } = self.wait_for(&job).await?;
        Ok((job, link))
    }

    /// `None` where `job` is dead or too old: its rows are as they were when it was submitted.
    async fn resumed(&mut self, job: &Job) -> Result<Option<DownloadLink>, RunError> {
        info!(job = job.shown(), "taking up the export of an earlier run");
        let reason = match self.wait_for(job).await {
            Ok(Finished { link, date }) if job.age(date) <= self.settings.api.export_timeout => {
                return Ok(Some(link));
            }
            Ok(_) => "it is older than api.export_timeout".to_owned(),
            Err(RunError::Api(error)) if matches!(error.kind(), Kind::Export | Kind::Refused) => {
                error.to_string()
            }
            Err(error) => return Err(error),
        };
        warn!(job = job.shown(), reason, "the export of an earlier run is dropped");
        Ok(None)
    }

    async fn submit(&mut self, selection: &Selection) -> Result<Job, RunError> {
        let submitting = self.client.submit_export(selection, self.storing.meter);
        Ok(self.stop.run_until_cancelled(submitting).await.ok_or(RunError::Stopped)??)
    }

    async fn wait_for(&mut self, job: &Job) -> Result<Finished, RunError> {
        let waiting = self.client.finished_export(job, self.storing.meter);
        Ok(self.stop.run_until_cancelled(waiting).await.ok_or(RunError::Stopped)??)
    }
}
