//! How things stand: one view of the configured queries and of what the store remembers of them. `status`, the
//! status page and the metrics show this one, so that none calls late what another does not.

mod counts;
mod tally;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

pub use counts::Counts;
pub use tally::{Tally, Totals};

use crate::agenda::{RUNS_THAT_MATTER, due, wait};
use crate::config::Settings;
use crate::config::settings::Query;
use crate::run::{definition, letting_through};
use crate::schedule::is_late;
use crate::store::{Remembered, Run, Status, Store, StoreError, time};
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
    /// How all queries stand; `None`: there is no store yet. `counts` remembers what was counted before.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn overview(
        &self,
        store: Option<&mut Store>,
        counts: &mut Counts,
    ) -> Result<Overview, StoreError> {
        let exists = store.is_some();
        let queries = match store {
            Some(store) => self.standings(store, counts).await?,
            None => self.settings.queries.iter().map(|query| self.nothing_of(&query.name)).collect(),
        };
        let late = queries.iter().any(|standing| standing.late);
        let store = self.settings.store.path.display().to_string();
        Ok(Overview { store, exists, late, queries, at: self.now })
    }

    async fn standings(&self, store: &mut Store, counts: &mut Counts) -> Result<Vec<Standing>, StoreError> {
        let mut remembered = store.queries().await?;
        remembered.retain(|known| !known.is_pruned());
        let mut standings = Vec::new();
        for query in &self.settings.queries {
            let waits = wait(query, self.settings, &remembered).map(|wait| wait.to_string());
            let at = remembered.iter().position(|known| known.name == query.name);
            standings.push(match at.map(|at| remembered.remove(at)) {
                Some(known) => self.configured(store, query, &known, counts).await?,
                None => Standing { waits, ..self.nothing_of(&query.name) },
            });
        }
        for known in remembered {
            standings.push(self.removed(store, &known, counts).await?);
        }
        Ok(standings)
    }

    async fn configured(
        &self,
        store: &mut Store,
        query: &Query,
        known: &Remembered,
        counts: &mut Counts,
    ) -> Result<Standing, StoreError> {
        let now = self.now;
        let standing = self.remembered(store, known, counts).await?;
        let succeeded_at = standing.last_success_at;
        let first_seen = time::from_text(&known.first_seen_at).unwrap_or(now);
        let late = match self.max_age {
            Some(max_age) => succeeded_at.is_none_or(|at| is_older(at, max_age, now)),
            None => is_late(&query.schedule, &query.timezone, first_seen, succeeded_at, now),
        };
        let next = due(query, &standing.runs, now, now).map(|due| due.planned_at);
        Ok(Standing {
            late,
            held: self.held(query, known, &standing.runs),
            next_run_at: next,
            next_run: next.map(|next| local(next, &query.timezone, &query.timezone_name)),
            ..standing
        })
    }

    /// A query that the file no longer has: it holds its members and is never late.
    async fn removed(
        &self,
        store: &mut Store,
        known: &Remembered,
        counts: &mut Counts,
    ) -> Result<Standing, StoreError> {
        let standing = self.remembered(store, known, counts).await?;
        Ok(Standing { configured: false, late: false, ..standing })
    }

    /// What the store tells by itself.
    async fn remembered(
        &self,
        store: &mut Store,
        known: &Remembered,
        counts: &mut Counts,
    ) -> Result<Standing, StoreError> {
        let runs = store.latest_runs(&known.name, RUNS).await?;
        let success = store.last_success(known, &time::to_text(self.now)).await?;
        let succeeded_at = success.and_then(|run| time::from_text(&run.started_at));
        Ok(Standing {
            members: counts.members(store, known.id).await?,
            last_success_at: succeeded_at,
            age: succeeded_at.map(|at| self.now.duration_since(at).as_secs()),
            last_run: runs.first().cloned(),
            runs,
            ..self.nothing_of(&known.name)
        })
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

fn is_older(at: Timestamp, max_age: Duration, now: Timestamp) -> bool {
    u64::try_from(now.duration_since(at).as_secs()).is_ok_and(|age| age > max_age.as_secs())
}

#[allow(clippy::ref_option, reason = "serde gives a reference to the field")]
fn as_text<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(time::to_text).serialize(serializer)
}
