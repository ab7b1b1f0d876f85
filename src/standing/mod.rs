//! How things stand: one view of the configured queries and of what the store remembers of them. `status`, the
//! status page and the metrics show this one, so that none calls late what another does not.

mod tally;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

pub use tally::{Tally, Totals};

use crate::agenda::{RUNS_THAT_MATTER, due, wait};
use crate::config::Settings;
use crate::config::settings::Query;
use crate::run::{definition, letting_through};
use crate::schedule::is_late;
use crate::store::{Lock, Remembered, Run, Status, Store, StoreError, time};
use crate::text::local;

/// Runs of each query that are looked at; enough for planning, and for a drawing of them.
pub const RUNS: u32 = 60;
const _: () = assert!(RUNS >= RUNS_THAT_MATTER);

/// How all queries stand at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Overview {
    /// The store's file.
    pub store: String,
    /// Whether there is a store yet.
    pub exists: bool,
    /// Whether any query is late.
    pub late: bool,
    /// In the order of the configuration; those that it no longer has come last.
    pub queries: Vec<Standing>,
    #[serde(skip)]
    pub at: Timestamp,
}

/// How one query stands.
#[derive(Debug, Clone, Serialize)]
pub struct Standing {
    pub query: String,
    /// Whether the configuration still has it.
    pub configured: bool,
    pub late: bool,
    /// Why it is not run unless a person asks for it.
    pub waits: Option<String>,
    /// The command that lets through what holds it.
    pub held: Option<String>,
    pub members: u64,
    #[serde(serialize_with = "as_text")]
    pub last_success_at: Option<Timestamp>,
    /// Seconds since then.
    pub age: Option<i64>,
    #[serde(serialize_with = "as_text")]
    pub next_run_at: Option<Timestamp>,
    pub last_run: Option<Run>,
    /// Since when the query should have been run.
    #[serde(skip)]
    pub first_seen: Option<Timestamp>,
    /// The next run in the query's own zone.
    #[serde(skip)]
    pub next_run: Option<String>,
    /// The last runs, newest first.
    #[serde(skip)]
    pub runs: Vec<Run>,
}

/// What is looked at beside the store.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub settings: &'a Settings,
    /// Late is who has no success within this time; `None`: by the schedule.
    pub max_age: Option<Duration>,
    pub now: Timestamp,
}

impl View<'_> {
    /// How all queries stand; `None`: there is no store yet.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn overview(&self, store: Option<&mut Store>) -> Result<Overview, StoreError> {
        let exists = store.is_some();
        let queries = if let Some(store) = store {
            self.standings(store).await?
        } else {
            let since = Lock::first_taken(&self.settings.store.path);
            self.settings.queries.iter().map(|query| self.unseen(query, None, since)).collect()
        };
        let late = queries.iter().any(|standing| standing.late);
        let store = self.settings.store.path.display().to_string();
        Ok(Overview { store, exists, late, queries, at: self.now })
    }

    async fn standings(&self, store: &mut Store) -> Result<Vec<Standing>, StoreError> {
        let mut remembered = store.queries().await?;
        remembered.retain(|known| !known.is_pruned());
        let made_at = store.made_at().await?.as_deref().and_then(time::from_text);
        let mut standings = Vec::new();
        for query in &self.settings.queries {
            let waits = wait(query, self.settings, &remembered).map(|wait| wait.to_string());
            let at = remembered.iter().position(|known| known.name == query.name);
            standings.push(match at.map(|at| remembered.remove(at)) {
                Some(known) => self.configured(store, query, &known).await?,
                None => self.unseen(query, waits, made_at),
            });
        }
        for known in remembered {
            standings.push(self.removed(store, &known).await?);
        }
        Ok(standings)
    }

    async fn configured(
        &self,
        store: &mut Store,
        query: &Query,
        known: &Remembered,
    ) -> Result<Standing, StoreError> {
        let now = self.now;
        let standing = self.remembered(store, known).await?;
        let first_seen = time::from_text(&known.first_seen_at);
        let next = next_run_at(query, &standing.runs, now);
        Ok(Standing {
            first_seen,
            late: self.is_late(query, first_seen, standing.last_success_at),
            held: self.held(query, known, &standing.runs),
            next_run_at: next,
            next_run: next.map(|next| self.in_words(next, query)),
            ..standing
        })
    }

    /// A query that the store does not know. It is seen since the configuration has named it in its present words
    /// and the program has been at work on the store (`since`).
    fn unseen(&self, query: &Query, waits: Option<String>, since: Option<Timestamp>) -> Standing {
        let first_seen = self.settings.unchanged_since.zip(since).map(|(one, other)| one.max(other));
        let next = waits.is_none().then(|| next_run_at(query, &[], self.now)).flatten();
        Standing {
            first_seen,
            late: self.is_late(query, first_seen, None),
            waits,
            next_run_at: next,
            next_run: next.map(|next| self.in_words(next, query)),
            ..self.nothing_of(&query.name)
        }
    }

    fn is_late(&self, query: &Query, first_seen: Option<Timestamp>, succeeded_at: Option<Timestamp>) -> bool {
        match (self.max_age, first_seen) {
            (Some(max_age), _) => succeeded_at.is_none_or(|at| is_older(at, max_age, self.now)),
            (None, Some(seen)) => is_late(&query.schedule, &query.timezone, seen, succeeded_at, self.now),
            (None, None) => false,
        }
    }

    /// Says anew of what was seen before, who is late by now.
    pub fn judge_again(&self, overview: &mut Overview) {
        for standing in overview.queries.iter_mut().filter(|standing| standing.configured) {
            let query = self.settings.queries.iter().find(|query| query.name == standing.query);
            let (first_seen, succeeded_at) = (standing.first_seen, standing.last_success_at);
            standing.late = query.is_some_and(|query| self.is_late(query, first_seen, succeeded_at));
            standing.age = succeeded_at.map(|at| self.now.duration_since(at).as_secs());
        }
        overview.late = overview.queries.iter().any(|standing| standing.late);
        overview.at = self.now;
    }

    fn in_words(&self, next: Timestamp, query: &Query) -> String {
        if next <= self.now {
            return "due now".to_owned();
        }
        local(next, &query.timezone, &query.timezone_name)
    }

    /// A query that the file no longer has: it holds its members and is never late.
    async fn removed(&self, store: &mut Store, known: &Remembered) -> Result<Standing, StoreError> {
        let standing = self.remembered(store, known).await?;
        Ok(Standing { configured: false, late: false, ..standing })
    }

    /// What the store tells by itself.
    async fn remembered(&self, store: &mut Store, known: &Remembered) -> Result<Standing, StoreError> {
        let runs = self.latest_runs(store, &known.name).await?;
        let success = store.last_success(known, &time::to_text(self.now)).await?;
        let succeeded_at = success.and_then(|run| time::from_text(&run.started_at));
        Ok(Standing {
            members: store.number_of_members(known.id).await?,
            last_success_at: succeeded_at,
            age: succeeded_at.map(|at| self.now.duration_since(at).as_secs()),
            last_run: runs.first().cloned(),
            runs,
            ..self.nothing_of(&known.name)
        })
    }

    /// The last runs of a query. One whose process has died is shown so, though nobody has marked it yet.
    async fn latest_runs(&self, store: &mut Store, query: &str) -> Result<Vec<Run>, StoreError> {
        let runs = store.latest_runs(query, RUNS).await?;
        let running: Vec<i64> = runs.iter().filter(|run| run.is(Status::Running)).map(|run| run.id).collect();
        if running.is_empty() || Lock::is_held(&self.settings.store.path) {
            return Ok(runs);
        }
        // Read again: it may have ended before the lock was looked at. A run has the lock as long as it runs.
        let mut runs = store.latest_runs(query, RUNS).await?;
        let dead = |run: &&mut Run| run.is(Status::Running) && running.contains(&run.id);
        runs.iter_mut().filter(dead).for_each(Run::show_dead);
        Ok(runs)
    }

    /// The command that lets a query through whose last run was held, unless it was edited or accepted since.
    fn held(&self, query: &Query, known: &Remembered, runs: &[Run]) -> Option<String> {
        let last = runs.iter().find(|run| !run.is(Status::Running))?;
        let held = known.held.as_ref()?;
        let waits = last.is(Status::Held) && !held.accepted;
        (waits && held.definition == definition(query, &self.settings.api))
            .then(|| letting_through(&query.name, self.settings))
    }

    fn nothing_of(&self, query: &str) -> Standing {
        Standing {
            query: query.to_owned(),
            configured: true,
            late: self.max_age.is_some(),
            waits: None,
            held: None,
            members: 0,
            last_success_at: None,
            age: None,
            next_run_at: None,
            last_run: None,
            first_seen: None,
            next_run: None,
            runs: Vec::new(),
        }
    }
}

impl Standing {
    /// How many runs in a row, up to the last one that has ended, did not succeed; of the last [`RUNS`].
    #[must_use]
    pub fn failures_in_a_row(&self) -> usize {
        let ended = self.runs.iter().filter(|run| !run.is(Status::Running));
        ended.take_while(|run| !run.is(Status::Succeeded)).count()
    }
}

/// When a query runs next, or is to run by now. One that is under way is not tried again before it has ended.
fn next_run_at(query: &Query, runs: &[Run], now: Timestamp) -> Option<Timestamp> {
    let mut runs = runs.to_vec();
    for run in runs.iter_mut().filter(|run| run.is(Status::Running)) {
        Status::Succeeded.as_str().clone_into(&mut run.status);
    }
    due(query, &runs, now, now).map(|due| due.planned_at)
}

fn is_older(at: Timestamp, max_age: Duration, now: Timestamp) -> bool {
    u64::try_from(now.duration_since(at).as_secs()).is_ok_and(|age| age > max_age.as_secs())
}

#[allow(clippy::ref_option, reason = "serde gives a reference to the field")]
fn as_text<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(time::to_text).serialize(serializer)
}
