//! How many rows a query has, counted anew.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::vainu::{self, Client, CountStatus, Meter, Selection};

/// The first wait for a count that is being made; each further one is longer, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The fresh count of `selection`, or why there is none: without a count a run goes on, but proves less.
///
/// # Errors
/// Refused credentials, or no connection for as long as one request is tried: nothing else that is asked
/// could succeed either.
pub async fn fresh(
    client: &Client,
    selection: &Selection,
    patience: Duration,
    meter: &Meter,
) -> Result<Result<u64, NoCount>, vainu::Error> {
    match timeout(patience, poll(client, selection, meter)).await {
        Err(_) => Ok(Err(NoCount::TooSlow(patience))),
        Ok(Ok(count)) => Ok(count),
        Ok(Err(error)) if is_hopeless(&error) => Err(error),
        Ok(Err(error)) => Ok(Err(NoCount::Refused(error))),
    }
}

/// Why there is no count.
#[derive(Debug, thiserror::Error)]
pub enum NoCount {
    #[error("no count within {}", humantime::format_duration(*.0))]
    TooSlow(Duration),
    #[error("the API could not count: {0}")]
    Failed(String),
    #[error(transparent)]
    Refused(vainu::Error),
}

async fn poll(
    client: &Client,
    selection: &Selection,
    meter: &Meter,
) -> Result<Result<u64, NoCount>, vainu::Error> {
    let started = Instant::now();
    let mut wait = FIRST_WAIT;
    loop {
        // A count may be as old as our first request, so that polling never starts it anew.
        let age = Duration::from_secs(started.elapsed().as_secs());
        match client.count(selection, age, meter).await?.status {
            CountStatus::Ready(count) => return Ok(Ok(count)),
            CountStatus::Failed(detail) => return Ok(Err(NoCount::Failed(detail))),
            CountStatus::Pending => {}
        }
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

fn is_hopeless(error: &vainu::Error) -> bool {
    let unreachable = matches!(error, vainu::Error::Unavailable { cause: vainu::Cause::Transport(_), .. });
    unreachable || matches!(error.kind(), vainu::Kind::Credentials | vainu::Kind::Setup)
}
