//! What is too much to happen in one night without a person's word. Pure.

/// Fewer departures than this are never held.
const DEPARTURES_AT_LEAST: u64 = 10;

/// Fewer arrivals than this are never held.
const ARRIVALS_AT_LEAST: u64 = 100;

/// What a query may do unheld.
#[derive(Debug, Clone, Copy)]
pub struct Guard {
    /// Members before the run.
    pub members: u64,
    /// Percent of the members.
    pub max_departures: f64,
    /// Percent of the members.
    pub max_arrivals: f64,
    /// No full run of the present definition has succeeded yet: nothing is held.
    pub exempt: bool,
    /// So many departures were accepted.
    pub accepted_departures: Option<u64>,
    /// So high a count was accepted.
    pub accepted_count: Option<u64>,
}

impl Guard {
    /// Whether so many departures at once want a person's word.
    #[must_use]
    pub fn holds_departures(&self, departures: u64) -> bool {
        !self.exempt
            && departures >= DEPARTURES_AT_LEAST
            && exceeds(departures, self.members, self.max_departures)
            && !within(departures, self.accepted_departures)
    }

    /// Whether a listing without a row wants a person's word.
    #[must_use]
    pub fn holds_emptiness(&self) -> bool {
        !self.exempt && self.members > 0 && !within(self.members, self.accepted_departures)
    }

    /// Whether so high a count wants a person's word.
    #[must_use]
    pub fn holds_count(&self, count: u64) -> bool {
        let arrivals = count.saturating_sub(self.members);
        !self.exempt
            && arrivals >= ARRIVALS_AT_LEAST
            && exceeds(arrivals, self.members, self.max_arrivals)
            && !within(count, self.accepted_count)
    }
}

/// What was accepted, and at most a tenth more.
fn within(number: u64, accepted: Option<u64>) -> bool {
    accepted.is_some_and(|accepted| u128::from(number) * 10 <= u128::from(accepted) * 11)
}

#[allow(clippy::cast_precision_loss, reason = "a share of members needs no more than 52 bits")]
fn exceeds(number: u64, of: u64, percent: f64) -> bool {
    number as f64 * 100.0 > of as f64 * percent
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(members: u64) -> Guard {
        Guard {
            members,
            max_departures: 20.0,
            max_arrivals: 100.0,
            exempt: false,
            accepted_departures: None,
            accepted_count: None,
        }
    }

    #[test]
    fn departures_are_held_beyond_the_share_and_from_ten_on() {
        assert!(!guard(1000).holds_departures(200));
        assert!(guard(1000).holds_departures(201));
        assert!(!guard(10).holds_departures(9));
        assert!(guard(10).holds_departures(10));
        assert!(!Guard { exempt: true, ..guard(1000) }.holds_departures(1000));
    }

    #[test]
    fn what_was_accepted_passes_with_at_most_a_tenth_more() {
        let accepted = Guard { accepted_departures: Some(300), accepted_count: Some(5000), ..guard(1000) };
        assert!(!accepted.holds_departures(330));
        assert!(accepted.holds_departures(331));
        assert!(!accepted.holds_count(5500));
        assert!(accepted.holds_count(5501));
        assert!(accepted.holds_emptiness());
        assert!(!Guard { accepted_departures: Some(1000), ..guard(1000) }.holds_emptiness());
    }

    #[test]
    fn a_count_is_held_beyond_the_share_and_from_a_hundred_arrivals_on() {
        assert!(!guard(1000).holds_count(2000));
        assert!(guard(1000).holds_count(2001));
        assert!(!guard(1).holds_count(100));
        assert!(guard(1).holds_count(101));
    }
}
