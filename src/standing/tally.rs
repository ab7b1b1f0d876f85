use std::collections::BTreeMap;

use crate::store::{Ended, Store, StoreError};

/// What all runs that have ended did, by query: what the store still has of them at first, and then each run that
/// ends. It never falls, also where old runs are deleted.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Of the runs up to this one, all that have ended are counted.
    counted: i64,
    /// Those of them that have not.
    running: Vec<i64>,
    queries: BTreeMap<String, Totals>,
}

/// What the ended runs of one query did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// How many ended so, by `runs.status`.
    pub runs: BTreeMap<String, u64>,
    pub fetched: u64,
    pub created: u64,
    pub entered: u64,
    pub updated: u64,
    pub left: u64,
    pub rejected: u64,
    /// How long they took together.
    pub seconds: f64,
    /// How many took up to so many seconds as [`Ended::UP_TO`] says, each of them without those before.
    pub took: [u64; Ended::UP_TO.len()],
}

impl Tally {
    /// Counts the runs that have ended since it was last asked.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn catch_up(&mut self, store: &mut Store) -> Result<(), StoreError> {
        let since = store.ended_since(self.counted, &self.running).await?;
        self.counted = since.last.max(self.counted);
        self.running = since.running;
        for ended in since.ended {
            self.queries.entry(ended.query.clone()).or_default().add(&ended);
        }
        Ok(())
    }

    /// What the runs of `query` did; nothing, where none has ended.
    #[must_use]
    pub fn of(&self, query: &str) -> Totals {
        self.queries.get(query).cloned().unwrap_or_default()
    }
}

impl Totals {
    fn add(&mut self, ended: &Ended) {
        let natural = i64::unsigned_abs;
        *self.runs.entry(ended.status.clone()).or_default() += natural(ended.runs);
        self.fetched += natural(ended.fetched);
        self.created += natural(ended.created);
        self.entered += natural(ended.entered);
        self.updated += natural(ended.updated);
        self.left += natural(ended.left);
        self.rejected += natural(ended.rejected);
        self.seconds += ended.seconds;
        for (took, more) in self.took.iter_mut().zip(ended.took()) {
            *took += natural(more);
        }
    }

    /// How many runs there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.runs.values().sum()
    }
}
