use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what requests cost. Shared by reference, so that an error leaves the figures behind.
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
    retries: AtomicU64,
    bytes: AtomicU64,
}

/// The figures of a [`Meter`] at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Costs {
    /// HTTP requests sent, those for tokens included.
    pub requests: u64,
    /// How many times a request was tried again after a transient failure.
    pub retries: u64,
    /// Bytes of answers' bodies, after decompression.
    pub bytes: u64,
}

impl Meter {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn snapshot(&self) -> Costs {
        Costs {
            requests: self.requests.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn add(&self, costs: Costs) {
        self.requests.fetch_add(costs.requests, Ordering::Relaxed);
        self.retries.fetch_add(costs.retries, Ordering::Relaxed);
        self.bytes.fetch_add(costs.bytes, Ordering::Relaxed);
    }
}
