//! The daemon: a heartbeat that looks who is due, and one run after another.
//!
//! [`Daemon::beat`] is the step, with an outcome; [`Daemon::live`] only paces it. One run at a time means
//! that no query overlaps itself, and that queries of one database never run side by side.

mod feeding;
mod handing;
mod heartbeat;
mod life;
mod opening;
mod rest;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_cron_scheduler::JobSchedulerError;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use crate::observe::vitals::Setup;
pub use life::Reloads;

use handing::Handovers;

use crate::agenda::{self, Basis, Next};
use crate::config::Settings;
use crate::config::settings::Query;
use crate::observe::ping::Pings;
use crate::observe::vitals::Vitals;
use crate::run::{BATCH_ROWS, Order, Report, RunError, Tools, run};
use crate::schedule::{Look, Watch};
use crate::store::{Identity, Lock, Store, StoreError, time};
use crate::upkeep;
use crate::vainu;

/// How often the whole agenda is looked up anew.
const REPLAN: Duration = Duration::from_mins(1);

/// Why a daemon ends by itself: only at its start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error(transparent)]
    Api(#[from] vainu::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the scheduler can't be started: {0}")]
    Scheduler(#[from] JobSchedulerError),
}

/// A daemon at work.
pub struct Daemon<'a> {
    setup: Setup,
    pings: Pings,
    handovers: Handovers,
    vitals: Arc<Vitals>,
    clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    stop: CancellationToken,
    holder: String,
    watch: Watch,
    /// When the configuration was read.
    read_at: Timestamp,
    /// The store could not be used: it is left alone until then.
    rest_until: Timestamp,
    /// Another process has a run under way, which has been said.
    waiting: bool,
    /// What keeps it from its store, as it was said last.
    said: Option<String>,
    /// The file that was opened first.
    store: Option<Identity>,
    /// When the whole agenda is looked up anew.
    replan_at: Timestamp,
    /// When each query starts next; one that is missing is to be looked up.
    agenda: BTreeMap<String, Next>,
}

/// What one beat did.
#[derive(Debug)]
pub enum Beat {
    /// Nobody was due.
    Idle,
    Ran(Box<Report>),
    /// The store could not be used.
    NoStore(StoreError),
}

impl<'a> Daemon<'a> {
    /// A daemon that watches from now on. `holder` is what others read of who holds the store.
    #[must_use]
    pub fn new(
        setup: Setup,
        clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
        stop: CancellationToken,
        holder: String,
    ) -> Self {
        let now = clock();
        Self {
            vitals: Arc::new(Vitals::new(setup.clone(), now)),
            setup,
            pings: Pings::default(),
            handovers: Handovers::default(),
            clock,
            stop,
            holder,
            watch: Watch::new(now),
            read_at: now,
            rest_until: now,
            waiting: false,
            said: None,
            store: None,
            replan_at: now,
            agenda: BTreeMap::new(),
        }
    }

    /// Works by `setup`, which has the same store, from the next beat on. Its client is kept where it would be
    /// asked alike: it knows tokens and pauses that another would have to learn again.
    pub fn take_over(&mut self, setup: Setup) {
        let (old, new) = (&self.setup.settings, &setup.settings);
        if old.log != new.log {
            warn!("a change of [log] takes effect at the next start");
        }
        info!(queries = new.queries.len(), "works by the configuration that was read again");
        let client = if old.asks_like(new) { self.setup.client.clone() } else { setup.client };
        self.setup = Setup { settings: setup.settings, client };
        self.vitals.take_over(self.setup.clone());
        self.read_at = (self.clock)();
        self.agenda.clear();
        self.replan_at = self.watch.seen();
    }

    /// What it shows of itself.
    #[must_use]
    pub fn vitals(&self) -> Arc<Vitals> {
        Arc::clone(&self.vitals)
    }

    /// Runs the query that is due for longest, if one is.
    pub async fn beat(&mut self) -> Beat {
        let now = (self.clock)();
        self.heed_clock(now);
        if now < self.rest_until {
            return Beat::Idle;
        }
        if let Err(error) = self.look_up(now).await {
            return self.rest(error, now);
        }
        self.vitals.set_trouble(None);
        let settings = Arc::clone(&self.setup.settings);
        let Some(query) = self.most_overdue(&settings, now) else {
            self.is_usable();
            return Beat::Idle;
        };
        let ran = self.run(query, now).await;
        self.watch.busy_until((self.clock)());
        match ran {
            Ok(report) => {
                self.waiting = false;
                self.agenda.remove(&query.name);
                match report.as_ref().and_then(|report| report.cause.as_ref()) {
                    Some(RunError::Store(error)) => self.rest_after_run(error, now),
                    _ => self.is_usable(),
                }
                report.map_or(Beat::Idle, |report| Beat::Ran(Box::new(report)))
            }
            Err(error) => self.rest(error, now),
        }
    }

    /// A clock that was set makes all plans anew: the old ones may lie years ahead, or have passed unwatched.
    fn heed_clock(&mut self, now: Timestamp) {
        match self.watch.look(now) {
            Look::On => return,
            Look::SetBack => info!("the clock was set back: all is planned anew"),
            Look::Away => info!("the clock has gone on unwatched: all is planned anew"),
        }
        self.agenda.clear();
        self.read_at = self.read_at.min(now);
        self.rest_until = now;
        self.replan_at = now;
    }

    /// Fills the agenda where it lacks a query: at the start and after each run. Now and then all of it,
    /// for other processes run queries too.
    async fn look_up(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let all = now >= self.replan_at;
        let wanted = |query: &&Query| all || !self.agenda.contains_key(&query.name);
        let settings = Arc::clone(&self.setup.settings);
        let wanted: Vec<&Query> = settings.queries.iter().filter(wanted).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let path = &settings.store.path;
        self.check_store(path)?;
        let mut store = match Store::open_to_read(path).await {
            Err(StoreError::Absent(_) | StoreError::Older(_)) => {
                self.open_once().await?;
                Store::open_to_read(path).await?
            }
            opened => opened?,
        };
        self.store = self.store.or(Identity::of(path).ok());
        for query in wanted {
            let next = agenda::next_start(&mut store, query, self.basis(), now).await?;
            let before = self.agenda.insert(query.name.clone(), next.clone());
            if before.as_ref() != Some(&next) {
                tell(query, &next, now);
            }
        }
        self.replan_at = now.checked_add(REPLAN).unwrap_or(now);
        store.close().await
    }

    fn most_overdue<'q>(&self, settings: &'q Settings, now: Timestamp) -> Option<&'q Query> {
        let start = |query: &Query| self.agenda.get(&query.name)?.due(now);
        let due = settings.queries.iter().filter_map(|query| Some((query, start(query)?)));
        due.min_by_key(|(_, due)| due.planned_at).map(|(query, _)| query)
    }

    /// Runs a query, unless another process has done so since it was planned.
    async fn run(&self, query: &Query, now: Timestamp) -> Result<Option<Report>, StoreError> {
        let Setup { settings, client } = &self.setup;
        self.check_store(&settings.store.path)?;
        let lock = Lock::take(&settings.store.path, &self.holder)?;
        let opened = self.stop.run_until_cancelled(self.open_for(query, &lock, now)).await;
        let Some((mut store, due)) = opened.transpose()? else { return Ok(None) };
        let Some(due) = due else {
            store.close().await?;
            return Ok(None);
        };
        let tools = Tools {
            settings,
            client,
            store: &mut store,
            stop: &self.stop,
            progress: &(),
            clock: self.clock,
            batch_rows: BATCH_ROWS,
        };
        let order = Order { planned_at: Some(due.planned_at), ..Order::default() };
        self.pings.started(query, &settings.api);
        let report = run(query, order, tools).await;
        self.pings.ended(query, &settings.api, &report);
        if !matches!(report.cause, Some(RunError::Store(_))) {
            self.feed(&[&query.name], &mut store).await;
            upkeep::tidy(&mut store, &settings.store, (self.clock)(), &self.stop).await;
        }
        store.close().await?;
        match report.cause {
            Some(RunError::Store(error)) if error.is_temporary() => Err(error),
            _ => Ok(Some(report)),
        }
    }

    fn basis(&self) -> Basis<'_> {
        let (settings, watched_since) = (&self.setup.settings, self.watch.since());
        Basis { settings, read_at: self.read_at, watched_since }
    }
}

fn tell(query: &Query, next: &Next, now: Timestamp) {
    match next {
        Next::Start(due) if due.planned_at > now => {
            info!(query = %query.name, next_run_at = %time::to_text(due.planned_at), "next run");
        }
        Next::Waits(reason) => warn!(query = %query.name, %reason, "the query is not run"),
        Next::Start(_) | Next::Never => {}
    }
}
