//! Which companies there are on a day, and since when each is as it is: arithmetic, nothing stored.
//!
//! A database has a fixed row of slots in order of their ids. Each slot goes round a cycle of its own: there
//! for a time, away for a tenth of it. The cycles start evenly spread, so a day takes as many companies as it
//! brings, and a world keeps its size for ever.

use std::ops::Range;

use super::dice::mix;

/// The largest `size` of a database: ids of eight digits must suffice for every slot.
pub const MAX_SIZE: u32 = 10_000_000;

/// Larger than any cycle and prime, so that its multiples spread evenly over each.
const STRIDE: u64 = 7919;

/// The slots of one database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Population {
    seed: u64,
    size: u32,
}

impl Population {
    /// `size` companies on day 0, at most [`MAX_SIZE`]; `seed` differs between databases.
    pub const fn new(seed: u64, size: u32) -> Self {
        Self { seed, size }
    }

    /// Every slot, in order of ids: one in eleven is away on day 0.
    pub const fn slots(self) -> u32 {
        self.size + self.size / 10
    }

    /// The slots that hold a company on `day`, in order of ids.
    pub fn on(self, day: u32) -> impl Iterator<Item = u32> {
        (0..self.slots()).filter(move |slot| self.is_there(*slot, day))
    }

    fn is_there(self, slot: u32, day: u32) -> bool {
        let stay = self.stay();
        (self.start(slot) + u64::from(day)) % (stay + self.absence()) < stay
    }

    /// How often the company of `slot` has changed by `day`, and since which day it is as it is. Days before
    /// the world began are negative.
    pub fn version(self, slot: u32, day: u32) -> (u64, i64) {
        let cycle = u64::from((self.size / 2).clamp(5, 100));
        let age = u64::from(day) + spread(slot, self.seed ^ 1) % cycle;
        let since = i64::from(day) - i64::try_from(age % cycle).expect("a cycle has at most 100 days");
        (age / cycle, since)
    }

    /// The day on which the company of `slot`, there on `day`, came.
    pub fn arrival(self, slot: u32, day: u32) -> i64 {
        let cycle = self.stay() + self.absence();
        let age = (self.start(slot) + u64::from(day)) % cycle;
        i64::from(day) - i64::try_from(age).expect("a cycle has at most 1100 days")
    }

    /// A number of `digits` digits without a leading zero, distinct for every slot and rising with it.
    pub fn number(self, slot: u32, digits: u32) -> u64 {
        let Range { start, end } = 10_u64.pow(digits - 1)..10_u64.pow(digits);
        let step = (end - start) / u64::from(self.slots());
        start + u64::from(slot) * step + mix(self.seed, u64::from(slot)) % step
    }

    /// Days that a company stays: 1000 in a large world; in a small one less, so that each day takes one.
    fn stay(self) -> u64 {
        u64::from(self.size.clamp(20, 1000))
    }

    fn absence(self) -> u64 {
        self.stay() / 10
    }

    /// Where in its cycle a slot stands on day 0.
    fn start(self, slot: u32) -> u64 {
        if slot % 11 == 10 {
            self.stay() + spread(slot / 11, self.seed) % self.absence()
        } else {
            spread(slot - slot / 11, self.seed) % self.stay()
        }
    }
}

fn spread(rank: u32, seed: u64) -> u64 {
    u64::from(rank) * STRIDE + (seed >> 32)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn there(population: Population, day: u32) -> HashSet<u32> {
        population.on(day).collect()
    }

    #[test]
    fn day_zero_has_exactly_the_size_asked_for() {
        for size in [0, 1, 7, 10, 11, 50, 999, 1000, 12_345] {
            assert_eq!(Population::new(42, size).on(0).count(), size as usize, "size {size}");
        }
    }

    #[test]
    fn each_day_takes_and_brings_about_a_thousandth() {
        let population = Population::new(7, 20_000);
        for day in [0, 1, 500, 5000] {
            let (before, after) = (there(population, day), there(population, day + 1));
            assert_eq!(before.difference(&after).count(), 20, "day {day}");
            assert_eq!(after.difference(&before).count(), 20, "day {day}");
        }
    }

    #[test]
    fn a_small_world_too_loses_gains_and_changes_something_every_day() {
        let population = Population::new(3, 40);
        for day in 0..200 {
            let (before, after) = (there(population, day), there(population, day + 1));
            assert!(before.difference(&after).count() >= 1, "day {day} takes none");
            assert!(after.difference(&before).count() >= 1, "day {day} brings none");
            let changed = |slot: &u32| population.version(*slot, day) != population.version(*slot, day + 1);
            assert!(after.iter().any(changed), "day {day} changes none");
        }
    }

    #[test]
    fn about_one_company_in_a_hundred_changes_each_day() {
        let population = Population::new(9, 10_000);
        let changed = population.on(0).filter(|slot| population.version(*slot, 1).1 == 1).count();
        assert_eq!(changed, 100);
    }

    #[test]
    fn numbers_are_distinct_rise_with_the_slot_and_have_their_digits() {
        for size in [1, 1000, 100_000, MAX_SIZE] {
            let population = Population::new(11, size);
            let sample: Vec<_> = (0..population.slots()).step_by(1 + size as usize / 5000).collect();
            let numbers: Vec<_> = sample.iter().map(|slot| population.number(*slot, 8)).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "size {size}");
            assert!(numbers.iter().all(|number| number.to_string().len() == 8), "size {size}");
        }
    }
}
