use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Spaces requests evenly, where the configuration limits how many there may be in a second.
pub(super) struct Pace {
    gap: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    /// 0: no limit.
    pub fn new(requests_per_second: u32) -> Self {
        let gap = Duration::from_secs(1).checked_div(requests_per_second).unwrap_or_default();
        Self { gap, next: Mutex::new(Instant::now()) }
    }

    /// Waits for the next place in the row.
    pub async fn turn(&self) {
        if !self.gap.is_zero() {
            sleep_until(self.place(Instant::now())).await;
        }
    }

    fn place(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let place = now.max(*next);
        *next = place + self.gap;
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_spaced_and_idle_time_is_not_saved_up() {
        let pace = Pace::new(4);
        let start = Instant::now();
        let places = [0, 0, 100, 5000, 5000].map(|ms| pace.place(start + Duration::from_millis(ms)));
        let after = places.map(|place| (place - start).as_millis());
        assert_eq!(after, [0, 250, 500, 5000, 5250]);
    }
}
