//! When a configured query runs next, from its schedule and from the runs that the store remembers.

use std::fmt;

use jiff::Timestamp;

use crate::config::Settings;
use crate::config::settings::Query;
use crate::run::definition;
use crate::schedule::{Due, PastRun, Plan};
use crate::store::{Remembered, Run, Status, Store, StoreError, time};

/// Past runs that planning looks at: by then the waits between tries no longer grow.
pub const RUNS_THAT_MATTER: u32 = 32;

/// What is planned for a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Start(Due),
    /// The schedule's next tick is centuries ahead.
    Never,
    /// It is not run unless a person asks for it.
    Waits(Wait),
}

impl Next {
    /// The start that is due by `now`.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Option<Due> {
        match self {
            Self::Start(due) if due.planned_at <= now => Some(*due),
            _ => None,
        }
    }
}

/// Why a query waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// It never ran, and a query that the configuration no longer has is the same under another name: both
    /// would tell everybody twice, as leaving the one and entering the other.
    Renamed { from: String, rename: String, run: String },
    /// It was pruned by somebody whose configuration no longer had it.
    Pruned,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Renamed { from, rename, run } => write!(
                f,
                "it never ran, and has the definition of \"{from}\", which the configuration no longer has: \
                 `{rename}` gives it those members and their history, `{run}` runs it as a new one"
            ),
            Self::Pruned => f.write_str(
                "it was pruned after the configuration was read: let it be read again (SIGHUP), or restart",
            ),
        }
    }
}

/// What is planned by.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    pub settings: &'a Settings,
    /// When these were read.
    pub read_at: Timestamp,
    /// Ticks before this were missed.
    pub watched_since: Timestamp,
}

/// The next start of `query`, or the one that is due by now.
///
/// # Errors
/// If the store can't be read.
pub async fn next_start(
    store: &mut Store,
    query: &Query,
    basis: Basis<'_>,
    now: Timestamp,
) -> Result<Next, StoreError> {
    let remembered = store.queries().await?;
    if let Some(wait) = pruned_since(basis.read_at, query, &remembered) {
        return Ok(Next::Waits(wait));
    }
    if let Some(wait) = wait(query, basis.settings, &remembered) {
        return Ok(Next::Waits(wait));
    }
    let runs = match known(query, &remembered) {
        Some(_) => store.latest_runs(&query.name, RUNS_THAT_MATTER).await?,
        None => Vec::new(),
    };
    Ok(due(query, &runs, basis.watched_since, now).map_or(Next::Never, Next::Start))
}

/// The next start of `query`, or the one that is due by now, from its last runs, newest first. Ticks before
/// `watched_since` were missed.
#[must_use]
pub fn due(query: &Query, runs: &[Run], watched_since: Timestamp, now: Timestamp) -> Option<Due> {
    let past: Vec<PastRun> = runs.iter().filter_map(past_run).collect();
    plan_of(query).due(&past, watched_since, now)
}

/// What keeps `query` from running by itself.
#[must_use]
pub fn wait(query: &Query, settings: &Settings, remembered: &[Remembered]) -> Option<Wait> {
    if known(query, remembered).is_some() {
        return None;
    }
    let definition = definition(query, &settings.api);
    let is_configured = |name: &str| settings.queries.iter().any(|query| query.name == name);
    let mut removed = remembered.iter().filter(|known| !is_configured(&known.name));
    let from = removed.find(|known| known.definition.as_ref() == Some(&definition))?.name.clone();
    let rename = settings.command(&format!("rename {from} {}", query.name));
    Some(Wait::Renamed { from, rename, run: settings.command(&format!("sync {}", query.name)) })
}

/// What is remembered of `query`, unless it was pruned.
fn known<'a>(query: &Query, remembered: &'a [Remembered]) -> Option<&'a Remembered> {
    remembered.iter().find(|known| known.name == query.name && !known.is_pruned())
}

fn pruned_since(read_at: Timestamp, query: &Query, remembered: &[Remembered]) -> Option<Wait> {
    let pruned = remembered.iter().find(|known| known.name == query.name && known.is_pruned())?;
    (time::from_text(&pruned.first_seen_at)? > read_at).then_some(Wait::Pruned)
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
        to_repeat: to_repeat.iter().any(|status| run.is(*status)),
    })
}
