//! `status`: how each query and each feed stands.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::feed::standing_text as feed_text;
use super::{Exit, Failure, Surroundings, configured};
use crate::config::Flags;
use crate::feed;
use crate::observe::logging::Bars;
use crate::standing::{Overview, Standing, View};
use crate::store::{Lock, Run, Store, StoreError, time};
use crate::text::{ago, grouped};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Late is who has no success within this time, instead of by the schedule
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    max_age: Option<Duration>,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    overview: &'a Overview,
    feeds: &'a [feed::Standing],
}

/// Prints how each query stands; exit code 1 if any is late.
///
/// # Errors
/// If the store can't be read or stdout not be written.
pub async fn execute(args: &Args, flags: &Flags, around: &mut Surroundings<'_>) -> Result<Exit, Failure> {
    let settings = configured(flags, &around.environment, Bars::Hidden)?.settings;
    let view = View { settings: &settings, max_age: args.max_age, now: Timestamp::now() };
    let mut store = Store::open_if_there(&settings.store.path).await?;
    let overview = view.overview(store.as_mut()).await?;
    let feeds = feed::standings(&settings, store.as_mut(), view.now).await?;
    if let Some(store) = store {
        store.close().await?;
    }
    if args.json {
        let report = Report { overview: &overview, feeds: &feeds };
        let json = serde_json::to_string(&report).expect("text and numbers are always JSON");
        writeln!(around.output, "{json}")?;
    } else {
        if !overview.exists {
            writeln!(around.output, "{}", absent(&settings.store.path))?;
        }
        for standing in &overview.queries {
            write!(around.output, "{}", as_text(standing, overview.at))?;
        }
        for feed in &feeds {
            write!(around.output, "{}", feed_text(feed, overview.at))?;
        }
    }
    Ok(if overview.late { Exit::NotDone } else { Exit::Done })
}

/// Why there is nothing to tell: nothing has happened yet, or the store is gone.
fn absent(store: &Path) -> String {
    match Lock::first_taken(store) {
        None => StoreError::Absent(store.to_owned()).to_string(),
        Some(since) => format!(
            "there is no store at {}, though vainu-sync has been at work there since {}: put it back, or restore a \
             backup; where there never was one, the log says what keeps it from being made",
            store.display(),
            time::to_text(since)
        ),
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
    if let Some(next) = &standing.next_run {
        lines.push(format!("  next run     {next}"));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn head(standing: &Standing, now: Timestamp) -> String {
    let state = match (standing.configured, standing.late, standing.last_success_at) {
        (false, ..) => "not in the configuration any more: it runs no more and holds its members",
        (true, true, _) => "LATE",
        (true, false, None) if standing.waits.is_some() => "waits",
        (true, false, None) => "never ran to its end yet",
        (true, false, Some(_)) => "ok",
    };
    let success = standing.last_success_at.map_or_else(
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
