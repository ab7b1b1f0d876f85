//! How many rows a query has, counted anew.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};

use crate::vainu::{self, Client, CountAnswer, CountStatus, Delays, Meter, Selection};

/// What was counted.
#[derive(Debug)]
pub struct Counted {
    /// How many, or why that is not known: without a count a run goes on, but proves less.
    pub number: Result<u64, NoCount>,
    /// The server's time at its first answer, if it told.
    pub date: Option<Timestamp>,
}

/// The fresh count of `selection`.
///
/// # Errors
/// No access token, or no connection for as long as one request is tried: nothing else that is asked could
/// succeed either.
pub async fn fresh(
    client: &Client,
    selection: &Selection,
    patience: Duration,
    meter: &Meter,
) -> Result<Counted, vainu::Error> {
    if patience.is_zero() {
        return Ok(Counted { number: Err(NoCount::TooSlow(patience)), date: None });
    }
    let started = Instant::now();
    // Until the first answer only `api.retry_for` counts: an outage must not end as a run without a guard.
    let first = match client.count(selection, Duration::ZERO, meter).await {
        Err(error) if error.is_hopeless() => return Err(error),
        Err(error) => return Ok(Counted { number: Err(NoCount::Refused(error)), date: None }),
        Ok(answer) => answer,
    };
    let date = first.date;
    let number = match timeout(patience, poll(client, selection, first, started, meter)).await {
        Err(_) => Err(NoCount::TooSlow(patience)),
        Ok(Ok(count)) => count,
        Ok(Err(error)) if error.is_hopeless() => return Err(error),
        Ok(Err(error)) => Err(NoCount::Refused(error)),
    };
    Ok(Counted { number, date })
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

/// Asks again until `answer` is final.
async fn poll(
    client: &Client,
    selection: &Selection,
    mut answer: CountAnswer,
    started: Instant,
    meter: &Meter,
) -> Result<Result<u64, NoCount>, vainu::Error> {
    let Delays { first, longest } = client.count_waits();
    let mut wait = first;
    loop {
        match answer.status {
            CountStatus::Ready(count) => return Ok(Ok(count)),
            CountStatus::Failed(detail) => return Ok(Err(NoCount::Failed(detail))),
            CountStatus::Pending => {}
        }
        sleep(wait).await;
        wait = (wait * 2).min(longest);
        // A count may be as old as our first request, so that polling never starts it anew.
        let age = Duration::from_secs(started.elapsed().as_secs());
        answer = client.count(selection, age, meter).await?;
    }
}
