use std::sync::Arc;
use std::time::Duration;

use super::state::Shared;
use super::{Endpoint, Fault, Request, SavedList, Switches};

/// A test's hand on a running sandbox. Cheap to clone; works on after the sandbox stopped, without effect.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

impl Control {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Turns switches; requests already under way are not affected.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.shared.lock().switches);
    }

    /// A database holds these rows from now on, JSON texts given back byte for byte; in whatever world.
    pub fn set_rows(&self, database: &str, rows: Vec<String>) {
        self.shared.lock().worlds.set_rows(database, rows);
    }

    /// The day that the world is at; 0 at the start.
    #[must_use]
    pub fn day(&self) -> u32 {
        self.shared.lock().worlds.today()
    }

    /// Shows the world as it is on `day`.
    pub fn set_day(&self, day: u32) {
        self.shared.lock().begin_day(day);
    }

    /// A day passes; the new day's number.
    #[must_use = "the day that has begun"]
    pub fn next_day(&self) -> u32 {
        let mut inner = self.shared.lock();
        let day = inner.worlds.today() + 1;
        inner.begin_day(day);
        day
    }

    /// Moves the sandbox's clock, which dates answers and changes, further ahead of the machine's.
    pub fn advance_clock(&self, by: Duration) {
        self.shared.lock().clock_ahead += by;
    }

    /// Adds a saved list, or replaces the one of its id.
    pub fn save_list(&self, list: SavedList) {
        self.shared.lock().lists.insert(list.id.clone(), list);
    }

    /// The next `times` requests to `endpoint` draw `fault`.
    pub fn fail(&self, endpoint: Endpoint, fault: Fault, times: u64) {
        self.fail_after(endpoint, 0, fault, times);
    }

    /// `skip` requests to `endpoint` pass unharmed, then `times` draw `fault`.
    pub fn fail_after(&self, endpoint: Endpoint, skip: u64, fault: Fault, times: u64) {
        self.shared.lock().faults.add(endpoint, fault, skip, Some(times));
    }

    /// Every request to `endpoint` draws `fault` until [`Control::heal`].
    pub fn fail_always(&self, endpoint: Endpoint, fault: Fault) {
        self.shared.lock().faults.add(endpoint, fault, 0, None);
    }

    /// The next `times` requests to `endpoint` whose body `which` tells draw `fault`; `None`: until
    /// [`Control::heal`].
    pub fn fail_where(
        &self,
        endpoint: Endpoint,
        which: impl Fn(&str) -> bool + Send + 'static,
        fault: Fault,
        times: Option<u64>,
    ) {
        self.shared.lock().faults.add_where(endpoint, Box::new(which), fault, times);
    }

    /// Every `n`th request to `endpoint` from now on draws `fault` until [`Control::heal`].
    pub fn fail_every(&self, endpoint: Endpoint, n: u64, fault: Fault) {
        self.shared.lock().faults.add_every(endpoint, n, fault);
    }

    /// Forgets all faults that are still to come.
    pub fn heal(&self) {
        self.shared.lock().faults.clear();
    }

    /// Runs `action` before the `n`th request to `endpoint` from now on is answered, 1 for the next.
    pub fn on_request(&self, endpoint: Endpoint, n: u64, action: impl FnOnce(&Self) + Send + 'static) {
        self.shared.lock().journal.wait(endpoint, n, Box::new(action));
    }

    /// How many requests have come to `endpoint`, those that drew a fault or a refusal included.
    #[must_use]
    pub fn hits(&self, endpoint: Endpoint) -> u64 {
        self.shared.lock().journal.hits(endpoint)
    }

    /// The requests so far in the order in which they came, the last 10,000.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().journal.requests().cloned().collect()
    }

    /// The requests to one endpoint, as [`Control::requests`].
    #[must_use]
    pub fn requests_to(&self, endpoint: Endpoint) -> Vec<Request> {
        let is_to = |request: &&Request| request.endpoint == endpoint;
        self.shared.lock().journal.requests().filter(is_to).cloned().collect()
    }

    /// No access token given out so far is accepted from now on.
    pub fn revoke_tokens(&self) {
        self.shared.lock().tokens.revoke_access();
    }

    /// No download link given out so far works from now on; a poll gives a fresh one.
    pub fn expire_downloads(&self) {
        self.shared.lock().exports.expire_links();
    }

    /// No refresh token given out so far is accepted from now on; [`super::Sandbox::refresh_token`] then gives
    /// a new one, as a user would get it in Vainu.
    pub fn revoke_refresh_tokens(&self) {
        let mut inner = self.shared.lock();
        inner.tokens.revoke_refresh();
        let (now, lifetime) = (inner.now(), inner.switches.refresh_lifetime);
        inner.tokens.new_refresh(self.shared.seed, now, lifetime);
    }
}
