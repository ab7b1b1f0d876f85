//! What the daemon shows of itself while it lives: that its loop goes round, by what it works, and whether its
//! store lets it.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::config::Settings;
use crate::vainu::Client;

/// How often a loop that waits for one of its steps shows that it lives.
const PULSE: Duration = Duration::from_secs(1);

/// A loop that is silent for longer hangs: it shows itself every ten seconds at the latest.
const LONGEST_SILENCE: Duration = Duration::from_mins(1);

/// Shared between the daemon, which writes, and whoever shows it.
pub struct Vitals {
    pub started_at: Timestamp,
    setup: watch::Sender<Setup>,
    beat_at: Mutex<Instant>,
    trouble: Mutex<Option<String>>,
    token_end: Mutex<Option<Timestamp>>,
    reading: Mutex<Reading>,
}

/// How reading the configuration went last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When one was read that is right: the daemon works by it.
    pub right_at: Timestamp,
    /// When one was read since that was refused, if the last one was.
    pub refused_at: Option<Timestamp>,
}

/// What the daemon works by. Reading the configuration again puts another in its place.
#[derive(Clone)]
pub struct Setup {
    pub settings: Arc<Settings>,
    pub client: Client,
}

impl Vitals {
    #[must_use]
    pub fn new(setup: Setup, now: Timestamp) -> Self {
        Self {
            started_at: now,
            setup: watch::Sender::new(setup),
            beat_at: Mutex::new(Instant::now()),
            trouble: Mutex::default(),
            token_end: Mutex::default(),
            reading: Mutex::new(Reading { right_at: now, refused_at: None }),
        }
    }

    /// What the daemon works by now.
    #[must_use]
    pub fn setup(&self) -> Setup {
        self.setup.borrow().clone()
    }

    /// From now on it works by `setup`.
    pub fn take_over(&self, setup: Setup) {
        *lock(&self.token_end) = None;
        self.setup.send_replace(setup);
    }

    /// The configuration was read at `now`, and is right or was refused.
    pub fn set_read(&self, is_right: bool, now: Timestamp) {
        let mut reading = lock(&self.reading);
        *reading = if is_right {
            Reading { right_at: now, refused_at: None }
        } else {
            Reading { refused_at: Some(now), ..*reading }
        };
    }

    #[must_use]
    pub fn reading(&self) -> Reading {
        *lock(&self.reading)
    }

    /// Tells whenever the daemon works by something else.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Setup> {
        self.setup.subscribe()
    }

    /// The loop goes round.
    pub fn beat(&self) {
        *lock(&self.beat_at) = Instant::now();
    }

    /// Waits for a step of the loop, which shows meanwhile that it lives.
    pub async fn alive_while<T>(&self, step: impl Future<Output = T>) -> T {
        let mut step = pin!(step);
        loop {
            self.beat();
            tokio::select! {
                done = &mut step => return done,
                () = tokio::time::sleep(PULSE) => {}
            }
        }
    }

    /// How long ago the loop last showed that it lives.
    #[must_use]
    pub fn silence(&self) -> Duration {
        lock(&self.beat_at).elapsed()
    }

    /// Whether the loop goes round.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.silence() <= LONGEST_SILENCE
    }

    /// What keeps the daemon from its store; `None`: nothing does any more.
    pub fn set_trouble(&self, trouble: Option<String>) {
        *lock(&self.trouble) = trouble;
    }

    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    /// When the refresh token ends, as far as that is known.
    #[must_use]
    pub fn token_end(&self) -> Option<Timestamp> {
        let mut known = lock(&self.token_end);
        // While a refresh is under way, what was known before is good enough.
        *known = self.setup.borrow().client.token_end().or(*known);
        *known
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
