//! Ends that come at any await.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio_util::sync::CancellationToken;

/// Polls `future` so many times and then drops it, as a death at any await would.
pub async fn until_death<F: Future>(future: F, polls: u64) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Polls `future` to its end, and after so many polls cancels `stop`, as a signal at any await would.
pub async fn with_signal<F: Future>(future: F, polls: u64, stop: &CancellationToken) -> F::Output {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|context| {
        polled += 1;
        if polled == polls {
            stop.cancel();
        }
        future.as_mut().poll(context)
    })
    .await
}
