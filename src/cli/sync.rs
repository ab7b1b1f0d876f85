//! `sync`: runs queries now, then their feeds.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::feed::{json as feed_json, line as feed_line};
use super::opened::Opened;
use super::{
    Exit, Failure, Output, Surroundings, changes, client, configured, handover, progress, summary, to_run,
};
use crate::agenda;
use crate::config::Flags;
use crate::config::settings::{Feed, Query, Settings};
use crate::feed;
use crate::observe::logging::Bars;
use crate::observe::ping::Pings;
use crate::run::{BATCH_ROWS, Order, Report, RunError, Tools, run};
use crate::store::{Change, Filter, Store};
use crate::text::grouped;
use crate::upkeep;
use crate::vainu::Client;

/// Changes of a dry run that are shown to people.
const SHOWN: u64 = 20;

#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// The queries to run [default: all]
    #[arg(value_name = "QUERY")]
    queries: Vec<String>,
    /// List everything, where an incremental run would do, and look at each row anew
    #[arg(long)]
    full: bool,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Let through what holds the named queries
    #[arg(long, requires = "queries")]
    accept: bool,
    /// Print one JSON object per query
    #[arg(long)]
    json: bool,
    /// Where another run is under way, wait for so long until it has ended, as in 30s or 10m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "0s")]
    wait: Duration,
}

/// Runs the queries one after another and prints a line for each.
///
/// # Errors
/// What kept all of them from running.
pub async fn execute(args: &Args, flags: &Flags, around: &mut Surroundings<'_>) -> Result<Exit, Failure> {
    let settings = to_run(configured(flags, &around.environment, Bars::Shown)?)?;
    let queries = named(&settings, &args.queries)?;
    let client = client(&settings, &around.refreshes)?;
    let path = &settings.store.path;
    let opening = async {
        if args.dry_run {
            Opened::for_rehearsal(path, args.wait).await
        } else {
            Opened::real(path, args.wait).await
        }
    };
    let Some(opened) = around.stop.run_until_cancelled(opening).await else { return Ok(Exit::NotDone) };
    let pings = Pings::default();
    let job = Job { args, settings: &settings, client: &client, pings: &pings, stop: &around.stop };
    let done = job.run_all(&queries, opened?, around.output).await;
    pings.settle(&around.stop).await;
    done
}

/// What was asked for, and what it is done with.
struct Job<'a> {
    args: &'a Args,
    settings: &'a Settings,
    client: &'a Client,
    pings: &'a Pings,
    stop: &'a CancellationToken,
}

impl Job<'_> {
    async fn run_all(
        &self,
        queries: &[&Query],
        opened: Opened,
        output: &mut Output,
    ) -> Result<Exit, Failure> {
        let Self { args, settings, stop, .. } = self;
        let Opened { mut store, leftovers, lock } = opened;
        if args.queries.is_empty() {
            store.retire(&settings.query_names()).await?;
        }
        if !args.dry_run {
            feed::retire(settings, &mut store, Timestamp::now()).await?;
        }
        let mut lines = Lines { output, json: args.json, closed: None };
        let (mut exit, mut ran) = (Exit::Done, Vec::new());
        let remembered = store.queries().await?;
        for query in queries {
            let wait = agenda::wait(query, settings, &remembered).filter(|_| args.queries.is_empty());
            let wait = wait.map(|wait| format!("not run: {wait}"));
            if let Some(reason) = reason_to_end(stop, exit).or(wait.as_deref()) {
                lines.not_run(&query.name, reason);
                exit = exit.or(Exit::NotDone);
                continue;
            }
            let since = store.last_change().await?;
            let report = self.run_one(query, &mut store).await;
            exit = exit.or(Exit::of_run(&report));
            if !matches!(report.cause, Some(RunError::Store(_))) {
                ran.push(query.name.as_str());
            }
            lines.report(&report);
            if args.dry_run {
                lines.changes(since, &mut store).await?;
            }
        }
        if !args.dry_run {
            exit = exit.or(self.feed(&ran, &mut store, &mut lines).await);
        }
        if !args.dry_run && exit != Exit::Later {
            upkeep::tidy(&mut store, &settings.store, Timestamp::now(), stop).await;
        }
        if store.damage().is_some() {
            exit = exit.or(Exit::Configuration);
        }
        store.close().await?;
        drop(leftovers);
        // A run that is due need not wait for whoever takes the files in.
        drop(lock);
        if !args.dry_run {
            exit = exit.or(self.hand_over(&ran, &mut lines).await?);
        }
        match lines.closed {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(exit),
        }
    }

    /// Writes the feeds of the queries that ran.
    async fn feed(&self, ran: &[&str], store: &mut Store, lines: &mut Lines<'_>) -> Exit {
        let Self { settings, stop, .. } = self;
        let tools = feed::Tools { settings, store, stop, clock: &Timestamp::now, batch: feed::BATCH };
        let mut exit = Exit::Done;
        for report in feed::follow(ran, tools).await {
            exit = exit.or(Exit::of_feed(&report));
            lines.feed(&report);
        }
        exit
    }

    /// Hands over what the feeds of the queries that ran have written.
    async fn hand_over(&self, ran: &[&str], lines: &mut Lines<'_>) -> Result<Exit, Failure> {
        let feeds: Vec<&Feed> = feed::of_queries(self.settings, ran).collect();
        let mut exit = Exit::Done;
        for report in handover::hand_over(self.settings, &feeds, false, self.stop).await? {
            exit = exit.or(Exit::of_handover(&report));
            lines.handover(&report);
        }
        Ok(exit)
    }

    async fn run_one(&self, query: &Query, store: &mut Store) -> Report {
        let Self { args, settings, client, pings, stop } = self;
        let tools = Tools {
            settings,
            client,
            store,
            stop,
            progress: &progress::OnTerminal::of(&query.name),
            clock: &Timestamp::now,
            batch_rows: BATCH_ROWS,
        };
        let order = Order { planned_at: None, accept: args.accept, full: args.full, dry_run: args.dry_run };
        if args.dry_run {
            return run(query, order, tools).await;
        }
        pings.started(query, &settings.api);
        let report = run(query, order, tools).await;
        pings.ended(query, &settings.api, &report);
        report
    }
}

/// Why no further query is run.
fn reason_to_end(stop: &CancellationToken, exit: Exit) -> Option<&'static str> {
    match exit {
        _ if stop.is_cancelled() => Some("not run: stopped by a signal"),
        Exit::Credentials => Some("not run: the credentials are refused"),
        _ => None,
    }
}

/// The lines on stdout. A reader that goes away must not keep the other queries from running.
struct Lines<'a> {
    output: &'a mut Output,
    json: bool,
    closed: Option<io::Error>,
}

impl Lines<'_> {
    /// What was logged after entry `since`: the first entries for people, all of them for programs.
    async fn changes(&mut self, since: i64, store: &mut Store) -> Result<(), Failure> {
        if self.closed.is_some() {
            return Ok(());
        }
        let filter = Filter { since, ..Filter::default() };
        let (limit, line): (_, fn(&Change) -> String) =
            if self.json { (u64::MAX, changes::as_json) } else { (SHOWN, changes::as_text) };
        match changes::print(store, filter, limit, line, self.output).await {
            Err(Failure::Io(error)) => self.closed = Some(error),
            printed => printed?,
        }
        if self.json {
            return Ok(());
        }
        let more = (store.last_change().await? - since).unsigned_abs().saturating_sub(SHOWN);
        if more > 0 {
            self.line(&format!("… and {} more; --json shows all", grouped(more)));
        }
        Ok(())
    }

    fn report(&mut self, report: &Report) {
        self.line(&if self.json { summary::json(report).to_string() } else { summary::line(report) });
    }

    fn feed(&mut self, report: &feed::Report) {
        self.line(&if self.json { feed_json(report).to_string() } else { feed_line(report) });
    }

    fn handover(&mut self, report: &crate::handover::Report) {
        if self.json {
            self.line(&handover::json(report).to_string());
        } else if let Some(line) = handover::line(report) {
            self.line(&line);
        }
    }

    fn not_run(&mut self, query: &str, reason: &str) {
        let json = serde_json::json!({ "query": query, "status": null, "error": reason });
        self.line(&if self.json { json.to_string() } else { format!("{query}: {reason}") });
    }

    fn line(&mut self, line: &str) {
        if self.closed.is_none() {
            self.closed = writeln!(self.output, "{line}").err();
        }
    }
}

/// The queries of these names, in the order of the file; all where none is named.
fn named<'a>(settings: &'a Settings, names: &[String]) -> Result<Vec<&'a Query>, Failure> {
    let known = |name: &&String| settings.queries.iter().any(|query| query.name == **name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let all: Vec<&str> = settings.queries.iter().map(|query| query.name.as_str()).collect();
        return Err(Failure::Usage(format!(
            "there is no query \"{unknown}\" in the configuration; there are: {}",
            all.join(", ")
        )));
    }
    Ok(settings.queries.iter().filter(|query| names.is_empty() || names.contains(&query.name)).collect())
}
