//! The daemon: a heartbeat that looks who is due, and one run after another.
//!
//! [`Daemon::beat`] is the step, with an outcome; [`Daemon::live`] only paces it. One run at a time means
//! that no query overlaps itself, and that queries of one database never run side by side.

mod heartbeat;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;
use tokio_cron_scheduler::JobSchedulerError;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::heartbeat::Heartbeat;
use crate::agenda;
use crate::config::Settings;
use crate::config::settings::Query;
use crate::run::{BATCH_ROWS, Order, Report, RunError, Tools, run};
use crate::schedule::Due;
use crate::store::{Lock, Store, StoreError, time};
use crate::vainu::{self, Client, Kind, Meter};

/// How long is waited after the store could not be used.
const STORE_RETRY: Duration = Duration::from_secs(30);

/// How often the whole agenda is looked up anew.
const REPLAN: Duration = Duration::from_mins(1);

/// How long the start waits for the API to say whether the credentials are good.
const START_PATIENCE: Duration = Duration::from_secs(10);

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
    settings: &'a Settings,
    client: &'a Client,
    clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    stop: CancellationToken,
    holder: String,
    since: Timestamp,
    /// What the clock said last.
    seen: Timestamp,
    /// The store could not be used: it is left alone until then.
    rest_until: Timestamp,
    /// When the whole agenda is looked up anew.
    replan_at: Timestamp,
    /// When each query starts next; one that is missing is to be looked up.
    agenda: BTreeMap<String, Option<Due>>,
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
        settings: &'a Settings,
        client: &'a Client,
        clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
        stop: CancellationToken,
        holder: String,
    ) -> Self {
        let now = clock();
        let agenda = BTreeMap::new();
        Self {
            settings,
            client,
            clock,
            stop,
            holder,
            since: now,
            seen: now,
            rest_until: now,
            replan_at: now,
            agenda,
        }
    }

    /// Lives until it is told to stop.
    ///
    /// # Errors
    /// At the start only: credentials that are refused, a store that can't be used, another daemon on it.
    pub async fn live(mut self) -> Result<(), DaemonError> {
        Store::inspect(&self.settings.store.path).await?;
        let _lock = Lock::take_for_daemon(&self.settings.store.path, &self.holder)?;
        let stop = self.stop.clone();
        stop.run_until_cancelled(self.open_once()).await.transpose()?;
        self.check_credentials().await?;
        info!(queries = self.settings.queries.len(), "daemon started");
        let mut heart = Heartbeat::start().await?;
        while stop.run_until_cancelled(heart.next()).await.is_some() {
            self.beat().await;
        }
        heart.stop().await?;
        info!("daemon stopped");
        Ok(())
    }

    /// Runs the query that is due for longest, if one is.
    pub async fn beat(&mut self) -> Beat {
        let now = (self.clock)();
        self.heed_clock(now);
        if now < self.rest_until {
            return Beat::Idle;
        }
        if let Err(error) = self.look_up(now).await {
            warn!(%error, "the store can't be used: trying again");
            self.rest_until = now.checked_add(STORE_RETRY).unwrap_or(now);
            return Beat::NoStore(error);
        }
        let Some(query) = self.most_overdue(now) else { return Beat::Idle };
        match self.run(query, now).await {
            Ok(report) => {
                self.agenda.remove(&query.name);
                if matches!(&report, Some(report) if matches!(report.cause, Some(RunError::Store(_)))) {
                    self.rest_until = now.checked_add(STORE_RETRY).unwrap_or(now);
                }
                report.map_or(Beat::Idle, |report| Beat::Ran(Box::new(report)))
            }
            Err(error) => {
                warn!(query = %query.name, %error, "the run could not start: trying again");
                self.rest_until = now.checked_add(STORE_RETRY).unwrap_or(now);
                Beat::NoStore(error)
            }
        }
    }

    /// A clock that was set back makes all plans anew: the old ones may lie years ahead.
    fn heed_clock(&mut self, now: Timestamp) {
        if now < self.seen {
            self.agenda.clear();
            self.since = self.since.min(now);
            self.rest_until = now;
            self.replan_at = now;
        }
        self.seen = now;
    }

    /// Fills the agenda where it lacks a query: at the start and after each run. Now and then all of it,
    /// for other processes run queries too.
    async fn look_up(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let all = now >= self.replan_at;
        let wanted = |query: &&Query| all || !self.agenda.contains_key(&query.name);
        let wanted: Vec<&Query> = self.settings.queries.iter().filter(wanted).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let path = &self.settings.store.path;
        let mut store = match Store::open_to_read(path).await {
            Err(StoreError::Absent(_) | StoreError::Older(_)) => {
                self.open_once().await?;
                Store::open_to_read(path).await?
            }
            opened => opened?,
        };
        for query in wanted {
            let due = agenda::next_start(&mut store, query, self.since, now).await?;
            let before = self.agenda.insert(query.name.clone(), due).flatten();
            if let Some(due) = due.filter(|due| due.planned_at > now && Some(*due) != before) {
                info!(query = %query.name, next_run_at = %time::to_text(due.planned_at), "next run");
            }
        }
        self.replan_at = now.checked_add(REPLAN).unwrap_or(now);
        store.close().await
    }

    fn most_overdue(&self, now: Timestamp) -> Option<&'a Query> {
        let due = |query: &'a Query| Some((query, (*self.agenda.get(&query.name)?)?));
        let due = self.settings.queries.iter().filter_map(due).filter(|(_, due)| due.planned_at <= now);
        due.min_by_key(|(_, due)| due.planned_at).map(|(query, _)| query)
    }

    /// Runs a query, unless another process has done so since it was planned.
    async fn run(&self, query: &Query, now: Timestamp) -> Result<Option<Report>, StoreError> {
        let path = &self.settings.store.path;
        let lock = Lock::take(path, &self.holder)?;
        let opened = self.stop.run_until_cancelled(self.open(path, &lock)).await;
        let Some(mut store) = opened.transpose()? else { return Ok(None) };
        let due = agenda::next_start(&mut store, query, self.since, now).await?;
        let Some(due) = due.filter(|due| due.planned_at <= now) else {
            store.close().await?;
            return Ok(None);
        };
        let tools = Tools {
            api: &self.settings.api,
            client: self.client,
            store: &mut store,
            stop: &self.stop,
            progress: &(),
            clock: self.clock,
            batch_rows: BATCH_ROWS,
        };
        let order = Order { planned_at: Some(due.planned_at), accept: false };
        let report = run(query, order, tools).await;
        store.close().await?;
        match report.cause {
            Some(RunError::Store(error)) if error.is_temporary() => Err(error),
            _ => Ok(Some(report)),
        }
    }

    async fn open(&self, path: &Path, lock: &Lock) -> Result<Store, StoreError> {
        let mut store = Store::open(path, lock).await?;
        store.mark_interrupted(&time::to_text((self.clock)())).await?;
        Ok(store)
    }

    /// Makes or migrates the store, so that a file that can't be used ends the start.
    async fn open_once(&self) -> Result<(), StoreError> {
        let path = &self.settings.store.path;
        match Lock::take(path, &self.holder) {
            Ok(lock) => self.open(path, &lock).await?.close().await,
            // Another process works on the store, so it can be used.
            Err(StoreError::InUse { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Refused credentials end the start; an API that is down does not, nor does it hold the start up.
    async fn check_credentials(&self) -> Result<(), vainu::Error> {
        let meter = Meter::new();
        let check = timeout(START_PATIENCE, self.client.authenticate(&meter));
        match self.stop.run_until_cancelled(check).await {
            Some(Ok(Err(error))) if matches!(error.kind(), Kind::Credentials | Kind::Setup) => Err(error),
            Some(Ok(Err(_)) | Err(_)) => {
                error!("the API gives no access token: runs will fail until it does");
                Ok(())
            }
            Some(Ok(Ok(()))) | None => Ok(()),
        }
    }
}
