//! Feeds: members and changes → files for other systems.
//!
//! [`write`] is the path: look into the folder, settle what a death has left there, choose what is to be compared,
//! write a file under a temporary name, commit it with the feed's rows, give it its name, tell of it in the manifest.

mod course;
mod csv;
mod error;
mod file;
mod folder;
mod hash;
mod jsonl;
mod keep;
mod layout;
mod lost;
mod manifest;
mod names;
mod pass;
mod scope;
mod standing;
mod warehouse;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, info_span, warn};

pub use error::FeedError;
pub use layout::{Layout, Upsert};
pub use names::manifest as manifest_name;
pub use standing::{Standing, standings};
pub use warehouse::{WarehouseError, fault as warehouse_fault};

use crate::config::Settings;
use crate::config::settings::{Feed, Warehouse};
use crate::store::{Store, StoreError, time};

/// What feeds are written with.
pub struct Tools<'a> {
    pub settings: &'a Settings,
    pub store: &'a mut Store,
    pub stop: &'a CancellationToken,
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    /// Organizations that are read at once: [`BATCH`], or fewer where a test wants more of them.
    pub batch: usize,
}

/// Organizations that are read at once: few, for a document may be large.
pub const BATCH: usize = 250;

/// What came of one feed.
#[derive(Debug)]
pub struct Report {
    pub feed: String,
    pub outcome: Result<Outcome, FeedError>,
}

/// What a feed has written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The new file, the last of several; `None`: nothing was new.
    pub file: Option<String>,
    /// All new files, in their order.
    pub files: Vec<String>,
    /// The table that it wrote into, where it writes no files.
    pub table: Option<String>,
    /// Their rows, removals among them.
    pub rows: u64,
    pub removed: u64,
    /// The last file before, where there is no new one.
    pub latest: Option<String>,
    /// Queries that never succeeded, where that holds something back: who is not among their members may be one.
    pub waits_for: Vec<String>,
}

/// Writes the feeds that are of any of these queries, and logs what came of them. No failure is a run's.
pub async fn follow(queries: &[&str], mut tools: Tools<'_>) -> Vec<Report> {
    let settings = tools.settings;
    let mut reports = Vec::new();
    for feed in of_queries(settings, queries) {
        reports.push(write(feed, false, &mut tools).await);
    }
    for feed in settings.warehouses.iter().filter(|feed| is_of(&feed.queries, queries)) {
        reports.push(write_tables(feed, false, &mut tools).await);
    }
    reports
}

/// The feeds that are of any of these queries.
pub fn of_queries<'s>(settings: &'s Settings, queries: &[&str]) -> impl Iterator<Item = &'s Feed> {
    settings.feeds.iter().filter(|feed| is_of(&feed.queries, queries))
}

fn is_of(own: &[String], queries: &[&str]) -> bool {
    own.iter().any(|query| queries.contains(&query.as_str()))
}

/// Writes one feed; `everything`: every member, whether or not it differs.
pub async fn write(feed: &Feed, everything: bool, tools: &mut Tools<'_>) -> Report {
    let outcome = course::run(feed, everything, tools).await;
    conclude(&feed.name, outcome, tools).await
}

/// Writes the tables of one feed; `everything`: every row, whether or not it differs.
pub async fn write_tables(feed: &Warehouse, everything: bool, tools: &mut Tools<'_>) -> Report {
    let outcome = warehouse::run(feed, everything, tools).await;
    conclude(&feed.name, outcome, tools).await
}

/// Remembers and logs what came of a feed.
async fn conclude(feed: &str, outcome: Result<Outcome, FeedError>, tools: &mut Tools<'_>) -> Report {
    if let Err(FeedError::Store(StoreError::Corrupt { reason, .. })) = &outcome {
        tools.store.found_damaged(reason.clone());
    }
    if let Err(error) = &outcome
        && !matches!(error, FeedError::Stopped | FeedError::Store(_))
    {
        remember(feed, &error.to_string(), tools.store).await;
    }
    info_span!("feed", feed).in_scope(|| log(&outcome));
    Report { feed: feed.to_owned(), outcome }
}

/// Remembers which feeds the configuration has, before anything else is written.
///
/// # Errors
/// If the store can't be written.
pub async fn retire(settings: &Settings, store: &mut Store, now: Timestamp) -> Result<(), StoreError> {
    store.retire_feeds(&settings.feed_names(), &time::to_text(now)).await
}

async fn remember(feed: &str, error: &str, store: &mut Store) {
    let remembered = async {
        let state = store.feed(feed).await?;
        store.set_feed_error(state.id, Some(error)).await
    };
    if let Err(error) = remembered.await {
        warn!(%error, "what keeps a feed from being written could not be remembered");
    }
}

fn log(outcome: &Result<Outcome, FeedError>) {
    match outcome {
        Ok(Outcome { file: Some(file), rows, removed, .. }) => info!(file, rows, removed, "feed written"),
        Ok(Outcome { table: Some(table), rows, removed, .. }) if *rows > 0 => {
            info!(table, rows, removed, "feed written");
        }
        Ok(Outcome { file: None, .. }) => info!("feed: nothing new"),
        Err(FeedError::Stopped) => warn!("feed not written: stopped by a signal"),
        Err(reason) => error!(%reason, "feed not written"),
    }
    if let Ok(Outcome { waits_for, .. }) = outcome
        && !waits_for.is_empty()
    {
        warn!(queries = waits_for.join(", "), "the feed holds removals back until these have succeeded once");
    }
}
