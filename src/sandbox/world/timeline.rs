//! When each day of a generated world began.

use jiff::{SignedDuration, Timestamp};

/// 2026-01-01T06:00:00Z. What happened before a world began happened by its own calendar, which ends here; from
/// then on a day begins when it is called for, so that `modifications` agree with the `Date` of the answers.
const FIRST_DAY: Timestamp = Timestamp::constant(1_767_247_200, 0);

/// The days called for so far, each with the moment it began.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    begun: Vec<(u32, Timestamp)>,
}

impl Timeline {
    /// The day now shown; 0 at first.
    pub fn today(&self) -> u32 {
        self.begun.last().map_or(0, |(day, _)| *day)
    }

    /// Shows `day` from `now` on. Days that were skipped begin with it.
    pub fn begin(&mut self, day: u32, now: Timestamp) {
        self.begun.push((day, now));
    }

    /// When what happened on `day` was recorded.
    pub fn moment(&self, day: i64) -> Timestamp {
        let begun = self.begun.iter().find(|(begun, _)| i64::from(*begun) >= day);
        match begun {
            Some((_, moment)) if day > 0 => *moment,
            _ => FIRST_DAY.saturating_add(SignedDuration::from_hours(24 * day)).unwrap_or(FIRST_DAY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_days_are_recorded_when_a_later_one_begins() {
        let mut timeline = Timeline::default();
        let (first, second) =
            (Timestamp::from_second(2_000_000_000).unwrap(), Timestamp::from_second(2_000_000_100).unwrap());
        timeline.begin(1, first);
        timeline.begin(5, second);
        assert_eq!(timeline.moment(1), first);
        assert_eq!(timeline.moment(3), second);
        assert_eq!(timeline.moment(0), FIRST_DAY);
        assert_eq!(timeline.moment(-1).to_string(), "2025-12-31T06:00:00Z");
    }
}
