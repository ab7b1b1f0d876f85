//! When a configured query runs next, from its schedule and from the runs that the store remembers.

use jiff::Timestamp;

use crate::config::settings::Query;
use crate::schedule::{Due, PastRun, Plan};
use crate::store::{Run, Status, Store, StoreError, time};

/// Past runs that planning looks at: by then the waits between tries no longer grow.
pub const RUNS_THAT_MATTER: u32 = 32;

/// The next start of `query`, or the one that is due by now. Ticks before `watched_since` were missed.
///
/// # Errors
/// If the store can't be read.
pub async fn next_start(
    store: &mut Store,
    query: &Query,
    watched_since: Timestamp,
    now: Timestamp,
) -> Result<Option<Due>, StoreError> {
    let runs = store.latest_runs(&query.name, RUNS_THAT_MATTER).await?;
    Ok(due(query, &runs, watched_since, now))
}

/// As [`next_start`], from runs that were read already, newest first.
#[must_use]
pub fn due(query: &Query, runs: &[Run], watched_since: Timestamp, now: Timestamp) -> Option<Due> {
    let past: Vec<PastRun> = runs.iter().filter_map(past_run).collect();
    plan_of(query).due(&past, watched_since, now)
}

fn plan_of(query: &Query) -> Plan<'_> {
    Plan {
        query: &query.name,
        schedule: &query.schedule,
        zone: &query.timezone,
        jitter: query.jitter,
        catch_up: query.catch_up,
        retry_run_after: query.retry_run_after,
    }
}

/// A run as planning sees it; `None` if its start can't be read.
fn past_run(run: &Run) -> Option<PastRun> {
    // A run whose process has died may not be marked yet.
    let to_repeat = [Status::Failed, Status::Incomplete, Status::Interrupted, Status::Running];
    Some(PastRun {
        planned_at: run.planned_at.as_deref().and_then(time::from_text),
        started_at: time::from_text(&run.started_at)?,
        finished_at: run.finished_at.as_deref().and_then(time::from_text),
        to_repeat: to_repeat.iter().any(|status| status.as_str() == run.status),
    })
}
