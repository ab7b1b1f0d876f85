use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::traffic::{Endpoint, Traffic};

/// Counts what requests cost. Shared by reference, so that an error leaves the figures behind.
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
    retries: AtomicU64,
    bytes: AtomicU64,
    traffic: Arc<Traffic>,
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

    /// One that counts into `traffic` too.
    #[must_use]
    pub(super) fn beside(traffic: &Arc<Traffic>) -> Self {
        Self { traffic: Arc::clone(traffic), ..Self::default() }
    }

    /// Another one that counts from 0, into the same traffic.
    #[must_use]
    pub(super) fn another(&self) -> Self {
        Self::beside(&self.traffic)
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

    /// How a request that was counted ended: with an answer of this status, or with none.
    pub(super) fn count_answer(&self, endpoint: Endpoint, status: Option<u16>) {
        self.traffic.count_request(endpoint, status);
    }

    pub(super) fn count_retry(&self, reason: String) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        self.traffic.count_retry(reason);
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
