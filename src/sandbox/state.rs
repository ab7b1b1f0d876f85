//! What all requests share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::auth::Tokens;
use super::count::Counts;
use super::export::Exports;
use super::faults::Plan;
use super::journal::Journal;
use super::lists::{self, Lists};
use super::select::Matches;
use super::world::{DATABASES, Generated, Snapshot, Timeline};
use super::{Options, Switches, World};

/// The sandbox behind its handlers.
pub struct Shared {
    pub seed: u64,
    /// Ends in `/api`.
    pub base_url: String,
    /// Where downloads are: another origin.
    pub storage_url: String,
    /// Cancelled when the sandbox stops; whatever waits ends with it.
    pub stop: CancellationToken,
    inner: Mutex<Inner>,
}

/// What requests and tests change. The lock is held for moments only, never across an `await`.
pub struct Inner {
    pub switches: Switches,
    pub worlds: Worlds,
    pub faults: Plan,
    pub journal: Journal,
    pub tokens: Tokens,
    pub counts: Counts,
    pub exports: Exports,
    pub lists: Lists,
    pub matches: Matches,
    /// Pages of organizations answered so far.
    pub pages: u64,
    /// How far the sandbox's clock is ahead of the machine's.
    pub clock_ahead: Duration,
}

impl Shared {
    pub fn new(options: Options, base_url: String, storage_url: String) -> Self {
        let worlds = Worlds::new(options.seed, options.world);
        let mut inner = Inner {
            switches: options.switches,
            exports: Exports::default(),
            lists: worlds.made_up_lists(),
            worlds,
            faults: Plan::default(),
            journal: Journal::default(),
            tokens: Tokens::default(),
            counts: Counts::default(),
            matches: Matches::default(),
            pages: 0,
            clock_ahead: Duration::ZERO,
        };
        let (now, lifetime) = (inner.now(), inner.switches.refresh_lifetime);
        inner.tokens.new_refresh(options.seed, now, lifetime);
        Self {
            seed: options.seed,
            base_url,
            storage_url,
            stop: CancellationToken::new(),
            inner: Mutex::new(inner),
        }
    }

    /// A test that panics with the lock held says so itself; the sandbox goes on.
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The sandbox's time.
    pub fn now(&self) -> Timestamp {
        Timestamp::now().saturating_add(self.clock_ahead).unwrap_or(Timestamp::MAX)
    }

    /// Shows the world as it is on `day`.
    pub fn begin_day(&mut self, day: u32) {
        let now = self.now();
        self.worlds.begin_day(day, now);
    }
}

/// The databases.
pub struct Worlds {
    seed: u64,
    /// `None`: no companies but those given.
    size: Option<u32>,
    given: HashMap<String, Arc<Vec<String>>>,
    timeline: Arc<Timeline>,
    /// Rises with everything that may change a listing.
    edition: u64,
}

impl Worlds {
    fn new(seed: u64, world: World) -> Self {
        let (size, rows) = match world {
            World::Generated { size } => (Some(size), None),
            World::Fixed(rows) => (None, Some(("FI".to_owned(), Arc::new(rows)))),
        };
        Self { seed, size, given: rows.into_iter().collect(), timeline: Arc::default(), edition: 0 }
    }

    /// The database as it is now; `None` if there is none of that code.
    pub fn snapshot(&self, database: &str) -> Option<Snapshot> {
        let generated = self.generated(database)?;
        let given = self.given.get(database).map(|rows| Snapshot::Fixed(Arc::clone(rows)));
        Some(given.unwrap_or(Snapshot::Generated(generated)))
    }

    fn made_up_lists(&self) -> Lists {
        let picked = |database| Some((database, self.generated(database)?.first_ids(50)));
        lists::made_up(DATABASES.into_iter().filter(|_| self.size.is_some()).filter_map(picked))
    }

    fn generated(&self, database: &str) -> Option<Generated> {
        Generated::new(self.seed, self.size.unwrap_or(0), database, Arc::clone(&self.timeline))
    }

    pub fn set_rows(&mut self, database: &str, rows: Vec<String>) {
        self.given.insert(database.to_owned(), Arc::new(rows));
        self.edition += 1;
    }

    pub fn today(&self) -> u32 {
        self.timeline.today()
    }

    pub fn edition(&self) -> u64 {
        self.edition
    }

    fn begin_day(&mut self, day: u32, now: Timestamp) {
        Arc::make_mut(&mut self.timeline).begin(day, now);
        self.edition += 1;
    }
}
