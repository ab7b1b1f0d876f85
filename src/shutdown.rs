//! The signals that end the program. Nothing here ends it: `main` decides what a signal means.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What is under way has so long to end by itself: what stops services waits little longer than 5 seconds.
pub const GRACE: Duration = Duration::from_secs(4);

/// Cancelled once what is under way had its time to end after `stop`. Whatever hangs then (another program that holds
/// the store, a dead disk) can be left at any moment: commits are whole or not there.
#[must_use]
pub fn overdue(stop: CancellationToken) -> CancellationToken {
    let overdue = CancellationToken::new();
    let told = overdue.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
        told.cancel();
    });
    overdue
}

/// Waits for refreshes of access tokens that nobody waits for any more: one may bring the only refresh token that is
/// good. Whether they ended in time; after a signal that is the time for all that was under way.
pub async fn settled(refreshes: &TaskTracker, overdue: &CancellationToken) -> bool {
    refreshes.close();
    tokio::select! {
        biased;
        () = refreshes.wait() => true,
        () = overdue.cancelled() => false,
        () = tokio::time::sleep(GRACE) => false,
    }
}

/// SIGHUP, which tells a daemon to read its configuration again.
#[derive(Debug)]
pub struct Hangups(Signal);

impl Hangups {
    /// Begins to listen; before that the signal ends the process.
    ///
    /// # Errors
    /// If the operating system lends no signal handler.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self(signal(SignalKind::hangup())?))
    }

    /// Returns at the next one.
    pub async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// SIGTERM and SIGINT, heard from the moment this is made.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen; before that a signal ends the process as it does any other.
    ///
    /// # Errors
    /// If the operating system lends no signal handler.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Cancels `stop` at the first signal and returns at the second: who sends two does not want to wait.
    pub async fn second(mut self, stop: CancellationToken) {
        self.next().await;
        tracing::info!(
            "told to stop: the run under way ends at its next batch; a second signal ends it at once"
        );
        stop.cancel();
        self.next().await;
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_told_to_stop_has_less_than_five_seconds() {
        let stop = CancellationToken::new();
        stop.cancel();
        let began = tokio::time::Instant::now();
        let overdue = overdue(stop);
        overdue.cancelled().await;
        assert!(began.elapsed() < Duration::from_secs(5));
        let refreshes = TaskTracker::new();
        assert!(settled(&refreshes, &overdue).await, "nothing is waited for");
        refreshes.spawn(std::future::pending::<()>());
        assert!(!settled(&refreshes, &overdue).await);
        assert!(began.elapsed() < Duration::from_secs(5), "a refresh has no time of its own");
    }

    #[tokio::test]
    async fn the_first_signal_tells_to_stop_and_only_the_second_ends_the_wait() {
        let signals = Signals::listen().unwrap();
        let stop = CancellationToken::new();
        let wait = tokio::spawn(signals.second(stop.clone()));
        send("-TERM");
        stop.cancelled().await;
        assert!(!wait.is_finished());
        send("-INT");
        wait.await.unwrap();
    }

    fn send(signal: &str) {
        let process = std::process::id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &process]).status().unwrap().success());
    }
}
