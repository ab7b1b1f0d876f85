//! What is shown, looked up at most once a second, however many ask at once.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::config::Settings;
use crate::feed;
use crate::observe::disk::Disk;
use crate::standing::{Overview, Tally, View};
use crate::store::{Run, Store, StoreError};

/// For how long what was seen is shown to others too.
const FRESH: Duration = Duration::from_secs(1);

/// Runs without success that are shown.
const TROUBLES: u32 = 10;

/// With less room than this on its disk a store can't be written for long.
const ROOM: u64 = 16 * 1024 * 1024;

/// How things were at one moment.
#[derive(Debug)]
pub struct Sight {
    pub at: Timestamp,
    /// Or why the store can't be read.
    pub seen: Result<Arc<Seen>, String>,
    /// What was seen, or what was seen last, with who is late by now.
    pub known: Option<Arc<Seen>>,
    pub disk: Disk,
    /// Why the store can't be written.
    pub unready: Option<String>,
}

/// What the store tells.
#[derive(Debug, Clone)]
pub struct Seen {
    pub overview: Overview,
    pub tally: Tally,
    pub feeds: Vec<feed::Standing>,
    /// The last runs without success, newest first.
    pub troubles: Vec<Run>,
}

/// Looks, and remembers what it saw.
#[derive(Debug, Default)]
pub struct Watcher {
    tally: Tally,
    known: Option<Arc<Seen>>,
    last: Option<(Instant, Arc<Sight>)>,
}

impl Watcher {
    /// How things stand, as of less than a second ago. `trouble` is what the daemon itself has with its store.
    pub async fn look(&mut self, settings: &Settings, trouble: Option<String>, now: Timestamp) -> Arc<Sight> {
        if let Some((at, sight)) = &self.last
            && at.elapsed() < FRESH
        {
            return Arc::clone(sight);
        }
        let seen = self.see(settings, now).await.map(Arc::new).map_err(|error| error.to_string());
        let known = seen.as_ref().ok().cloned().or_else(|| self.known_by(settings, now));
        self.known.clone_from(&known);
        let disk = disk(settings).await;
        let unready = unready(settings, disk, trouble).await;
        let sight = Arc::new(Sight { at: now, seen, known, disk, unready });
        self.last = Some((Instant::now(), Arc::clone(&sight)));
        sight
    }

    async fn see(&mut self, settings: &Settings, now: Timestamp) -> Result<Seen, StoreError> {
        let mut store = match Store::open_to_read(&settings.store.path).await {
            // A store that is gone tells nothing; that of one that never was is told.
            Err(StoreError::Absent(_)) if !self.has_seen_a_store() => None,
            opened => Some(opened?),
        };
        let view = View { settings, max_age: None, now };
        let overview = view.overview(store.as_mut()).await?;
        let feeds = feed::standings(settings, store.as_mut(), now).await?;
        let mut troubles = Vec::new();
        if let Some(mut store) = store {
            self.tally.catch_up(&mut store).await?;
            troubles = store.latest_troubles(TROUBLES).await?;
            store.close().await?;
        }
        Ok(Seen { overview, tally: self.tally.clone(), feeds, troubles })
    }
}

impl Watcher {
    fn has_seen_a_store(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.overview.exists)
    }

    /// What was seen last; who is late by now is told anew.
    fn known_by(&self, settings: &Settings, now: Timestamp) -> Option<Arc<Seen>> {
        let mut known = self.known.as_deref()?.clone();
        View { settings, max_age: None, now }.judge_again(&mut known.overview);
        Some(Arc::new(known))
    }
}

/// A disk that does not answer keeps a thread, not the runtime.
async fn disk(settings: &Settings) -> Disk {
    let path = settings.store.path.clone();
    tokio::task::spawn_blocking(move || Disk::of(&path)).await.unwrap_or_default()
}

async fn unready(settings: &Settings, disk: Disk, trouble: Option<String>) -> Option<String> {
    if trouble.is_some() {
        return trouble;
    }
    if let Err(error) = Store::probe(&settings.store.path).await {
        return Some(error.to_string());
    }
    let free = disk.free.filter(|free| *free < ROOM)?;
    Some(format!("only {} MB are free on the disk of the store: make room", free / 1_000_000))
}
