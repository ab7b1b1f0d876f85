//! `status`: how each query stands.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::text::{ago, grouped, local};
use super::{Exit, Failure, Surroundings, configured};
use crate::agenda::{RUNS_THAT_MATTER, due, wait};
use crate::config::settings::Query;
use crate::config::{Flags, Settings};
use crate::observe::logging::Bars;
use crate::schedule::is_late;
use crate::store::{Remembered, Run, Store, StoreError, time};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Late is who has no success within this time, instead of by the schedule
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    max_age: Option<Duration>,
}

/// How one query stands.
#[derive(Debug, Serialize)]
struct Standing {
    query: String,
    /// Whether the configuration still has it.
    configured: bool,
    late: bool,
    /// Why it is not run unless a person asks for it.
    waits: Option<String>,
    members: u64,
    last_success_at: Option<String>,
    /// Seconds since then.
    age: Option<i64>,
    next_run_at: Option<String>,
    last_run: Option<Run>,
    #[serde(skip)]
    next: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    store: String,
    /// Whether there is a store yet.
    exists: bool,
    late: bool,
    queries: &'a [Standing],
}

/// Prints how each query stands; exit code 1 if any is late.
///
/// # Errors
/// If the store can't be read or stdout not be written.
pub async fn execute(args: &Args, flags: &Flags, around: &mut Surroundings<'_>) -> Result<Exit, Failure> {
    let settings = configured(flags, &around.environment, Bars::Hidden)?.settings;
    let now = Timestamp::now();
    let exists = settings.store.path.exists();
    let standings = standings(&settings, args.max_age, now).await?;
    let late = standings.iter().any(|standing| standing.late);
    if args.json {
        let store = settings.store.path.display().to_string();
        let report = Report { store, exists, late, queries: &standings };
        let json = serde_json::to_string(&report).expect("text and numbers are always JSON");
        writeln!(around.output, "{json}")?;
    } else {
        if !exists {
            writeln!(around.output, "{}", StoreError::Absent(settings.store.path.clone()))?;
        }
        for standing in &standings {
            write!(around.output, "{}", as_text(standing, now))?;
        }
    }
    Ok(if late { Exit::NotDone } else { Exit::Done })
}

async fn standings(
    settings: &Settings,
    max_age: Option<Duration>,
    now: Timestamp,
) -> Result<Vec<Standing>, StoreError> {
    let mut store = match Store::open_to_read(&settings.store.path).await {
        Err(StoreError::Absent(_)) => return Ok(unstarted(settings, max_age)),
        store => store?,
    };
    let mut remembered = store.queries().await?;
    remembered.retain(|known| !known.is_pruned());
    let mut standings = Vec::new();
    for query in &settings.queries {
        let waits = wait(query, settings, &remembered).map(|wait| wait.to_string());
        let at = remembered.iter().position(|known| known.name == query.name);
        standings.push(match at.map(|at| remembered.remove(at)) {
            Some(known) => configured_query(&mut store, query, &known, max_age, now).await?,
            None => Standing { waits, ..Standing::nothing_of(&query.name, max_age.is_some()) },
        });
    }
    for known in remembered {
        standings.push(removed_query(&mut store, known, now).await?);
    }
    Ok(standings)
}

fn unstarted(settings: &Settings, max_age: Option<Duration>) -> Vec<Standing> {
    settings.queries.iter().map(|query| Standing::nothing_of(&query.name, max_age.is_some())).collect()
}

async fn configured_query(
    store: &mut Store,
    query: &Query,
    known: &Remembered,
    max_age: Option<Duration>,
    now: Timestamp,
) -> Result<Standing, StoreError> {
    let runs = store.latest_runs(&query.name, RUNS_THAT_MATTER).await?;
    let succeeded_at = last_success(store, known, now).await?;
    let first_seen = time::from_text(&known.first_seen_at).unwrap_or(now);
    let late = match max_age {
        Some(max_age) => succeeded_at.is_none_or(|at| is_older(at, max_age, now)),
        None => is_late(&query.schedule, &query.timezone, first_seen, succeeded_at, now),
    };
    let next = due(query, &runs, now, now).map(|due| due.planned_at);
    Ok(Standing {
        query: query.name.clone(),
        configured: true,
        late,
        waits: None,
        members: store.count_members(known.id).await?,
        last_success_at: succeeded_at.map(time::to_text),
        age: succeeded_at.map(|at| now.duration_since(at).as_secs()),
        next_run_at: next.map(time::to_text),
        last_run: runs.into_iter().next(),
        next: next.map(|next| local(next, &query.timezone, &query.timezone_name)),
    })
}

/// A query that the file no longer has: it holds its members and is never late.
async fn removed_query(store: &mut Store, known: Remembered, now: Timestamp) -> Result<Standing, StoreError> {
    let succeeded_at = last_success(store, &known, now).await?;
    Ok(Standing {
        members: store.count_members(known.id).await?,
        configured: false,
        last_success_at: succeeded_at.map(time::to_text),
        age: succeeded_at.map(|at| now.duration_since(at).as_secs()),
        last_run: store.latest_runs(&known.name, 1).await?.into_iter().next(),
        ..Standing::nothing_of(&known.name, false)
    })
}

/// When the query last succeeded. What it did before it was pruned counts no more.
async fn last_success(
    store: &mut Store,
    known: &Remembered,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    if known.definition.is_none() {
        return Ok(None);
    }
    let success = store.last_success(&known.name, &time::to_text(now)).await?;
    Ok(success.and_then(|run| time::from_text(&run.started_at)))
}

fn is_older(at: Timestamp, max_age: Duration, now: Timestamp) -> bool {
    u64::try_from(now.duration_since(at).as_secs()).is_ok_and(|age| age > max_age.as_secs())
}

impl Standing {
    fn nothing_of(query: &str, late: bool) -> Self {
        Self {
            query: query.to_owned(),
            configured: true,
            late,
            waits: None,
            members: 0,
            last_success_at: None,
            age: None,
            next_run_at: None,
            last_run: None,
            next: None,
        }
    }
}

fn as_text(standing: &Standing, now: Timestamp) -> String {
    let mut lines = vec![head(standing, now)];
    if let Some(reason) = &standing.waits {
        lines.push(format!("  waits        {reason}"));
    }
    if let Some(run) = &standing.last_run {
        lines.push(format!("  last run     {}", last_run(run)));
    }
    if let Some(next) = &standing.next {
        lines.push(format!("  next run     {next}"));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn head(standing: &Standing, now: Timestamp) -> String {
    let state = match (standing.configured, standing.late, &standing.last_success_at) {
        (false, ..) => "not in the configuration any more: it runs no more and holds its members",
        (true, true, _) => "LATE",
        (true, false, None) if standing.waits.is_some() => "waits",
        (true, false, None) => "never ran to its end yet",
        (true, false, Some(_)) => "ok",
    };
    let success = standing.last_success_at.as_deref().and_then(time::from_text);
    let success = success.map_or_else(
        || "no success yet".to_owned(),
        |at| format!("last success {} ({})", time::to_text(at), ago(at, now)),
    );
    format!("{}: {state}; {} members; {success}", standing.query, grouped(standing.members))
}

fn last_run(run: &Run) -> String {
    let Run { status, started_at, fetched, created, entered, updated, left, .. } = run;
    let error = run.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
    format!(
        "{started_at} {status}: {fetched} fetched, {created} created, {entered} entered, \
         {updated} updated, {left} left{error}"
    )
}
