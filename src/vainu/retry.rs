//! The one layer of retries: each request has one budget of time, and waits that grow. Only here is the
//! `backoff` crate named; it gives the waits, the loop and the deadline are ours.

use std::time::Duration;

use backoff::backoff::Backoff as _;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};
use tokio::time::{Instant, sleep};

use super::error::{Cause, Error, Kind, unquoted};
use super::meter::Meter;

/// Our own waits between tries, before jitter of half of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    pub first: Duration,
    pub longest: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), longest: Duration::from_mins(1) }
    }
}

/// How a try ended that gave nothing.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// Another try may help.
    Again(Trouble),
    /// Nothing was sent: the origin is to be left alone.
    Held(Hold),
    Final(Error),
}

/// A pause that an answer to another request asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hold {
    pub asked: Duration,
    /// What is left of it.
    pub rest: Duration,
}

/// A transient failure, and how long the server asks to wait after it.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    /// `None`: at the endpoint whose request it is.
    pub at: Option<String>,
    /// There, no access token was to be had.
    pub is_of_token: bool,
    pub cause: Cause,
    pub wait: Option<Duration>,
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::Again(trouble)
    }
}

impl Trouble {
    pub fn new(cause: Cause) -> Self {
        Self { at: None, is_of_token: false, cause, wait: None }
    }
}

impl Failure {
    /// Whether there were too many requests: what one is told slows all of them.
    pub const fn is_limited(&self) -> bool {
        matches!(self, Self::Again(Trouble { cause: Cause::Status { status: 429, .. }, .. }))
    }

    /// The same as what kept `endpoint` from giving an access token.
    pub fn of_token(self, endpoint: &str) -> Self {
        match self {
            Self::Again(trouble) => {
                Self::Again(Trouble { at: Some(endpoint.to_owned()), is_of_token: true, ..trouble })
            }
            Self::Final(error) if matches!(error.kind(), Kind::Refused | Kind::Malformed) => {
                Self::Final(Error::NoToken(Box::new(error)))
            }
            other => other,
        }
    }

    /// The same, if it is transient, as one of `endpoint` that another request met on its way.
    pub fn at(self, endpoint: &str) -> Self {
        match self {
            Self::Again(trouble) => Self::Again(Trouble { at: Some(endpoint.to_owned()), ..trouble }),
            other => other,
        }
    }
}

/// The tries of one request.
pub(super) struct Tries<'a> {
    endpoint: &'a str,
    retry_for: Duration,
    delays: ExponentialBackoff,
    began: Instant,
    /// `retry_for` counts from here: a slow first answer, or a queue before it, is no retry.
    failing_since: Option<Instant>,
    failed: u32,
}

impl<'a> Tries<'a> {
    pub fn new(endpoint: &'a str, retry_for: Duration, delays: Delays) -> Self {
        let delays = ExponentialBackoffBuilder::new()
            .with_initial_interval(delays.first)
            .with_max_interval(delays.longest)
            .with_multiplier(2.0)
            .with_max_elapsed_time(None)
            .build();
        Self { endpoint, retry_for, delays, began: Instant::now(), failing_since: None, failed: 0 }
    }

    /// Waits until the next try is due.
    ///
    /// # Errors
    /// If there is to be none.
    pub async fn again(&mut self, failure: Failure, meter: &Meter) -> Result<(), Error> {
        sleep(self.wait_after(failure, Instant::now(), meter)?).await;
        Ok(())
    }

    /// How long to wait until the next try is due.
    ///
    /// # Errors
    /// If there is to be none.
    pub fn wait_after(&mut self, failure: Failure, now: Instant, meter: &Meter) -> Result<Duration, Error> {
        let (trouble, own) = match failure {
            Failure::Final(error) => return Err(error),
            Failure::Held(Hold { asked, rest }) => {
                (Trouble { wait: Some(rest), ..Trouble::new(Cause::Held(asked)) }, Duration::ZERO)
            }
            Failure::Again(trouble) => {
                self.failed += 1;
                (trouble, self.delays.next_backoff().unwrap_or_default())
            }
        };
        let failing_since = *self.failing_since.get_or_insert(now);
        let rest = self.retry_for.saturating_sub(now.saturating_duration_since(failing_since));
        let Some(wait) = next_wait(trouble.wait, own, rest) else { return Err(self.give_up(trouble, now)) };
        if !matches!(trouble.cause, Cause::Held(_)) {
            let endpoint = trouble.at.as_deref().unwrap_or(self.endpoint);
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            let cause = unquoted(&trouble.cause.to_string());
            tracing::info!(endpoint, cause, wait_ms, "trying again");
            meter.count_retry(trouble.cause.reason());
        }
        Ok(wait)
    }

    fn give_up(&self, Trouble { at, is_of_token, cause, wait }: Trouble, now: Instant) -> Error {
        let error = Error::Unavailable {
            endpoint: at.unwrap_or_else(|| self.endpoint.to_owned()),
            tries: self.failed,
            elapsed: now.saturating_duration_since(self.began),
            wait,
            cause,
        };
        if is_of_token { Error::NoToken(Box::new(error)) } else { error }
    }
}

/// The wait before the next try, or `None` if there is to be none. What the server asks for is never cut
/// short; our own wait is, so that the last try comes when the time is up.
fn next_wait(asked: Option<Duration>, own: Duration, rest: Duration) -> Option<Duration> {
    match asked {
        Some(asked) => (asked <= rest).then_some(asked),
        None => (!rest.is_zero()).then(|| own.min(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn the_next_wait_keeps_to_the_rest_of_the_time() {
        let cases = [
            (None, secs(2), secs(10), Some(secs(2))),
            (None, secs(20), secs(10), Some(secs(10))),
            (None, secs(2), secs(0), None),
            (Some(secs(5)), secs(2), secs(10), Some(secs(5))),
            (Some(secs(1)), secs(2), secs(10), Some(secs(1))),
            (Some(secs(11)), secs(2), secs(10), None),
            (Some(secs(u64::MAX)), secs(2), secs(u64::MAX - 1), None),
            (Some(secs(1)), secs(2), secs(0), None),
        ];
        for (asked, own, rest, wait) in cases {
            assert_eq!(next_wait(asked, own, rest), wait, "{asked:?} {own:?} {rest:?}");
        }
    }

    fn trouble(wait: Option<Duration>) -> Failure {
        Trouble { wait, ..Trouble::new(Cause::Status { status: 503, detail: None }) }.into()
    }

    fn tries(retry_for: Duration) -> Tries<'static> {
        Tries::new("https://api.test/x", retry_for, Delays::default())
    }

    #[test]
    fn a_request_is_tried_again_for_as_long_as_configured() {
        let (meter, mut tries) = (Meter::new(), tries(secs(900)));
        let began = tries.began;
        let mut now = began;
        let error = loop {
            match tries.wait_after(trouble(None), now, &meter) {
                Ok(wait) => now += wait,
                Err(error) => break error,
            }
        };
        assert_eq!(now - began, secs(900));
        let Error::Unavailable { tries, wait: None, .. } = error else { panic!("{error:?}") };
        assert_eq!(u64::from(tries), meter.snapshot().retries + 1);
        assert!((10..40).contains(&tries), "{tries}");
    }

    #[test]
    fn time_before_the_first_failure_is_not_taken_off() {
        let mut tries = tries(secs(10));
        let late = tries.began + secs(60);
        assert!(tries.wait_after(trouble(None), late, &Meter::new()).is_ok());
        assert!(tries.wait_after(trouble(None), late + secs(10), &Meter::new()).is_err());
    }

    #[test]
    fn a_wait_longer_than_the_rest_fails_at_once_and_is_told() {
        let (meter, mut tries) = (Meter::new(), tries(secs(900)));
        let error = tries.wait_after(trouble(Some(secs(3600))), tries.began, &meter).unwrap_err();
        assert_eq!(meter.snapshot().retries, 0);
        let text = error.to_string();
        assert!(text.contains("asks to wait 1h,") && text.contains("status 503"), "{text}");
    }

    #[test]
    fn a_pause_that_another_request_was_told_is_no_retry_of_this_one() {
        let (meter, mut tries) = (Meter::new(), tries(secs(900)));
        let hold = Hold { asked: secs(60), rest: secs(30) };
        let wait = tries.wait_after(Failure::Held(hold), tries.began, &meter).unwrap();
        assert_eq!((wait, meter.snapshot().retries), (secs(30), 0));
    }

    #[test]
    fn endless_times_do_not_overflow() {
        let (meter, mut tries) = (Meter::new(), tries(Duration::MAX));
        assert!(tries.wait_after(trouble(None), tries.began, &meter).is_ok());
        let later = tries.began + secs(1);
        let error = tries.wait_after(trouble(Some(Duration::MAX)), later, &meter).unwrap_err();
        assert!(error.to_string().contains("asks to wait"));
    }
}
