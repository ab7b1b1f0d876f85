//! Access tokens: one source, one refresh for all who wait.

mod token;
mod kept;
mod grant;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

pub(super) use grant::Grant;
pub(super) use token::Access;
pub use token::days_left;

use self::grant::Memory;
use super::error::Error;
use super::meter::Meter;
use super::retry::Failure;

/// From so many days before its end on a refresh token is warned about.
const WARN_DAYS: i64 = 7;

/// Gives out the access token that is current.
pub(super) struct Tokens {
    grant: Arc<Grant>,
    state: Arc<Mutex<State>>,
    /// Refreshes that have ended, so that who waited for one shares its failure.
    ended: Arc<AtomicU64>,
    /// Refreshes under way, whoever waits for them.
    under_way: TaskTracker,
}

#[derive(Default)]
struct State {
    access: Option<Arc<Access>>,
    memory: Memory,
    /// Of the last refresh, if it failed.
    failure: Option<Failure>,
    /// The days left that were warned about last.
    warned: Option<i64>,
}

impl Tokens {
    pub fn new(grant: Grant, under_way: TaskTracker) -> Self {
        Self { grant: Arc::new(grant), state: Arc::default(), ended: Arc::default(), under_way }
    }

    pub fn endpoint(&self) -> &str {
        self.grant.endpoint()
    }

    /// That `endpoint` refused an access token which was just given.
    pub fn refused(&self, endpoint: &str) -> Error {
        Error::Credentials { endpoint: endpoint.to_owned(), status: 401, remedy: self.grant.remedy() }
    }

    /// A token that is good now, got by one try at the token endpoint if there is none.
    pub async fn bearer(&self, meter: &Meter) -> Result<Arc<Access>, Failure> {
        let before = self.ended.load(Ordering::Acquire);
        let state = Arc::clone(&self.state).lock_owned().await;
        if let Some(access) = state.access.as_ref().filter(|access| !access.is_due(Instant::now())) {
            return Ok(Arc::clone(access));
        }
        if let Some(failure) = state.failure.as_ref().filter(|_| self.ended.load(Ordering::Acquire) != before)
        {
            return Err(failure.clone());
        }
        self.refresh(state, meter).await
    }

    /// Drops a token that drew a 401, unless it has been replaced.
    pub async fn reject(&self, refused: &Arc<Access>) {
        let mut state = self.state.lock().await;
        if state.access.as_ref().is_some_and(|access| Arc::ptr_eq(access, refused)) {
            state.access = None;
        }
    }

    /// Whole days until the refresh token in use ends, once one has been used that tells. `None` while a
    /// refresh is under way, too.
    pub fn days_left(&self, now: Timestamp) -> Option<i64> {
        let ends = self.state.try_lock().ok()?.memory.ends?;
        Some(token::days_until(ends, now))
    }

    /// When the refresh token in use ends. `None` as for [`Tokens::days_left`].
    pub fn end(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.state.try_lock().ok()?.memory.ends?).ok()
    }

    /// Logs a warning where the refresh token ends within a week: once for each day less.
    pub fn warn_of_end(&self, now: Timestamp) {
        let Some(days) = self.days_left(now).filter(|days| *days <= WARN_DAYS) else { return };
        let Ok(mut state) = self.state.try_lock() else { return };
        let warned = state.warned.replace(days);
        if warned != Some(days) {
            let remedy = self.grant.remedy();
            tracing::warn!(days_left = days, "the refresh token ends soon: {remedy}");
        }
    }

    /// In a task of its own: a caller that goes away must not take with it a refresh token that was just
    /// given in place of the last one.
    async fn refresh(
        &self,
        mut state: OwnedMutexGuard<State>,
        meter: &Meter,
    ) -> Result<Arc<Access>, Failure> {
        let (grant, ended, spent) =
            (Arc::clone(&self.grant), Arc::clone(&self.ended), Arc::new(meter.another()));
        let counted = Arc::clone(&spent);
        let refresh = async move {
            let result = state.refresh(&grant, &counted).await;
            ended.fetch_add(1, Ordering::Release);
            result
        };
        let result = self.under_way.spawn(refresh.in_current_span()).await;
        meter.add(spent.snapshot());
        result.expect("a refresh does not panic, and is cancelled only with the whole runtime")
    }
}

impl State {
    async fn refresh(&mut self, grant: &Grant, meter: &Meter) -> Result<Arc<Access>, Failure> {
        let result = grant.ask(&mut self.memory, meter).await;
        let result = result.map(Arc::new).map_err(|failure| failure.of_token(grant.endpoint()));
        match &result {
            Ok(access) => (self.access, self.failure) = (Some(Arc::clone(access)), None),
            Err(failure) => self.failure = Some(failure.clone()),
        }
        result
    }
}
