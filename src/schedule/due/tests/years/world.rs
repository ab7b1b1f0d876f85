//! What happens to a daemon within two years: its machine sleeps, it is stopped, its runs take long or fail.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// What keeps a daemon from its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The machine sleeps, and its clock jumps ahead when it wakes.
    Suspended,
    /// It is told to stop, ends its run and is started again.
    Stopped,
    /// It dies, and the next daemon finds its run.
    Killed,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Outage {
    pub(super) cause: Cause,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) finished_at: Timestamp,
    pub(super) to_repeat: bool,
    /// From then on there is a daemon that runs nothing.
    pub(super) free_at: Timestamp,
    /// It is another daemon.
    pub(super) restarted: bool,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    seed: u64,
    /// In order, apart from each other; empty in a calm world, in which all runs succeed.
    outages: Vec<Outage>,
}

impl World {
    pub(super) fn calm(from: Timestamp, until: Timestamp) -> Self {
        Self { from, until, seed: 0, outages: Vec::new() }
    }

    /// Outages of minutes to weeks, one over each clock change among them.
    pub(super) fn rough(from: Timestamp, until: Timestamp, zone: &TimeZone, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let changes = zone.following(from).map(|change| change.timestamp()).take_while(|&at| at < until);
        let mut begins: Vec<Timestamp> = changes.map(|at| at - dice.seconds(60, 3 * 3600)).collect();
        let mut at = from;
        while at < until {
            at += dice.seconds(3600, 20 * 86_400);
            begins.push(at);
        }
        begins.sort();
        let mut outages: Vec<Outage> = Vec::new();
        for from in begins {
            if outages.last().is_none_or(|last| last.until < from) {
                let longest = dice.one_of(&[290, 3 * 3600, 12 * 3600, 3 * 86_400, 21 * 86_400]);
                let until = from + dice.seconds(30, longest);
                let cause = dice.one_of(&[Cause::Suspended, Cause::Stopped, Cause::Killed]);
                outages.push(Outage { cause, from, until });
            }
        }
        Self { from, until, seed, outages }
    }

    /// The outage that begins at `from` or later, and before `until`.
    pub(super) fn outage(&self, from: Timestamp, until: Timestamp) -> Option<Outage> {
        let first = self.outages.partition_point(|outage| outage.from < from);
        self.outages.get(first).copied().filter(|outage| outage.from < until)
    }

    /// What becomes of the `nth` run.
    pub(super) fn run(&self, nth: usize, started_at: Timestamp) -> Ended {
        let (length, to_repeat) = self.fate(nth);
        let (mut from, mut end) = (started_at, started_at + length);
        while let Some(outage) = self.outage(from, end) {
            let finished_at = match outage.cause {
                Cause::Suspended => {
                    end += outage.until.duration_since(outage.from);
                    from = outage.until;
                    continue;
                }
                Cause::Stopped => outage.from,
                Cause::Killed => outage.until,
            };
            return Ended { finished_at, to_repeat: true, free_at: outage.until, restarted: true };
        }
        Ended { finished_at: end, to_repeat, free_at: end, restarted: false }
    }

    /// How long a run takes if nothing comes between, and whether it is to be repeated. What fails does so
    /// in rows, as when the API is down for a night.
    fn fate(&self, nth: usize) -> (SignedDuration, bool) {
        if self.outages.is_empty() {
            return (SignedDuration::from_secs(307), false);
        }
        let mut dice = Dice(self.seed ^ nth as u64);
        let longest = dice.one_of(&[600, 600, 600, 3600, 5 * 3600]);
        let length = dice.seconds(1, longest);
        let in_bad_row = Dice(self.seed ^ (nth as u64 / 7) << 32).one_of(&[true, false, false]);
        (length, in_bad_row && dice.one_of(&[true, true, true, true, true, false]))
    }
}

/// Numbers that look random and are the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn seconds(&mut self, least: u64, below: u64) -> SignedDuration {
        let seconds = least + self.next() % (below - least);
        SignedDuration::from_secs(i64::try_from(seconds).unwrap())
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.next() % of.len() as u64).unwrap()]
    }
}
