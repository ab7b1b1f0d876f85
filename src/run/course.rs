//! The course of one run.

mod ending;
mod fetching;
mod way;

use tokio_util::sync::CancellationToken;

use super::batch::{Seen, Standing};
use super::departures::{Inquiry, Verdict};
use super::fingerprint::Fingerprints;
use super::guard::Guard;
use super::held::Holding;
use super::paths::Unknown;
use super::storing::{Storing, Waiting};
use super::window::{Window, Wish};
use super::{Order, RunError, Tools, definition, paths};
use crate::config::Settings;
use crate::config::settings::{Fetch, Query};
use crate::listing::{self, Incomplete, Listed, Way};
use crate::merge::{owned_keys, quiet_keys};
use crate::store::{Begin, Departures, Held, Numbers, Status, time};
use crate::vainu::{Client, Meter, Selection};

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
    settings: &'a Settings,
    client: &'a Client,
    stop: &'a CancellationToken,
    selection: Selection,
    started_at: String,
    full: bool,
    way: Way,
    /// The listing is an export that an earlier run submitted.
    is_resumed: bool,
    /// Any export that was under way is read, outdated or dead.
    export_over: bool,
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
        let Tools { settings, client, store, stop, progress, clock, batch_rows } = tools;
        let definition = definition(query, &settings.api);
        let own = owned_keys(&query.fields);
        let started_at = time::to_text(clock());
        let way = if query.fetch == Fetch::Export { Way::Export } else { Way::Pages };
        let begin = Begin {
            query: &query.name,
            database: query.database,
            fields: &query.fields,
            owned: &own,
            definition: &definition,
            fetch: way,
            planned_at: order.planned_at.map(time::to_text),
            now: &started_at,
        };
        let (run, remembered) = store.begin(&begin).await?;
        let mut holding = Holding { query, settings, definition, remembered };
        if order.accept {
            holding.accept(store).await?;
        }
        let members = store.number_of_members(holding.remembered.id).await?;
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
                fingerprints: Fingerprints::new(holding.remembered.id, &holding.definition, &keys),
                // A person who asks for all wants each looked at; and without members, none can have come last time.
                passes_over: members > 0 && !order.full,
                waiting: Waiting::default(),
                standing: Standing { database: query.database, own, quiet, keys },
                seen: Seen::default(),
                numbers: Numbers::default(),
                batch_rows,
                meter,
                progress,
                clock,
            },
            holding,
            settings,
            client,
            stop,
            started_at,
            full: order.full,
            way,
            is_resumed: false,
            export_over: false,
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
        let Holding { query, definition, remembered, .. } = &self.holding;
        let now = (self.storing.clock)();
        let wish = Wish { full_every: query.full_every, full: self.full, server, now };
        match wish.window(remembered, definition) {
            Some(window) => self.catch_up(window, expected).await,
            None => self.list_all(expected).await,
        }
    }

    async fn list_all(&mut self, expected: Option<u64>) -> Result<Conclusion, RunError> {
        let listed = self.list_whole(expected).await?;
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
        let (listed, expected) = self.list_changed(changed, total).await?;
        Ok(match listing::complete(&listed, expected, 0) {
            Ok(()) => Conclusion::CaughtUp(window),
            Err(incomplete) => Conclusion::Incomplete(incomplete),
        })
    }

    async fn unknown_paths(&mut self) -> Result<Vec<Unknown>, RunError> {
        let asking = paths::unknown(&self.holding, self.client, self.storing.meter);
        self.stop.run_until_cancelled(asking).await.ok_or(RunError::Stopped)
    }

    async fn depart(&mut self, listed: Listed, expected: Option<u64>) -> Result<Conclusion, RunError> {
        let inquiry = Inquiry {
            client: self.client,
            api: &self.settings.api,
            stop: self.stop,
            selection: &self.selection,
            listed: &listed,
            expected,
            is_outdated: self.is_resumed,
            guard: self.guard,
        };
        Ok(match inquiry.decide(&mut self.storing).await? {
            Verdict::Leave(departures) => Conclusion::Succeeded { departures, listed },
            Verdict::Held(departures) => {
                Conclusion::Held(self.holding.by_departures(departures, self.guard.members))
            }
        })
    }
}
