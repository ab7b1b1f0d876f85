//! The files of one feed that one way has not handed over yet.

use std::time::Duration;

use tokio::time::sleep;

use super::{HandoverError, Report, Tools, Way, command, webhook};
use crate::config::settings::Feed;
use crate::store::{FeedFileState, Lock, Store, StoreError, Tried, time};

/// How long is waited for another program that writes the store, before what came of a try is written down once more.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// One way of one feed.
pub struct Outbox<'a> {
    pub feed: &'a Feed,
    pub way: Way<'a>,
    pub tools: Tools<'a>,
    /// Of the feed.
    pub lock: &'a Lock,
}

/// What came of one try.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// How it ended: `exit code 3`, `status 204`.
    pub ended: Option<String>,
    /// The end of what it said.
    pub output: Option<String>,
    /// Why it failed; `None`: the file is taken.
    pub failure: Option<String>,
    /// It was broken off by a signal, so that nothing is known.
    pub is_stopped: bool,
}

impl Attempt {
    pub fn failed(reason: impl Into<String>) -> Self {
        Self { failure: Some(reason.into()), ..Self::default() }
    }

    pub fn stopped() -> Self {
        Self { is_stopped: true, ..Self::default() }
    }
}

impl Outbox<'_> {
    /// Hands over one file after another, until none is left or one is not taken.
    pub async fn empty(&self) -> Report {
        let mut report = Report {
            feed: self.feed.name.clone(),
            way: self.way.name(),
            files: 0,
            last: None,
            error: None,
            failures: 0,
        };
        loop {
            match self.next(&mut report).await {
                Ok(true) => report.files += 1,
                Ok(false) => return report,
                Err(error) => return Report { error: Some(error), ..report },
            }
        }
    }

    /// Whether there was a file, which is handed over now.
    async fn next(&self, report: &mut Report) -> Result<bool, HandoverError> {
        if self.tools.stop.is_cancelled() {
            return Err(HandoverError::Stopped);
        }
        let Some((file, failures)) = self.first_waiting().await? else { return Ok(false) };
        let path = self.feed.directory.join(&file.file);
        if path.symlink_metadata().is_err() {
            let error = HandoverError::Lost { path, feed: self.feed.name.clone() };
            report.failures = failures + 1;
            self.remember(&file, &Attempt::failed(error.to_string())).await?;
            return Err(error);
        }
        let attempt = match self.way {
            Way::After(after) => {
                command::run(after, self.feed, &file, self.lock.file(), self.tools.stop).await
            }
            Way::Webhook(webhook) => webhook::post(webhook, self.feed, &file, self.tools).await,
        };
        if attempt.is_stopped {
            return Err(HandoverError::Stopped);
        }
        // Should this process die here, the file is handed over once more.
        self.remember(&file, &attempt).await?;
        if let Some(reason) = attempt.failure {
            report.failures = failures + 1;
            return Err(HandoverError::NotTaken { file: file.file, reason });
        }
        report.last = Some(file.file);
        Ok(true)
    }

    /// The next file, and how often that was tried in vain.
    async fn first_waiting(&self) -> Result<Option<(FeedFileState, u32)>, HandoverError> {
        let mut store = match Store::open_beside(&self.tools.settings.store.path).await {
            // Nothing was ever written, or not by this version.
            Err(StoreError::Absent(_) | StoreError::Older(_)) => return Ok(None),
            opened => opened?,
        };
        let found = self.find(&mut store).await;
        store.close().await?;
        Ok(found?)
    }

    async fn find(&self, store: &mut Store) -> Result<Option<(FeedFileState, u32)>, StoreError> {
        let (feed, way) = (&*self.feed.name, self.way.name());
        let known = store.handover(feed, way).await?;
        let mut waiting = store.files_after(feed, known.as_ref().map_or(0, |known| known.sequence)).await?;
        if known.is_none() || self.tools.without_lost {
            // Who gets files for the first time can only begin after the last one that is lost.
            let is_lost = |file: &FeedFileState| !self.feed.directory.join(&file.file).exists();
            let first = waiting.iter().rposition(is_lost).map_or(0, |at| at + 1);
            let passed = waiting.drain(..first).next_back().map(|file| file.sequence);
            if known.is_none() || passed.is_some() {
                store.pass_over(feed, way, passed.unwrap_or(0)).await?;
            }
        }
        let failures = known.map_or(0, |known| u32::try_from(known.failures).unwrap_or(u32::MAX));
        Ok(waiting.into_iter().next().map(|file| (file, failures)))
    }

    /// Writes down what came of a try, however long another program writes the store.
    async fn remember(&self, file: &FeedFileState, attempt: &Attempt) -> Result<(), StoreError> {
        loop {
            match self.try_to_remember(file, attempt).await {
                Err(error) if error.is_temporary() && !self.tools.stop.is_cancelled() => {
                    tracing::debug!(%error, "what came of a handover can't be written down yet");
                    sleep(WRITE_AGAIN).await;
                }
                done => return done,
            }
        }
    }

    async fn try_to_remember(&self, file: &FeedFileState, attempt: &Attempt) -> Result<(), StoreError> {
        let mut store = Store::open_beside(&self.tools.settings.store.path).await?;
        let at = time::to_text((self.tools.clock)());
        let tried = Tried {
            at: &at,
            ended: attempt.ended.as_deref(),
            output: attempt.output.as_deref(),
            error: attempt.failure.as_deref(),
        };
        let done = store.tried(&self.feed.name, self.way.name(), file.sequence, tried).await;
        store.close().await?;
        done
    }
}
