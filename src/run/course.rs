//! The course of one run.

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::batch::{Seen, Standing};
use super::departures::{Inquiry, Verdict};
use super::guard::Guard;
use super::held::Holding;
use super::paths::Unknown;
use super::storing::Storing;
use super::window::{Window, Wish};
use super::{Order, RunError, Tools, definition, paths};
use crate::config::settings::{Api, Query};
use crate::listing::{self, Incomplete, Listed, Plan};
use crate::merge::{owned_keys, quiet_keys};
use crate::store::{Begin, Departures, Ending, Held, Numbers, Proved, Status, time};
use crate::vainu::{Client, Meter, Selection};

/// Pages that may wait for the store.
const PAGES_AHEAD: usize = 2;

/// How a run ended, as far as its course can tell.
#[derive(Debug)]
pub struct Outcome {
    pub status: Status,
    pub numbers: Numbers,
    pub error: Option<String>,
    pub cause: Option<RunError>,
}

impl Outcome {
    pub fn failed(cause: RunError, numbers: Numbers) -> Self {
        let status = match cause {
            RunError::Stopped => Status::Interrupted,
            RunError::Api(_) | RunError::Store(_) => Status::Failed,
        };
        Self { status, numbers, error: Some(cause.to_string()), cause: Some(cause) }
    }
}

/// What the course came to.
enum Conclusion {
    /// The listing is complete and its departures are decided.
    Succeeded {
        departures: Departures,
        listed: Listed,
    },
    /// The changes up to the end of the window are known.
    CaughtUp(Window),
    Incomplete(Incomplete),
    /// What holds the query, in words, and remembered for whoever accepts it.
    Held((String, Held)),
}

/// A run under way.
pub struct Course<'a> {
    holding: Holding<'a>,
    api: &'a Api,
    client: &'a Client,
    stop: &'a CancellationToken,
    selection: Selection,
    started_at: String,
    full: bool,
    guard: Guard,
    storing: Storing<'a>,
}

impl<'a> Course<'a> {
    /// Begins the run in the store.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn begin(
        query: &'a Query,
        order: Order,
        tools: Tools<'a>,
        meter: &'a Meter,
    ) -> Result<Self, RunError> {
        let Tools { api, client, store, stop, progress, clock, batch_rows } = tools;
        let definition = definition(query, api);
        let own = owned_keys(&query.fields);
        let started_at = time::to_text(clock());
        let begin = Begin {
            query: &query.name,
            database: query.database,
            fields: &query.fields,
            owned: &own,
            definition: &definition,
            planned_at: order.planned_at.map(time::to_text),
            now: &started_at,
        };
        let (run, remembered) = store.begin(&begin).await?;
        let mut holding = Holding { query, definition, remembered };
        if order.accept {
            holding.accept(store).await?;
        }
        let members = store.count_members(holding.remembered.id).await?;
        let keys = store.owned_keys().await?;
        let quiet = quiet_keys(&query.quiet);
        Ok(Self {
            guard: holding.guard(members),
            selection: Selection::new(query.database, query.ask.clone(), query.fields.clone())
                .aggregated(query.aggregations.clone()),
            storing: Storing {
                store,
                run,
                query: holding.remembered.id,
                standing: Standing { database: query.database, own, quiet, keys },
                seen: Seen::default(),
                numbers: Numbers::default(),
                batch_rows,
                meter,
                progress,
                clock,
            },
            holding,
            api,
            client,
            stop,
            started_at,
            full: order.full,
        })
    }

    /// Goes the whole way and writes down how it ended.
    pub async fn finish(&mut self) -> Outcome {
        let ended = match self.conclude().await {
            Ok(conclusion) => self.end(conclusion).await,
            Err(cause) => Err(cause),
        };
        match ended {
            Ok(outcome) => outcome,
            Err(cause) => self.fail(cause).await,
        }
    }

    async fn conclude(&mut self) -> Result<Conclusion, RunError> {
        let (expected, server) = self.count().await?;
        if let Some(count) = expected.filter(|count| self.guard.holds_count(*count)) {
            return Ok(Conclusion::Held(self.holding.by_count(count, self.guard.members)));
        }
        let unknown = self.unknown_paths().await?;
        if !unknown.is_empty() {
            return Ok(Conclusion::Held(self.holding.by_paths(&unknown)));
        }
        let Holding { query, definition, remembered } = &self.holding;
        let now = (self.storing.clock)();
        let wish = Wish { full_every: query.full_every, full: self.full, server, now };
        match wish.window(remembered, definition) {
            Some(window) => self.catch_up(window, expected).await,
            None => self.list_all(expected).await,
        }
    }

    async fn list_all(&mut self, expected: Option<u64>) -> Result<Conclusion, RunError> {
        let plan = self.plan(expected, self.holding.last_rows());
        let listed = self.list(plan, self.selection.clone()).await?;
        if let Err(incomplete) = listing::complete(&listed, expected, self.holding.accepted_shortfall()) {
            return Ok(Conclusion::Incomplete(incomplete));
        }
        self.depart(listed, expected).await
    }

    /// Lists what changed. Nobody leaves: who no longer matches can't be told so.
    async fn catch_up(&mut self, window: Window, total: Option<u64>) -> Result<Conclusion, RunError> {
        let Some(changed) = self.selection.changed(window.start, window.end) else {
            return self.list_all(total).await;
        };
        let (start, end) = (time::to_text(window.start), time::to_text(window.end));
        self.storing.store.set_window(self.storing.run, &start, &end).await?;
        let plan = self.plan(None, total.or(self.holding.last_rows()));
        let listed = self.list(plan, changed).await?;
        Ok(match listing::complete(&listed, None, 0) {
            Ok(()) => Conclusion::CaughtUp(window),
            Err(incomplete) => Conclusion::Incomplete(incomplete),
        })
    }

    /// How many match, and the server's time at its first answer.
    async fn count(&mut self) -> Result<(Option<u64>, Option<Timestamp>), RunError> {
        let patience = self.api.count_timeout;
        let count = listing::fresh_count(self.client, &self.selection, patience, self.storing.meter);
        let counted = self.stop.run_until_cancelled(count).await.ok_or(RunError::Stopped)??;
        let count = counted.number.inspect_err(|reason| {
            warn!(%reason, "no count: this run is not guarded against a filter that stopped working");
        });
        let count = count.ok();
        self.storing.numbers.expected = count;
        self.storing.progress.expected(count);
        Ok((count, counted.date))
    }

    fn plan(&self, expected: Option<u64>, last_rows: Option<u64>) -> Plan {
        Plan { page_size: self.api.page_size, expected, last_rows, concurrency: self.api.concurrency }
    }

    async fn unknown_paths(&mut self) -> Result<Vec<Unknown>, RunError> {
        let asking = paths::unknown(&self.holding, self.client, self.storing.meter);
        self.stop.run_until_cancelled(asking).await.ok_or(RunError::Stopped)
    }

    /// Lists and stores side by side. A stop ends the listing; what came is stored.
    async fn list(&mut self, plan: Plan, selection: Selection) -> Result<Listed, RunError> {
        let (mut sink, pages) = mpsc::channel(PAGES_AHEAD);
        let meter = self.storing.meter;
        let halt = self.stop.child_token();
        let client = self.client;
        let fetch = async {
            let reading = listing::read(client, &selection, plan, &mut sink, meter);
            let listed = halt.run_until_cancelled(reading).await;
            drop(sink);
            listed
        };
        let store = async {
            let stored = self.storing.all(pages).await;
            stored.inspect_err(|_| halt.cancel())
        };
        let (listed, stored) = tokio::join!(fetch, store);
        stored?;
        Ok(listed.ok_or(RunError::Stopped)??)
    }

    async fn depart(&mut self, listed: Listed, expected: Option<u64>) -> Result<Conclusion, RunError> {
        let inquiry = Inquiry {
            client: self.client,
            api: self.api,
            stop: self.stop,
            selection: &self.selection,
            listed: &listed,
            expected,
            guard: self.guard,
        };
        Ok(match inquiry.decide(&mut self.storing).await? {
            Verdict::Leave(departures) => Conclusion::Succeeded { departures, listed },
            Verdict::Held(departures) => {
                Conclusion::Held(self.holding.by_departures(departures, self.guard.members))
            }
        })
    }

    /// The last commit: departures, what was proved, and the status.
    async fn end(&mut self, conclusion: Conclusion) -> Result<Outcome, RunError> {
        let mut numbers = self.storing.numbers();
        let (status, error, departures, proved, held) = match conclusion {
            Conclusion::Succeeded { departures, listed } => {
                numbers.left = departures.left.len() as u64;
                (Status::Succeeded, None, departures, Some(self.proved(&listed)), None)
            }
            Conclusion::CaughtUp(window) => {
                (Status::Succeeded, None, Departures::default(), Some(self.caught_up(window)), None)
            }
            Conclusion::Held((reason, held)) => {
                (Status::Held, Some(reason), Departures::default(), None, Some(held))
            }
            Conclusion::Incomplete(reason) => {
                let (error, held) = self.holding.by_incompleteness(&reason);
                (Status::Incomplete, Some(error), Departures::default(), None, held)
            }
        };
        let now = self.storing.now();
        let ending = Ending {
            run: self.storing.run,
            query: self.storing.query,
            status,
            numbers: &numbers,
            error: error.as_deref(),
            departures,
            proved,
            held,
            now: &now,
        };
        self.storing.store.end(&ending).await?;
        Ok(Outcome { status, numbers, error, cause: None })
    }

    fn proved(&self, listed: &Listed) -> Proved {
        Proved {
            definition: self.holding.definition.clone(),
            owned: self.storing.standing.own.clone(),
            watermark: listed.first_answer.map(time::to_text),
            full_at: Some(self.started_at.clone()),
            listing_rows: Some(listed.rows),
        }
    }

    /// What the end of a window proves.
    fn caught_up(&self, window: Window) -> Proved {
        Proved {
            definition: self.holding.definition.clone(),
            owned: self.storing.standing.own.clone(),
            watermark: Some(time::to_text(window.end)),
            full_at: None,
            listing_rows: None,
        }
    }

    /// Writes down that the run failed or was stopped; what was committed stays.
    async fn fail(&mut self, cause: RunError) -> Outcome {
        let outcome = Outcome::failed(cause, self.storing.numbers());
        let now = self.storing.now();
        let ending = Ending {
            run: self.storing.run,
            query: self.storing.query,
            status: outcome.status,
            numbers: &outcome.numbers,
            error: outcome.error.as_deref(),
            departures: Departures::default(),
            proved: None,
            held: None,
            now: &now,
        };
        if let Err(error) = self.storing.store.end(&ending).await {
            error!(%error, "the run's end could not be written: it will show as interrupted");
        }
        outcome
    }
}
