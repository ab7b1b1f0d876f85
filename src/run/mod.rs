//! One run of one query, from its first request to its last commit: [`run`] begins it, `course` reads as
//! the path, and whatever happens is in the report and in the store.

mod batch;
mod course;
mod definition;
mod departures;
mod error;
mod fingerprint;
mod guard;
mod held;
mod leaving;
mod paths;
mod storing;
mod window;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info, info_span, warn};

pub use definition::definition;
pub use error::RunError;
pub use fingerprint::Fingerprints;
pub use held::letting_through;
pub use leaving::Leaving;

use crate::config::Settings;
use crate::config::settings::Query;
use crate::store::{Numbers, Status, Store};
use crate::vainu::{Client, unquoted};
use course::{Course, Outcome};

/// Rows in one commit: few enough to hold in memory with what is stored of them, and enough that syncing to disk costs
/// little. Rows come page by page, so that there may be a page more.
pub const BATCH_ROWS: usize = 400;

/// Bytes of JSON in one commit, past which no more rows are waited for.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// Told how a run gets on.
pub trait Progress: Send + Sync {
    /// So many rows are to be expected; `None`: no count was to be had.
    fn expected(&self, rows: Option<u64>);
    /// So many rows have been stored or found unchanged.
    fn stored(&self, rows: u64);
}

/// Tells nobody.
impl Progress for () {
    fn expected(&self, _rows: Option<u64>) {}
    fn stored(&self, _rows: u64) {}
}

/// What a run works with.
pub struct Tools<'a> {
    pub settings: &'a Settings,
    pub client: &'a Client,
    pub store: &'a mut Store,
    pub stop: &'a CancellationToken,
    pub progress: &'a dyn Progress,
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    /// Rows in one commit: [`BATCH_ROWS`], or fewer where a test wants more commits.
    pub batch_rows: usize,
}

/// Why and how this run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Order {
    /// The tick that it stands for; `None`: asked for by hand.
    pub planned_at: Option<Timestamp>,
    /// A person lets through what held the query.
    pub accept: bool,
    /// A full run, even if an incremental one would do, that looks at rows that came last time, too.
    pub full: bool,
    /// Nothing of it will stay.
    pub dry_run: bool,
}

/// How a run ended.
#[derive(Debug)]
pub struct Report {
    pub query: String,
    pub status: Status,
    pub numbers: Numbers,
    /// What `runs.error` says.
    pub error: Option<String>,
    /// What kept it from going on, where something did.
    pub cause: Option<RunError>,
    pub took: Duration,
    /// Nothing of it will stay.
    pub dry_run: bool,
}

/// Runs `query` once, to whatever end.
pub async fn run(query: &Query, order: Order, tools: Tools<'_>) -> Report {
    let span = info_span!("run", query = %query.name, dry_run = order.dry_run.then_some(true));
    let started = Instant::now();
    let (client, clock) = (tools.client.clone(), tools.clock);
    let meter = client.meter();
    let outcome = async {
        info!("run started");
        match Course::begin(query, order, tools, &meter).await {
            Ok(mut course) => course.finish().await,
            Err(cause) => Outcome::failed(cause, Numbers::default()),
        }
    };
    let Outcome { status, numbers, error, cause } = outcome.instrument(span.clone()).await;
    let (query, took, dry_run) = (query.name.clone(), started.elapsed(), order.dry_run);
    let report = Report { query, status, numbers, error, cause, took, dry_run };
    span.in_scope(|| log_end(&report));
    client.warn_of_end(clock());
    report
}

fn log_end(report: &Report) {
    let Report { status, numbers: n, error, .. } = report;
    let took_ms = u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX);
    let reason = error.as_deref().map(unquoted);
    match status {
        Status::Succeeded => info!(
            %status, fetched = n.fetched, created = n.created, updated = n.updated, entered = n.entered,
            left = n.left, rejected = n.rejected, requests = n.requests, retries = n.retries, took_ms,
            "run ended"
        ),
        Status::Failed => {
            error!(%status, fetched = n.fetched, requests = n.requests, took_ms, reason, "run ended");
        }
        _ => warn!(%status, fetched = n.fetched, requests = n.requests, took_ms, reason, "run ended"),
    }
}
