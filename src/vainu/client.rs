use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::AUTHORIZATION;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;

use super::answer::{Answer, LastBroken, Unusable};
use super::auth::{Access, Grant, Tokens};
use super::call::Call;
use super::catalogue::{Catalogue, NoCatalogue};
use super::count::CountAnswer;
use super::error::{Cause, Error};
use super::meter::Meter;
use super::page::Page;
use super::request::{PageRequest, Selection};
use super::retry::{Delays, Failure, Tries, Trouble};
use super::traffic::{Endpoint, Traffic};
use super::transport::Transport;
use crate::config::settings::{Api, Credential};

const ORGANIZATIONS: &str = "/v3/organizations/";
const COUNT: &str = "/v3/organizations/count/";
const CATALOGUE: &str = "/v3/organizations_fields/?api_versions=v3";

/// As often as Vainu's own client asks after a job that runs, and the longest that it waits after a failure.
const FIRST_POLL: Duration = Duration::from_secs(3);
const LONGEST_POLL: Duration = Duration::from_mins(1);

/// A count that is being made is asked for after the first of these, and then after twice as long each time.
const COUNT_WAITS: Delays = Delays { first: Duration::from_millis(250), longest: Duration::from_secs(10) };

/// Vainu's API. Clones share the access token, the limit of requests under way and any pause that the server
/// asked for. Dropping a call's future ends its request and its waits.
#[derive(Clone)]
pub struct Client {
    transport: Arc<Transport>,
    tokens: Arc<Tokens>,
    under_way: Arc<Semaphore>,
    pub(super) api: Arc<Api>,
    delays: Delays,
    /// Between the polls of an export job, and between tries at its file.
    pub(super) polls: Delays,
    counts: Delays,
    traffic: Arc<Traffic>,
}

impl Client {
    /// Sends nothing. `store_path` tells where a refresh token is kept that the server gives in place of the
    /// configured one: beside the store.
    ///
    /// # Errors
    /// If `api` names no URL or an unusable `ca_file`, or the system has no CA certificates.
    pub fn new(api: &Api, credential: &Credential, store_path: &Path) -> Result<Self, Error> {
        Self::tracked(api, credential, store_path, TaskTracker::new())
    }

    /// As [`Client::new`], where `refreshes` tells of the refreshes under way: whoever ends the process waits
    /// for them, since one may bring the only refresh token that is good.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn tracked(
        api: &Api,
        credential: &Credential,
        store_path: &Path,
        refreshes: TaskTracker,
    ) -> Result<Self, Error> {
        let transport = Arc::new(Transport::new(api)?);
        let grant = Grant::new(Arc::clone(&transport), api, credential, store_path);
        Ok(Self {
            transport,
            tokens: Arc::new(Tokens::new(grant, refreshes)),
            under_way: Arc::new(Semaphore::new(api.concurrency.max(1) as usize)),
            api: Arc::new(api.clone()),
            delays: Delays::default(),
            polls: Delays { first: FIRST_POLL, longest: LONGEST_POLL },
            counts: COUNT_WAITS,
            traffic: Arc::default(),
        })
    }

    /// The same, with other waits between tries.
    #[must_use]
    pub fn with_delays(self, delays: Delays) -> Self {
        Self { delays, ..self }
    }

    /// The same, with other waits between the polls of an export job.
    #[must_use]
    pub fn with_polls(self, polls: Delays) -> Self {
        Self { polls, ..self }
    }

    /// The same, with other waits for a count that is being made.
    #[must_use]
    pub fn with_count_waits(self, counts: Delays) -> Self {
        Self { counts, ..self }
    }

    /// The waits for a count that is being made.
    #[must_use]
    pub fn count_waits(&self) -> Delays {
        self.counts
    }

    /// The same, counting what it asks for into `traffic`.
    #[must_use]
    pub fn with_traffic(self, traffic: Arc<Traffic>) -> Self {
        Self { traffic, ..self }
    }

    /// A meter for calls of this client.
    #[must_use]
    pub fn meter(&self) -> Meter {
        Meter::beside(&self.traffic)
    }

    /// What was asked so far, by this client and those that it shares the figures with.
    #[must_use]
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// One page of organizations.
    ///
    /// # Errors
    /// See [`Error`]; what is transient has then been tried again for `api.retry_for`.
    pub async fn organizations(&self, request: &PageRequest<'_>, meter: &Meter) -> Result<Page, Error> {
        self.post(Endpoint::Organizations, ORGANIZATIONS, request.body(), Page::read, meter).await
    }

    /// How many organizations match, or that they are still being counted: asks once, polling is the caller's.
    /// A cached count older than `recount_if_cache_max_age` (whole seconds) is counted anew.
    ///
    /// # Errors
    /// See [`Error`]; what is transient has then been tried again for `api.retry_for`.
    pub async fn count(
        &self,
        selection: &Selection,
        recount_if_cache_max_age: Duration,
        meter: &Meter,
    ) -> Result<CountAnswer, Error> {
        let body = selection.count_body(recount_if_cache_max_age);
        self.post(Endpoint::Count, COUNT, body, CountAnswer::read, meter).await
    }

    /// The field paths that Vainu knows. It is advice, so nobody waits for it longer than `patience`.
    ///
    /// # Errors
    /// If it may not be read or did not come.
    pub async fn catalogue(&self, patience: Duration, meter: &Meter) -> Result<Catalogue, NoCatalogue> {
        let call = Call::get(Endpoint::Fields, format!("{}{CATALOGUE}", self.api.base_url));
        let tries = Tries::new(&call.endpoint, self.api.retry_for.min(patience), self.delays);
        let asking = self.ask(&call, tries, Catalogue::read, meter);
        Ok(timeout(patience, asking).await.map_err(|_| NoCatalogue::TooSlow(patience))??)
    }

    /// Makes sure of an access token, to tell refused credentials before anything is asked.
    ///
    /// # Errors
    /// See [`Error`]; what is transient has then been tried again for `api.retry_for`.
    pub async fn authenticate(&self, meter: &Meter) -> Result<(), Error> {
        let mut tries = Tries::new(self.tokens.endpoint(), self.api.retry_for, self.delays);
        while let Err(failure) = self.tokens.bearer(meter).await {
            tries.again(failure, meter).await?;
        }
        Ok(())
    }

    /// Whole days from `now` until the refresh token in use ends, negative once it has. `None` before the
    /// first was used, and where it does not tell.
    #[must_use]
    pub fn days_left(&self, now: Timestamp) -> Option<i64> {
        self.tokens.days_left(now)
    }

    /// When the refresh token in use ends. `None` as for [`Client::days_left`].
    #[must_use]
    pub fn token_end(&self) -> Option<Timestamp> {
        self.tokens.end()
    }

    /// Logs a warning where the refresh token ends within a week: once for each day less.
    pub fn warn_of_end(&self, now: Timestamp) {
        self.tokens.warn_of_end(now);
    }

    /// Posts to a path below `api.base_url` until the answer is usable.
    pub(super) async fn post<T: Send + 'static>(
        &self,
        to: Endpoint,
        path: &str,
        body: String,
        read: fn(Answer) -> Result<T, Unusable>,
        meter: &Meter,
    ) -> Result<T, Error> {
        let call = Call::post(to, format!("{}{path}", self.api.base_url), body);
        let tries = Tries::new(&call.endpoint, self.api.retry_for, self.delays);
        self.ask(&call, tries, read, meter).await
    }

    /// Asks until the answer is usable, for as long as there are `tries`. No place among the requests under
    /// way is taken between them.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        call: &Call,
        mut tries: Tries<'_>,
        read: fn(Answer) -> Result<T, Unusable>,
        meter: &Meter,
    ) -> Result<T, Error> {
        let mut broken = LastBroken::default();
        loop {
            let failure = match self.try_once(call, meter).await {
                Ok(answer) => match aside(move || read(answer)).await {
                    Ok(value) => return Ok(value),
                    Err(unusable) => broken.judge(&call.endpoint, unusable),
                },
                Err(failure) => failure,
            };
            let is_limited = failure.is_limited();
            let wait = tries.wait_after(failure, Instant::now(), meter)?;
            if is_limited {
                self.transport.hold(wait);
            }
            sleep(wait).await;
        }
    }

    /// One try, replayed once where its access token has ended early.
    async fn try_once(&self, call: &Call, meter: &Meter) -> Result<Answer, Failure> {
        let _under_way = self.under_way.acquire().await.expect("it is never closed");
        for replayed in [false, true] {
            let access = self.tokens.bearer(meter).await?;
            let answer = self.send(call, &access, meter).await?;
            if answer.status != StatusCode::UNAUTHORIZED {
                return answer.accepted(&call.endpoint).inspect(|_| access.note_served());
            }
            self.tokens.reject(&access).await;
            if replayed && access.has_served() {
                // Requests beside this one have used up what was given in place of the first.
                return Err(Trouble::new(Cause::Status { status: 401, detail: None }).into());
            }
        }
        Err(Failure::Final(self.tokens.refused(&call.endpoint)))
    }

    async fn send(&self, call: &Call, access: &Access, meter: &Meter) -> Result<Answer, Failure> {
        let request = call.request(&self.transport.http).header(AUTHORIZATION, access.header.clone());
        Ok(self.transport.send(request, call.to, meter).await?.without(&access.header))
    }
}

/// Does what takes the processor a while, such as reading megabytes, where it holds nothing else up.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        // Nobody cancels it.
        Err(error) => resume_unwind(error.into_panic()),
    }
}
