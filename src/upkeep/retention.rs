//! What is old is let go, so that a store that runs for years does not grow without end.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::agenda::RUNS_THAT_MATTER;
use crate::config::settings;
use crate::store::{Store, StoreError, time};

/// So much over its time something has to be before anything is let go: once a day is enough.
const AT_MOST: Duration = Duration::from_hours(24);

/// How much was let go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gone {
    /// Entries of the change log.
    pub changes: u64,
    pub runs: u64,
    pub organizations: u64,
}

/// Lets go what is old, and logs it. A failure is no run's: the next one tries again.
pub async fn tidy(store: &mut Store, keep: &settings::Store, now: Timestamp, stop: &CancellationToken) {
    match let_go(store, keep, now, stop).await {
        Ok(gone) if gone == Gone::default() => {}
        Ok(Gone { changes, runs, organizations }) => {
            info!(changes, runs, organizations, "what was old was let go");
        }
        Err(error) => warn!(%error, "what is old could not be let go: the next run tries again"),
    }
}

/// Lets go entries, runs and organizations that are older than `keep` says, a commit for some of them, until
/// none is left or `stop` is cancelled. What counts as the present is [`Store::present`].
///
/// # Errors
/// If the store can't be read or written; what was committed is true.
pub async fn let_go(
    store: &mut Store,
    keep: &settings::Store,
    now: Timestamp,
    stop: &CancellationToken,
) -> Result<Gone, StoreError> {
    let now = store.present(now).await?;
    let mut gone = Gone::default();
    if let Some(age) = Age::over(keep.keep_changes, now) {
        gone.changes = changes(store, &age, stop).await?;
    }
    if let Some(age) = Age::over(keep.keep_runs, now) {
        gone.runs = runs(store, &age, stop).await?;
    }
    if let Some(age) = keep.keep_departed.and_then(|keep| Age::over(keep, now)) {
        gone.organizations = organizations(store, &age, stop).await?;
    }
    Ok(gone)
}

/// What is old.
struct Age {
    now: String,
    /// From before this.
    before: String,
    /// From so long before it that something is to be done.
    overdue: String,
}

impl Age {
    /// `None` where time does not reach back so far.
    fn over(keep: Duration, now: Timestamp) -> Option<Self> {
        let before = now.checked_sub(keep).ok()?;
        let overdue = before.checked_sub((keep / 10).min(AT_MOST)).ok()?;
        Some(Self { now: time::to_text(now), before: time::to_text(before), overdue: time::to_text(overdue) })
    }
}

async fn changes(store: &mut Store, age: &Age, stop: &CancellationToken) -> Result<u64, StoreError> {
    let mut gone = 0;
    if store.last_old_change(&age.overdue, &age.now).await?.is_none() {
        return Ok(gone);
    }
    let Some(last) = store.last_old_change(&age.before, &age.now).await? else { return Ok(gone) };
    while !stop.is_cancelled() {
        match store.delete_changes(last).await? {
            0 => break,
            deleted => gone += deleted,
        }
    }
    Ok(gone)
}

async fn runs(store: &mut Store, age: &Age, stop: &CancellationToken) -> Result<u64, StoreError> {
    if store.old_runs(&age.overdue, &age.now, RUNS_THAT_MATTER).await?.is_empty() {
        return Ok(0);
    }
    let runs = store.old_runs(&age.before, &age.now, RUNS_THAT_MATTER).await?;
    let mut left = runs.as_slice();
    while !left.is_empty() && !stop.is_cancelled() {
        left = store.delete_runs(left).await?;
    }
    Ok((runs.len() - left.len()) as u64)
}

async fn organizations(store: &mut Store, age: &Age, stop: &CancellationToken) -> Result<u64, StoreError> {
    let mut gone = 0;
    if store.long_gone(&age.overdue).await?.is_empty() {
        return Ok(gone);
    }
    while !stop.is_cancelled() {
        let organizations = store.long_gone(&age.before).await?;
        if organizations.is_empty() {
            break;
        }
        store.delete_organizations(&organizations).await?;
        gone += organizations.len() as u64;
    }
    Ok(gone)
}
