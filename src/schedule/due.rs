//! From a query's schedule and its past runs: when it runs next, and whether it is late.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::Schedule;

/// The longest wait before a run that did not succeed is tried again.
const LONGEST_RETRY: Duration = Duration::from_hours(6);

/// Less than lies between two ticks.
const MOMENT: SignedDuration = SignedDuration::from_millis(1);

/// When one query is to run.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The query's name, which spreads queries of one schedule apart.
    pub query: &'a str,
    pub schedule: &'a Schedule,
    pub zone: &'a TimeZone,
    /// A tick starts up to this much later, but before the next tick.
    pub jitter: Duration,
    /// Whether a tick that passed unwatched is made up.
    pub catch_up: bool,
    /// The wait before a run that did not succeed is tried again; it doubles up to six hours.
    pub retry_run_after: Duration,
}

/// What planning needs to know of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastRun {
    /// `None` where a person asked for the run.
    pub planned_at: Option<Timestamp>,
    pub started_at: Timestamp,
    /// `None` while it runs, or where its process died.
    pub finished_at: Option<Timestamp>,
    /// Whether it failed, was incomplete or interrupted: such a run is tried again, a held one is not.
    pub to_repeat: bool,
}

/// A start that is planned; it is due once `planned_at` has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub planned_at: Timestamp,
    pub reason: Reason,
}

/// Why a run starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The query never ran.
    First,
    /// Its schedule says so.
    Tick,
    /// Its schedule said so while nobody watched; several missed ticks are made up once.
    Missed,
    /// The run before did not succeed.
    Retry,
}

impl PastRun {
    /// The ticks up to this are served.
    fn dated(&self) -> Timestamp {
        self.planned_at.map_or(self.started_at, |planned_at| planned_at.max(self.started_at))
    }
}

impl Plan<'_> {
    /// The next start, or the one that is due by now. `None` where the schedule's next tick is centuries
    /// ahead.
    ///
    /// `runs` are the last runs of the query, newest first; 32 are enough, as the wait between retries no
    /// longer grows by then. One dated after `now` or after a newer one (the clock was ahead) serves no tick.
    /// What was to start before `watched_since` passed unwatched.
    #[must_use]
    pub fn due(&self, runs: &[PastRun], watched_since: Timestamp, now: Timestamp) -> Option<Due> {
        let runs = runs.iter().filter(|run| run.dated() <= now);
        let Some(served) = runs.clone().next().map(PastRun::dated) else {
            return Some(Due { planned_at: now, reason: Reason::First });
        };
        let planned_at = self.start(self.schedule.next(served, self.zone)?);
        if planned_at <= now {
            return self.passed(watched_since, now);
        }
        let retry = self.retry(runs, now).filter(|retry| retry.planned_at < planned_at);
        Some(retry.unwrap_or(Due { planned_at, reason: Reason::Tick }))
    }

    /// The last tick whose start has come, or the one after it where that one is let go.
    fn passed(&self, watched_since: Timestamp, now: Timestamp) -> Option<Due> {
        let last = self.schedule.previous(now, self.zone)?;
        let tick =
            if self.start(last) <= now { last } else { self.schedule.previous(last - MOMENT, self.zone)? };
        let planned_at = self.start(tick);
        if planned_at >= watched_since {
            Some(Due { planned_at, reason: Reason::Tick })
        } else if self.catch_up {
            Some(Due { planned_at, reason: Reason::Missed })
        } else {
            let next = self.schedule.next(tick, self.zone)?;
            Some(Due { planned_at: self.start(next), reason: Reason::Tick })
        }
    }

    /// Another try, where the newest of `runs` did not succeed.
    fn retry<'r>(&self, mut runs: impl Iterator<Item = &'r PastRun>, now: Timestamp) -> Option<Due> {
        let newest = runs.next().filter(|run| run.to_repeat)?;
        let tick = self.schedule.previous(newest.dated(), self.zone)?;
        let doublings = runs.take_while(|run| run.to_repeat && run.dated() >= tick).count();
        let doublings = u32::try_from(doublings).unwrap_or(u32::MAX);
        let wait = self.retry_run_after.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_RETRY);
        let ended = newest.finished_at.filter(|&at| at >= newest.started_at && at <= now);
        let planned_at = ended.unwrap_or(newest.started_at).checked_add(wait).ok()?;
        Some(Due { planned_at, reason: Reason::Retry })
    }

    /// When a tick starts: a fixed hash of query and tick decides, so that a restart moves nothing.
    fn start(&self, tick: Timestamp) -> Timestamp {
        if self.jitter.is_zero() {
            return tick;
        }
        let until_next = self.schedule.next(tick, self.zone).map_or(SignedDuration::MAX, |next| next - tick);
        let room = self.jitter.as_millis().min(until_next.unsigned_abs().as_millis());
        let delay = u128::from(hash(self.query, tick)).checked_rem(room).unwrap_or(0);
        let delay = SignedDuration::from_millis(i64::try_from(delay).unwrap_or(i64::MAX));
        tick.checked_add(delay).unwrap_or(tick)
    }
}

fn hash(query: &str, tick: Timestamp) -> u64 {
    let digest = Sha256::new().chain_update(query).chain_update(tick.as_second().to_be_bytes()).finalize();
    digest.iter().take(8).fold(0, |hash, &byte| hash << 8 | u64::from(byte))
}

/// Whether a query is late: two ticks have passed since `first_seen`, and no success since the tick
/// before last. A success dated after `now` is none.
#[must_use]
pub fn is_late(
    schedule: &Schedule,
    zone: &TimeZone,
    first_seen: Timestamp,
    last_success: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    let last = schedule.previous(now, zone);
    let Some(before_last) = last.and_then(|last| schedule.previous(last - MOMENT, zone)) else {
        return false;
    };
    let succeeded = last_success.is_some_and(|at| at >= before_last && at <= now);
    first_seen <= before_last && !succeeded
}

#[cfg(test)]
mod tests;
