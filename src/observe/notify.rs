//! What systemd is told of the daemon, as `sd_notify(3)` says; nobody is, where the service manager left no
//! `NOTIFY_SOCKET`.

use sd_notify::NotifyState;

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
