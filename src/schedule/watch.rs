//! Since when somebody watches a clock that others set.

use jiff::{SignedDuration, Timestamp};

/// Whoever looks again within this has not looked away: a tick may start this much late.
const GLANCE: SignedDuration = SignedDuration::from_mins(5);

/// Since when ticks are watched, as one who looks at the clock again and again can tell.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    since: Timestamp,
    seen: Timestamp,
}

/// What a look at the clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Time has passed.
    On,
    /// The clock was set back: what was planned by it may lie years ahead.
    SetBack,
    /// Nobody looked for a while: the machine was suspended, or the clock was set forward.
    Away,
}

impl Watch {
    /// A watch that begins at `now`.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self { since: now, seen: now }
    }

    /// Ticks before this passed unwatched.
    #[must_use]
    pub const fn since(&self) -> Timestamp {
        self.since
    }

    /// What the clock said last.
    #[must_use]
    pub const fn seen(&self) -> Timestamp {
        self.seen
    }

    /// Looks at the clock, which says `now`.
    pub fn look(&mut self, now: Timestamp) -> Look {
        let look = if now < self.seen {
            self.since = self.since.min(now);
            Look::SetBack
        } else if now.duration_since(self.seen) > GLANCE {
            self.since = now;
            Look::Away
        } else {
            Look::On
        };
        self.seen = now;
        look
    }

    /// A run has ended at `now`, and what waited for it was watched. That the clock was set back meanwhile
    /// is for the next look to show.
    pub fn busy_until(&mut self, now: Timestamp) {
        self.seen = self.seen.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn noon() -> Timestamp {
        "2026-11-25T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn who_looks_again_within_minutes_has_watched_all_along() {
        let mut watch = Watch::new(noon());
        for look in 1..=12 {
            assert_eq!(watch.look(noon() + GLANCE * look), Look::On);
        }
        assert_eq!(watch.since(), noon());
    }

    #[test]
    fn after_a_suspension_the_watch_begins_anew() {
        let mut watch = Watch::new(noon());
        assert_eq!(watch.look(noon() + HOUR), Look::Away);
        assert_eq!(watch.since(), noon() + HOUR);
    }

    #[test]
    fn a_long_run_is_no_suspension() {
        let mut watch = Watch::new(noon());
        watch.busy_until(noon() + HOUR);
        assert_eq!(watch.look(noon() + HOUR), Look::On);
        assert_eq!(watch.since(), noon());
    }

    #[test]
    fn a_clock_set_back_is_seen_even_where_a_run_was_under_way() {
        for busy in [false, true] {
            let mut watch = Watch::new(noon());
            if busy {
                watch.busy_until(noon() - HOUR);
            }
            assert_eq!(watch.look(noon() - HOUR), Look::SetBack);
            assert_eq!((watch.since(), watch.seen()), (noon() - HOUR, noon() - HOUR));
        }
    }
}
