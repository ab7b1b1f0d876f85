use std::time::Duration;

use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// How often the daemon looks who is due.
const EVERY: Duration = Duration::from_secs(1);

/// A beat comes after this at the latest. The scheduler plans by the wall clock: one that is set back by
/// an hour would silence it for that hour.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);

/// One repeated job of the scheduler. A beat that finds the last one still at work is dropped.
pub(super) struct Heartbeat {
    scheduler: JobScheduler,
    beats: mpsc::Receiver<()>,
}

impl Heartbeat {
    pub(super) async fn start() -> Result<Self, JobSchedulerError> {
        let (sender, beats) = mpsc::channel(1);
        let scheduler = JobScheduler::new().await?;
        let job = Job::new_repeated(EVERY, move |_, _| {
            let _ = sender.try_send(());
        })?;
        scheduler.add(job).await?;
        scheduler.start().await?;
        Ok(Self { scheduler, beats })
    }

    pub(super) async fn next(&mut self) {
        next(&mut self.beats).await;
    }

    pub(super) async fn stop(mut self) -> Result<(), JobSchedulerError> {
        self.scheduler.shutdown().await
    }
}

async fn next(beats: &mut mpsc::Receiver<()>) {
    // A scheduler that is gone must not make a busy loop of the daemon either.
    let beat = async {
        if beats.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    };
    let _ = tokio::time::timeout(LONGEST_SILENCE, beat).await;
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn the_scheduler_beats() {
        let mut heart = Heartbeat::start().await.unwrap();
        assert_eq!(heart.beats.recv().await, Some(()));
        heart.stop().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_scheduler_that_a_clock_set_back_silences_or_that_is_gone_still_beats() {
        let (sender, mut beats) = mpsc::channel(1);
        let start = Instant::now();
        next(&mut beats).await;
        assert_eq!(start.elapsed(), LONGEST_SILENCE);
        drop(sender);
        next(&mut beats).await;
        assert_eq!(start.elapsed(), LONGEST_SILENCE * 2);
    }
}
