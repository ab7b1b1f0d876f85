//! Metrics as Prometheus reads them: one collector that tells what was seen, and no recorder behind the program's
//! back. Labels are names of queries, feeds, endpoints, codes and reasons; never anything of a company.

mod feeds;
mod page;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, prometheus_text};
use prometheus_client::registry::Registry;

pub use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

use self::feeds::Feeds;
use self::page::{Labels, Page};
use super::sight::{Seen, Sight};
use super::vitals::{Reading, Vitals};
use crate::standing::{Standing, Totals};
use crate::store::{Run, Status, time};
use crate::vainu::Counted;

/// The ways in which a run ends: each has its counter from the start.
const ENDS: [Status; 5] =
    [Status::Succeeded, Status::Incomplete, Status::Held, Status::Failed, Status::Interrupted];

/// What was seen, and what the daemon shows of itself, in Prometheus's text format.
#[must_use]
pub fn text(vitals: &Vitals, sight: Arc<Sight>) -> String {
    let mut registry = Registry::with_prefix("vainu_sync");
    registry.register_collector(Box::new(Shown {
        started_at: vitals.started_at,
        reading: vitals.reading(),
        beat_at: beat_at(vitals, sight.at),
        token_end: vitals.token_end(),
        traffic: vitals.setup().client.traffic().snapshot(),
        sight,
    }));
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry).expect("a String takes whatever is written");
    text
}

fn beat_at(vitals: &Vitals, now: Timestamp) -> Timestamp {
    now.checked_sub(vitals.silence()).unwrap_or(now)
}

#[derive(Debug)]
struct Shown {
    started_at: Timestamp,
    reading: Reading,
    beat_at: Timestamp,
    token_end: Option<Timestamp>,
    traffic: Counted,
    sight: Arc<Sight>,
}

impl Collector for Shown {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut page = Page::new(encoder);
        self.process(&mut page)?;
        self.api(&mut page)?;
        self.disk(&mut page)?;
        // While the store can't be read, what was known last: an alert on a series that vanishes never fires.
        let Some(seen) = &self.sight.known else { return Ok(()) };
        Queries(seen).tell(&mut page)?;
        Feeds(&seen.feeds).tell(&mut page)
    }
}

impl Shown {
    fn process(&self, page: &mut Page<'_>) -> fmt::Result {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        page.gauges("build_info", "The version that runs", [(version, 1.0)])?;
        page.gauge("start_timestamp_seconds", "When the daemon started", seconds(self.started_at))?;
        let help = "When the daemon's loop last showed that it lives";
        page.gauge("heartbeat_timestamp_seconds", help, seconds(self.beat_at))?;
        let help = "Whether the configuration was right when it was last read; else the daemon works by the one before";
        page.gauge("config_last_reload_successful", help, flag(self.reading.refused_at.is_none()))?;
        let help = "When the configuration was read that the daemon works by";
        page.gauge("config_last_reload_success_timestamp_seconds", help, seconds(self.reading.right_at))?;
        let help = "Whether the store is there, has the present schema and can be written: what /readyz says";
        page.gauge("ready", help, flag(self.sight.unready.is_none()))?;
        let help = "Whether the store can be read; while it can't, what is told of queries and feeds is what was known last";
        page.gauge("store_readable", help, flag(self.sight.seen.is_ok()))
    }

    fn api(&self, page: &mut Page<'_>) -> fmt::Result {
        let help = "When the refresh token in use ends; absent where nobody can tell";
        let end = self.token_end.map(|end| ([], seconds(end)));
        page.gauges::<0>("token_expiry_timestamp_seconds", help, end)?;
        let requests = self.traffic.requests.iter().map(|((endpoint, status), count)| {
            (endpoint.as_str(), status.map_or_else(|| "none".to_owned(), |status| status.to_string()), *count)
        });
        let requests: Vec<_> = requests.collect();
        let requests = requests
            .iter()
            .map(|(endpoint, code, count)| ([("endpoint", *endpoint), ("code", code.as_str())], *count));
        let help = "Requests to Vainu since the daemon started, by endpoint and status; none: no answer came";
        page.counters("api_requests", help, requests)?;
        let retries =
            self.traffic.retries.iter().map(|(reason, count)| ([("reason", reason.as_str())], *count));
        page.counters(
            "api_retries",
            "Requests that were tried again since the daemon started, by reason",
            retries,
        )
    }

    fn disk(&self, page: &mut Page<'_>) -> fmt::Result {
        let disk = self.sight.disk;
        let sizes = [
            ("store_size_bytes", "Size of the store's file", disk.store),
            ("store_wal_size_bytes", "Size of the store's write-ahead log", disk.wal),
            ("disk_free_bytes", "What may still be written on the store's file system", disk.free),
            ("disk_size_bytes", "Size of the store's file system", disk.size),
        ];
        for (name, help, bytes) in sizes {
            page.gauges::<0>(name, help, bytes.map(|bytes| ([], number(bytes))))?;
        }
        Ok(())
    }
}

/// What is told of each query.
struct Queries<'a>(&'a Seen);

impl Queries<'_> {
    fn tell(&self, page: &mut Page<'_>) -> fmt::Result {
        self.times(page)?;
        self.flags(page)?;
        self.last_run(page)?;
        self.totals(page)
    }

    /// A value for each configured query that has one.
    fn each<'s>(
        &'s self,
        value: impl Fn(&Standing) -> Option<f64> + 's,
    ) -> impl Iterator<Item = (Labels<'s, 1>, f64)> + 's {
        let configured = self.0.overview.queries.iter().filter(|standing| standing.configured);
        configured.filter_map(move |standing| Some(([("query", standing.query.as_str())], value(standing)?)))
    }

    fn times(&self, page: &mut Page<'_>) -> fmt::Result {
        let help = "Start of the last run that succeeded; absent where none has";
        let values = self.each(|standing| standing.last_success_at.map(seconds));
        page.gauges("last_success_timestamp_seconds", help, values)?;
        let help = "Start of the last run, however it ended; absent before the first";
        let values =
            self.each(|standing| standing.last_run.as_ref().and_then(|run| written(&run.started_at)));
        page.gauges("last_attempt_timestamp_seconds", help, values)?;
        let help = "Start of the run that is under way; absent where none is";
        let values = self.each(|standing| {
            written(&standing.last_run.as_ref().filter(|run| run.is(Status::Running))?.started_at)
        });
        page.gauges("run_start_timestamp_seconds", help, values)?;
        let help = "When the next run is planned; absent where none is";
        let values = self.each(|standing| standing.next_run_at.map(seconds));
        page.gauges("next_run_timestamp_seconds", help, values)
    }

    fn flags(&self, page: &mut Page<'_>) -> fmt::Result {
        let help =
            "Whether the query is late: no success since the tick before last; the flag of status and page";
        page.gauges("late", help, self.each(|standing| Some(flag(standing.late))))?;
        let help = "Whether the last run was held and waits for a person";
        page.gauges("held", help, self.each(|standing| Some(flag(standing.held.is_some()))))?;
        let help = "Whether the query is not run before a person says so";
        page.gauges("waiting", help, self.each(|standing| Some(flag(standing.waits.is_some()))))?;
        let help = "Runs in a row that did not succeed, up to the last one that ended";
        let values = self.each(|standing| Some(number(standing.failures_in_a_row() as u64)));
        page.gauges("failures_in_a_row", help, values)?;
        let help = "Organizations that the query holds";
        page.gauges("members", help, self.each(|standing| Some(number(standing.members))))
    }

    fn last_run(&self, page: &mut Page<'_>) -> fmt::Result {
        let help = "How long the last run took that has ended";
        let values = self.each(|standing| {
            let run = last_ended(standing)?;
            Some((written(run.finished_at.as_deref()?)? - written(&run.started_at)?).max(0.0))
        });
        page.gauges("last_run_duration_seconds", help, values)?;
        let help = "Rows that the last run set aside which has ended";
        let values = self.each(|standing| Some(number(last_ended(standing)?.rejected.unsigned_abs())));
        page.gauges("last_run_rejected_rows", help, values)
    }

    fn totals(&self, page: &mut Page<'_>) -> fmt::Result {
        let totals: Vec<(&str, Totals)> = self
            .0
            .overview
            .queries
            .iter()
            .map(|standing| (standing.query.as_str(), self.0.tally.of(&standing.query)))
            .collect();
        let runs = totals.iter().flat_map(|(query, totals)| {
            ENDS.map(|status| {
                let count = totals.runs.get(status.as_str()).copied().unwrap_or_default();
                ([("query", *query), ("status", status.as_str())], count)
            })
        });
        page.counters("runs", "Runs that have ended, by how", runs)?;
        page.histograms("run_duration_seconds", "How long runs took", &totals)?;
        let fetched = totals.iter().map(|(query, totals)| ([("query", *query)], totals.fetched));
        page.counters("rows_fetched", "Rows that runs read", fetched)?;
        let rejected = totals.iter().map(|(query, totals)| ([("query", *query)], totals.rejected));
        page.counters("rows_rejected", "Rows that runs set aside", rejected)?;
        let changes = totals.iter().flat_map(|(query, totals)| {
            let Totals { created, entered, updated, left, .. } = *totals;
            [("created", created), ("entered", entered), ("updated", updated), ("left", left)]
                .map(|(kind, count)| ([("query", *query), ("kind", kind)], count))
        });
        page.counters("changes", "Entries of the change log that runs made, by kind", changes)
    }
}

fn last_ended(standing: &Standing) -> Option<&Run> {
    standing.runs.iter().find(|run| run.finished_at.is_some())
}

fn flag(set: bool) -> f64 {
    f64::from(u8::from(set))
}

/// A time as Prometheus takes it: seconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 need no more than 52 bits")]
fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

fn written(text: &str) -> Option<f64> {
    time::from_text(text).map(seconds)
}

#[expect(clippy::cast_precision_loss, reason = "beyond 52 bits the last digits of a size say nothing")]
fn number(number: u64) -> f64 {
    number as f64
}
