//! What was due, told forwards: an event after the other, with what waits at each moment. [`Plan`] tells it
//! backwards, from the runs that there were.
//!
//! [`Plan`]: super::Plan

use jiff::{SignedDuration, Timestamp};

use super::super::Reason;
use super::Start;
use super::world::{Cause, Outage, World};

const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);

/// A tick, and the moment within its jitter at which it starts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tick {
    pub(super) at: Timestamp,
    pub(super) start: Timestamp,
}

pub(super) struct Reckoning<'a> {
    world: &'a World,
    catch_up: bool,
    first_wait: SignedDuration,
    /// The ticks that no run has served yet, and whose start has not come.
    ahead: &'a [Tick],
    /// The start that has come and waits.
    waiting: Option<(Timestamp, Reason)>,
    retry_at: Option<Timestamp>,
    /// Until the next repetition.
    wait: SignedDuration,
    starts: Vec<Start>,
}

impl<'a> Reckoning<'a> {
    pub(super) fn new(
        world: &'a World,
        ticks: &'a [Tick],
        catch_up: bool,
        first_wait: SignedDuration,
    ) -> Self {
        let waiting = Some((world.from, Reason::First));
        Self {
            world,
            catch_up,
            first_wait,
            ahead: ticks,
            waiting,
            retry_at: None,
            wait: first_wait,
            starts: Vec::new(),
        }
    }

    /// Every start until the end of the world.
    pub(super) fn starts(mut self) -> Vec<Start> {
        let mut now = self.world.from;
        while now < self.world.until {
            let next = self.next().unwrap_or(self.world.until).max(now);
            now = if let Some((planned_at, reason)) = self.waiting.take() {
                self.run(Start { planned_at, started_at: now, reason })
            } else if let Some(outage) = self.world.outage(now, next) {
                self.sleep(outage)
            } else {
                self.come(next);
                next
            };
        }
        self.starts
    }

    /// When the next tick starts, or the next repetition if it comes before.
    fn next(&self) -> Option<Timestamp> {
        let tick = self.ahead.first().map(|tick| tick.start);
        self.retry_at.into_iter().chain(tick).min()
    }

    fn come(&mut self, now: Timestamp) {
        self.pass(now, Some(Reason::Tick));
        if let Some(retry_at) = self.retry_at.take_if(|&mut at| at <= now) {
            self.waiting = Some((retry_at, Reason::Retry));
        }
    }

    /// The last tick that starts until `now` waits for `reason`, or is let go. No repetition outlives it.
    fn pass(&mut self, now: Timestamp, reason: Option<Reason>) {
        while let Some((tick, ahead)) = self.ahead.split_first().filter(|(tick, _)| tick.start <= now) {
            self.ahead = ahead;
            self.retry_at = None;
            self.waiting = reason.map(|reason| (tick.start, reason));
        }
    }

    fn sleep(&mut self, outage: Outage) -> Timestamp {
        let long = outage.until.duration_since(outage.from) > SignedDuration::from_mins(5);
        let unwatched = long || outage.cause != Cause::Suspended;
        self.pass(outage.until, if unwatched { self.when_missed() } else { Some(Reason::Tick) });
        outage.until
    }

    fn when_missed(&self) -> Option<Reason> {
        self.catch_up.then_some(Reason::Missed)
    }

    /// A run serves every tick until its start; those that start while it is under way wait for its end.
    fn run(&mut self, start: Start) -> Timestamp {
        let ended = self.world.run(self.starts.len(), start.started_at);
        let reached = self.ahead.partition_point(|tick| tick.at <= start.started_at);
        self.ahead = &self.ahead[reached..];
        let another_try = start.reason == Reason::Retry && reached == 0;
        self.wait = if another_try { (self.wait * 2).min(LONGEST_WAIT) } else { self.first_wait };
        self.retry_at = ended.to_repeat.then(|| ended.finished_at + self.wait);
        self.starts.push(start);
        self.pass(ended.free_at, if ended.restarted { self.when_missed() } else { Some(Reason::Tick) });
        ended.free_at
    }
}
