//! `feed`: writes feeds now.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Exit, Failure, Surroundings, configured, handover, open_existing};
use crate::config::settings::{Feed, Warehouse};
use crate::config::{ConfigError, Flags, Loaded, Origin, Problem};
use crate::feed::{self, BATCH, Outcome, Report, Standing, Tools};
use crate::observe::logging::Bars;
use crate::store::time;
use crate::text::{ago, grouped};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The feeds to write [default: all]
    #[arg(value_name = "NAME")]
    feeds: Vec<String>,
    /// Write every member, whether or not it differs from what was written before
    #[arg(long)]
    snapshot: bool,
    /// Where a run is under way, wait for so long until it has ended, as in 30s or 10m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "0s")]
    wait: Duration,
}

/// Writes the feeds one after another and prints a line for each.
///
/// # Errors
/// What kept all of them from being written.
pub async fn execute(args: &Args, flags: &Flags, around: &mut Surroundings<'_>) -> Result<Exit, Failure> {
    let loaded = configured(flags, &around.environment, Bars::Hidden)?;
    let targets = named(&loaded, &args.feeds)?;
    let settings = &loaded.settings;
    let opening = open_existing(&settings.store.path, "feed", args.wait);
    let Some(opened) = around.stop.run_until_cancelled(opening).await else { return Ok(Exit::NotDone) };
    let (lock, mut store) = opened?;
    feed::retire(settings, &mut store, Timestamp::now()).await?;
    let stop = around.stop.clone();
    let mut tools = Tools { settings, store: &mut store, stop: &stop, clock: &Timestamp::now, batch: BATCH };
    let (mut exit, mut closed, mut feeds) = (Exit::Done, None, Vec::new());
    for target in targets {
        feeds.extend(target.files());
        let report = match target {
            Target::Files(feed) => feed::write(feed, args.snapshot, &mut tools).await,
            Target::Tables(feed) => feed::write_tables(feed, args.snapshot, &mut tools).await,
        };
        exit = exit.or(Exit::of_feed(&report));
        if closed.is_none() {
            // A reader that goes away keeps no feed from being written.
            closed = writeln!(around.output, "{}", line(&report)).err();
        }
    }
    store.close().await?;
    // A run that is due need not wait for whoever takes the files in.
    drop(lock);
    for report in handover::hand_over(settings, &feeds, args.snapshot, &stop).await? {
        exit = exit.or(Exit::of_handover(&report));
        if let (None, Some(line)) = (&closed, handover::line(&report)) {
            closed = writeln!(around.output, "{line}").err();
        }
    }
    closed.map_or(Ok(exit), |error| Err(error.into()))
}

/// A feed, by what it writes.
enum Target<'a> {
    Files(&'a Feed),
    Tables(&'a Warehouse),
}

impl<'a> Target<'a> {
    fn files(&self) -> Option<&'a Feed> {
        match self {
            Self::Files(feed) => Some(feed),
            Self::Tables(_) => None,
        }
    }
}

/// The feeds of these names, those of files first; all where none is named.
fn named<'a>(loaded: &'a Loaded, names: &[String]) -> Result<Vec<Target<'a>>, Failure> {
    let settings = &loaded.settings;
    let all = settings.feed_names();
    if all.is_empty() {
        let problem = Problem {
            key: Some("feeds".to_owned()),
            message: "there are none; add a [[feeds]] table, as in config.example.toml".to_owned(),
            origin: Some(Origin::File { path: loaded.path.clone(), line: None }),
        };
        return Err(ConfigError::from(problem).into());
    }
    if let Some(unknown) = names.iter().find(|name| !all.contains(&name.as_str())) {
        return Err(Failure::Usage(format!(
            "there is no feed \"{unknown}\" in the configuration; there are: {}",
            all.join(", ")
        )));
    }
    let is_meant = |name: &String| names.is_empty() || names.contains(name);
    let files = settings.feeds.iter().filter(|feed| is_meant(&feed.name)).map(Target::Files);
    let tables = settings.warehouses.iter().filter(|feed| is_meant(&feed.name)).map(Target::Tables);
    Ok(files.chain(tables).collect())
}

/// What came of a feed, for people.
#[must_use]
pub fn line(report: &Report) -> String {
    let told = match &report.outcome {
        Ok(outcome) => told(outcome),
        Err(error) => format!("not written: {error}"),
    };
    format!("feed {}: {told}", report.feed)
}

fn told(outcome: &Outcome) -> String {
    let Outcome { files, table, rows, removed, latest, waits_for, .. } = outcome;
    let file = match files.as_slice() {
        [] => None,
        [file] => Some(file.clone()),
        [first, .., last] => Some(format!("{first} to {last}")),
    };
    let mut told = match (file, latest) {
        _ if table.is_some() => into_table(table.as_deref().unwrap_or_default(), *rows, *removed),
        (Some(file), _) if *removed == 0 => format!("{file}: {} rows", grouped(*rows)),
        (Some(file), _) => format!("{file}: {} rows, {} of them removals", grouped(*rows), grouped(*removed)),
        (None, Some(latest)) => format!("nothing new since {latest}"),
        (None, None) => "nothing to write yet".to_owned(),
    };
    if !waits_for.is_empty() {
        told.push_str("; who is no member any more is told once these have succeeded: ");
        told.push_str(&waits_for.join(", "));
    }
    told
}

fn into_table(table: &str, rows: u64, removed: u64) -> String {
    match (rows, removed) {
        (0, _) => format!("nothing new for {table}"),
        (_, 0) => format!("{} rows into {table}", grouped(rows)),
        _ => format!("{} rows into {table}, {} of them removals", grouped(rows), grouped(removed)),
    }
}

/// What came of a feed, for programs.
#[must_use]
pub fn json(report: &Report) -> Value {
    let nothing = Outcome::default();
    let outcome = report.outcome.as_ref().unwrap_or(&nothing);
    let Outcome { file, files, table, rows, removed, waits_for, .. } = outcome;
    let error = report.outcome.as_ref().err().map(ToString::to_string);
    json!({
        "feed": report.feed, "file": file, "files": files, "table": table, "rows": rows, "removed": removed,
        "waits_for": waits_for, "error": error,
    })
}

/// How a feed stands, for people.
#[must_use]
pub fn standing_text(standing: &Standing, now: Timestamp) -> String {
    let Standing {
        feed,
        configured,
        table,
        file,
        rows,
        checked_at,
        written_at,
        error,
        waits_for,
        handing,
        ..
    } = standing;
    let last = match (table.as_ref().or(file.as_ref()), rows) {
        (Some(table), None) if standing.table.is_some() => format!("nothing in {table} yet"),
        (Some(file), Some(rows)) => format!("{file}, {} rows", grouped(rows.unsigned_abs())),
        _ => "no file yet".to_owned(),
    };
    let moment = |what: &str, at: &Option<String>| {
        let at = at.as_deref().and_then(time::from_text)?;
        Some(format!("; {what} {} ({})", time::to_text(at), ago(at, now)))
    };
    let state = if *configured { "" } else { "not in the configuration any more; " };
    let moments = [moment("written", written_at), moment("right at", checked_at)].into_iter().flatten();
    let mut lines = vec![format!("feed {feed}: {state}{last}{}", moments.collect::<String>())];
    if let Some(error) = error {
        lines.push(format!("  held back    {error}"));
    }
    if *configured && !waits_for.is_empty() {
        lines
            .push(format!("  removes      nobody until these have succeeded once: {}", waits_for.join(", ")));
    }
    lines.extend(handing.iter().flat_map(|handing| handover::standing_text(handing, now)));
    lines.push(String::new());
    lines.join("\n")
}
