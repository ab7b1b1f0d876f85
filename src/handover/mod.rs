//! Handing over: each file of a feed, in the order of their numbers, to a command or a web address, tried again until
//! it is taken.
//!
//! [`hand_over`] is the path of one feed: take its lock, find the first file that was not taken yet, try, remember what
//! came of it, go on. It holds the store's own lock at no moment, so that no run waits for a slow consumer.

mod command;
mod error;
mod group;
mod outbox;
mod tail;
mod webhook;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, info_span, warn};

pub use error::HandoverError;

use crate::config::Settings;
use crate::config::settings::{After, Feed, Webhook};
use crate::store::Lock;
use outbox::Outbox;

/// What files are handed over with.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    pub settings: &'a Settings,
    pub stop: &'a CancellationToken,
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    /// What others read of who holds a feed's lock.
    pub holder: &'a str,
    /// Files that are not there any more are passed over.
    pub without_lost: bool,
}

/// What came of one way to hand over a feed's files.
#[derive(Debug)]
pub struct Report {
    pub feed: String,
    /// `after` or `webhook`.
    pub way: &'static str,
    /// Files that were handed over.
    pub files: u64,
    /// The last of them.
    pub last: Option<String>,
    /// What keeps the next one.
    pub error: Option<HandoverError>,
    /// Tries in a row that have failed.
    pub failures: u32,
}

/// One way to hand a file over.
#[derive(Clone, Copy)]
enum Way<'a> {
    After(&'a After),
    Webhook(&'a Webhook),
}

impl Way<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::After(_) => After::WAY,
            Self::Webhook(_) => Webhook::WAY,
        }
    }
}

/// Hands over what is still to be handed over of `feed`, one way after another, and logs what came of it.
///
/// # Errors
/// If another process does so, or the lock can't be taken.
pub async fn hand_over(feed: &Feed, tools: Tools<'_>) -> Result<Vec<Report>, HandoverError> {
    if feed.ways().is_empty() {
        return Ok(Vec::new());
    }
    let lock = Lock::take_for_handover(&tools.settings.store.path, &feed.name, tools.holder)?;
    let ways = feed.after.as_ref().map(Way::After).into_iter().chain(feed.webhook.as_ref().map(Way::Webhook));
    let mut reports = Vec::new();
    for way in ways {
        let report = Outbox { feed, way, tools, lock: &lock }.empty().await;
        info_span!("handover", feed = %feed.name, way = way.name()).in_scope(|| log(&report));
        reports.push(report);
    }
    Ok(reports)
}

fn log(report: &Report) {
    if let (1.., Some(last)) = (report.files, &report.last) {
        info!(files = report.files, last, "files were handed over");
    }
    match &report.error {
        None => {}
        Some(HandoverError::Stopped) => warn!("not handed over: stopped by a signal"),
        Some(reason) => error!(%reason, failures = report.failures, "not handed over"),
    }
}
