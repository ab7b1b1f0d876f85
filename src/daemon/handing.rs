//! Handing files over beside the runs: a task for each feed that has something to hand over, and one that starts them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::config::Settings;
use crate::handover::{self, HandoverError, Report, Tools};
use crate::observe::vitals::Vitals;
use crate::store::StoreError;

/// How often it is looked whether another program has written files and died before it handed them over.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// The same, where another process hands them over.
const AFTER_ANOTHER: Duration = Duration::from_secs(2);

/// The wait after a first failure; it doubles up to the longest. A run of its queries ends it.
const SHORTEST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// How a daemon has files handed over.
#[derive(Debug)]
pub(super) struct Handovers {
    sender: UnboundedSender<String>,
    receiver: Option<UnboundedReceiver<String>>,
}

impl Default for Handovers {
    fn default() -> Self {
        let (sender, receiver) = unbounded_channel();
        Self { sender, receiver: Some(receiver) }
    }
}

impl Handovers {
    /// These feeds may have new files.
    pub fn look_at(&self, feeds: impl Iterator<Item = String>) {
        for feed in feeds {
            // Nobody listens before the daemon lives, nor after its end: then it looks at all, or nothing is lost.
            let _ = self.sender.send(feed);
        }
    }

    /// Begins to hand files over, until `stop`.
    pub fn tend(&mut self, vitals: Arc<Vitals>, stop: CancellationToken, holder: &str) -> JoinHandle<()> {
        let news = self.receiver.take().unwrap_or_else(|| unbounded_channel().1);
        let tender = Tender {
            vitals,
            stop,
            holder: holder.to_owned(),
            due: HashMap::new(),
            under_way: JoinSet::new(),
        };
        tokio::spawn(tender.tend(news))
    }
}

/// When a feed is looked at next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    At(Instant),
    /// Its files are being handed over; whether it is to be looked at once more right after.
    UnderWay {
        again: bool,
    },
}

type Done = (String, Result<Vec<Report>, HandoverError>);

struct Tender {
    vitals: Arc<Vitals>,
    stop: CancellationToken,
    holder: String,
    due: HashMap<String, Due>,
    under_way: JoinSet<Done>,
}

impl Tender {
    async fn tend(mut self, mut news: UnboundedReceiver<String>) {
        let mut setups = self.vitals.watch();
        while !self.stop.is_cancelled() {
            let settings = self.vitals.setup().settings;
            let next = self.start_all(&settings);
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = sleep_until(next) => {}
                Some(feed) = news.recv() => self.heed(feed),
                Ok(()) = setups.changed() => self.due.retain(|_, due| matches!(due, Due::UnderWay { .. })),
                Some(done) = self.under_way.join_next() => self.heed_end(done),
            }
        }
        // Each hears the same signal.
        while self.under_way.join_next().await.is_some() {}
    }

    /// Starts what is due; when something is next.
    fn start_all(&mut self, settings: &Arc<Settings>) -> Instant {
        let now = Instant::now();
        let mut next = now + LOOK_AGAIN;
        for feed in settings.feeds.iter().filter(|feed| !feed.ways().is_empty()) {
            match self.due.get(&feed.name) {
                Some(Due::UnderWay { .. }) => {}
                Some(Due::At(at)) if *at > now => next = next.min(*at),
                Some(Due::At(_)) | None => {
                    self.due.insert(feed.name.clone(), Due::UnderWay { again: false });
                    self.start(feed.name.clone(), Arc::clone(settings));
                }
            }
        }
        next
    }

    fn start(&mut self, name: String, settings: Arc<Settings>) {
        let (stop, holder) = (self.stop.clone(), self.holder.clone());
        self.under_way.spawn(async move {
            let feed = settings.feeds.iter().find(|feed| feed.name == name);
            let clock = &Timestamp::now;
            let tools =
                Tools { settings: &settings, stop: &stop, clock, holder: &holder, without_lost: false };
            let done = match feed {
                Some(feed) => handover::hand_over(feed, tools).await,
                None => Ok(Vec::new()),
            };
            (name, done)
        });
    }

    /// The feed may have new files.
    fn heed(&mut self, feed: String) {
        let due = self.due.entry(feed).or_insert_with(|| Due::At(Instant::now()));
        *due = match due {
            Due::UnderWay { .. } => Due::UnderWay { again: true },
            Due::At(_) => Due::At(Instant::now()),
        };
    }

    fn heed_end(&mut self, done: Result<Done, tokio::task::JoinError>) {
        let (feed, done) = match done {
            Ok(done) => done,
            Err(error) => {
                error!(%error, "a handover broke off: it is tried again");
                // Whose it was is not known: all are looked at, those under way having their locks.
                self.due.clear();
                return;
            }
        };
        let again = self.due.get(&feed) == Some(&Due::UnderWay { again: true });
        let wait = if again { Duration::ZERO } else { wait_after(&feed, &done) };
        self.due.insert(feed, Due::At(Instant::now() + wait));
    }
}

fn wait_after(feed: &str, done: &Result<Vec<Report>, HandoverError>) -> Duration {
    match done {
        Ok(reports) => {
            let failing = reports.iter().filter(|report| report.error.is_some());
            failing.map(|report| wait(report.failures)).min().unwrap_or(LOOK_AGAIN)
        }
        Err(HandoverError::Store(StoreError::InUse { holder, .. })) => {
            info!(feed, %holder, "files of the feed are being handed over by another process");
            AFTER_ANOTHER
        }
        Err(error) => {
            error!(feed, %error, "files can't be handed over");
            LOOK_AGAIN
        }
    }
}

/// How long is waited after so many failures in a row.
fn wait(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    SHORTEST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        let seconds = |failures| wait(failures).as_secs();
        assert_eq!([0, 1, 2, 3].map(seconds), [30, 30, 60, 120]);
        assert_eq!([8, 100, u32::MAX].map(seconds), [3600, 3600, 3600]);
    }
}
