//! What systemd is told of the daemon, as `sd_notify(3)` says; nobody is, where the service manager left no
//! `NOTIFY_SOCKET`.

use std::future::pending;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// A moment in the daemon's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It is up, or has read its configuration again.
    Ready,
    /// It reads its configuration again.
    Reloading,
    Stopping,
}

/// Tells of a moment. One that can't be told is logged and changes nothing.
pub fn tell(moment: Moment) {
    let told = match moment {
        Moment::Ready => sd_notify::notify(&[NotifyState::Ready]),
        Moment::Reloading => NotifyState::monotonic_usec_now()
            .and_then(|now| sd_notify::notify(&[NotifyState::Reloading, now])),
        Moment::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
    };
    if let Err(error) = told {
        tracing::warn!(?moment, %error, "the service manager could not be told");
    }
}

/// Says in a line how the daemon is, for whoever asks the service manager.
pub fn say_state(words: &str) {
    if let Err(error) = sd_notify::notify(&[NotifyState::Status(words)]) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}

/// Tells the service manager that the daemon lives, where that wants to hear it (`WatchdogSec=`): silence makes
/// it kill the daemon and start another.
#[derive(Debug)]
pub struct Watchdog {
    ticks: Option<Interval>,
}

impl Watchdog {
    /// By what the service manager has told this process.
    #[must_use]
    pub fn from_process() -> Self {
        Self::patient_for(sd_notify::watchdog_enabled())
    }

    /// Twice as often as it must be.
    fn patient_for(patience: Option<Duration>) -> Self {
        let every = patience.map(|patience| patience / 2).filter(|every| !every.is_zero());
        let ticks = every.map(|every| {
            let mut ticks = interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        });
        Self { ticks }
    }

    /// Tells it when it is time to, and returns then; where nobody wants to hear it, never. Whoever waits for
    /// this lives.
    pub async fn next(&mut self) {
        match &mut self.ticks {
            Some(ticks) => ticks.tick().await,
            None => pending().await,
        };
        if let Err(error) = sd_notify::notify(&[NotifyState::Watchdog]) {
            tracing::warn!(%error, "the service manager could not be told that the daemon lives");
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_watchdog_is_told_twice_within_its_patience_and_never_where_there_is_none() {
        let mut watchdog = Watchdog::patient_for(Some(Duration::from_mins(2)));
        watchdog.next().await;
        let start = Instant::now();
        watchdog.next().await;
        watchdog.next().await;
        assert_eq!(start.elapsed(), Duration::from_mins(2));
        for patience in [None, Some(Duration::ZERO)] {
            let mut nobody = Watchdog::patient_for(patience);
            assert!(timeout(Duration::from_hours(24), nobody.next()).await.is_err(), "{patience:?}");
        }
    }
}
