//! Rows from the listing into the store: those that came last time, too, are passed over, the others are stored batch
//! by batch.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::batch::{self, Batch, Incoming, Knowledge, Seen, Standing};
use super::fingerprint::Fingerprints;
use super::leaving::no_object;
use super::{BATCH_BYTES, Progress};
use crate::listing::Read;
use crate::organization::BusinessId;
use crate::store::{Fingerprinted, Numbers, Store, StoreError, Writes, time};
use crate::vainu::Meter;

/// Stores the rows of one run.
pub struct Storing<'a> {
    pub store: &'a mut Store,
    pub run: i64,
    pub query: i64,
    pub standing: Standing,
    pub fingerprints: Fingerprints,
    /// Whether a row that came last time, too, is passed over.
    pub passes_over: bool,
    pub seen: Seen,
    pub numbers: Numbers,
    /// Rows in one commit, of those that have to be looked at; fewer where they are large.
    pub batch_rows: usize,
    pub waiting: Waiting,
    pub meter: &'a Meter,
    pub progress: &'a dyn Progress,
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
}

/// Rows that have to be looked at, until they are enough for a commit.
#[derive(Debug, Default)]
pub struct Waiting {
    rows: Vec<Incoming>,
    /// Of their JSON text.
    bytes: usize,
    /// Whose rows these are. The first row of an id wins, so that a later one waits behind it.
    ids: HashSet<BusinessId>,
}

impl Waiting {
    fn push(&mut self, row: Incoming) {
        self.bytes += match &row {
            Ok((row, _)) => row.text().len(),
            Err(set_aside) => set_aside.text.len(),
        };
        self.rows.push(row);
    }

    fn is_enough(&self, batch_rows: usize) -> bool {
        self.rows.len() >= batch_rows || self.bytes >= BATCH_BYTES
    }
}

impl Storing<'_> {
    /// Stores what comes until the listing ends.
    ///
    /// # Errors
    /// If the store can't be written; the batches before are committed.
    pub async fn all(&mut self, mut pages: mpsc::Receiver<Vec<Read>>) -> Result<(), StoreError> {
        while let Some(page) = pages.recv().await {
            self.sift(page).await?;
            if self.waiting.is_enough(self.batch_rows) {
                self.store_waiting().await?;
            }
        }
        self.store_waiting().await
    }

    /// Stores these rows, in one commit at most.
    ///
    /// # Errors
    /// If the store can't be written; then nothing was.
    pub async fn batch(&mut self, rows: Vec<Read>) -> Result<(), StoreError> {
        self.sift(rows).await?;
        self.store_waiting().await
    }

    /// Lets those rows wait that have to be looked at. Of a row that came last time, too, nothing is to be done.
    async fn sift(&mut self, rows: Vec<Read>) -> Result<(), StoreError> {
        self.numbers.fetched += rows.len() as u64;
        let rows: Vec<Incoming> = rows.into_iter().map(|row| self.fingerprints.with(row)).collect();
        if !self.passes_over {
            for row in rows {
                self.waiting.push(row);
            }
            return Ok(());
        }
        let last = self.store.fingerprints(self.query, &batch::ids(&rows)).await?;
        for row in rows {
            match self.came_last_time(&row, &last) {
                Some(organization) if self.seen.organizations.insert(organization) => {
                    self.numbers.unchanged += 1;
                }
                Some(_) => {}
                None => self.let_wait(row),
            }
        }
        self.progress.stored(self.numbers.fetched - self.waiting.rows.len() as u64);
        Ok(())
    }

    /// The member whose row this was last time, too.
    fn came_last_time(&self, row: &Incoming, last: &HashMap<String, Fingerprinted>) -> Option<u64> {
        let (row, fingerprint) = row.as_ref().ok()?;
        let last = last.get(row.id().as_str()).filter(|last| last.fingerprint == *fingerprint)?;
        (!self.waiting.ids.contains(row.id())).then_some(last.organization.unsigned_abs())
    }

    fn let_wait(&mut self, row: Incoming) {
        if let Ok((row, _)) = &row {
            self.waiting.ids.insert(row.id().clone());
        }
        self.waiting.push(row);
    }

    /// Stores what waits in one commit; without a difference there is none.
    async fn store_waiting(&mut self) -> Result<(), StoreError> {
        let Waiting { rows, .. } = std::mem::take(&mut self.waiting);
        if rows.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let knowledge = self.knowledge(&rows).await?;
        let mut numbers = self.numbers();
        let mut batch = Batch {
            standing: &self.standing,
            knowledge,
            seen: &mut self.seen,
            numbers: &mut numbers,
            now: &now,
            writes: Writes::of(self.standing.database),
            unreadable: None,
        };
        batch.plan(rows);
        let (writes, unreadable) = (batch.writes, batch.unreadable);
        if let Some(id) = unreadable {
            return Err(self.store.found_damaged(no_object(id.as_str())));
        }
        if !writes.is_empty() {
            self.store.write(self.run, self.query, &now, writes, &numbers).await?;
        }
        self.numbers = numbers;
        self.progress.stored(numbers.fetched);
        Ok(())
    }

    /// The numbers of the run so far, with what its requests have cost.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        let costs = self.meter.snapshot();
        Numbers { requests: costs.requests, retries: costs.retries, bytes: costs.bytes, ..self.numbers }
    }

    /// The present, as the store writes it.
    #[must_use]
    pub fn now(&self) -> String {
        time::to_text((self.clock)())
    }

    /// What the store has to tell of `rows`.
    async fn knowledge(&mut self, rows: &[Incoming]) -> Result<Knowledge, StoreError> {
        let organizations = self.store.look_up(self.query, &batch::ids(rows)).await?;
        let numbers: Vec<i64> = organizations.values().map(|known| known.id).collect();
        let holders = self.store.other_holders(self.query, &numbers).await?;
        Ok(Knowledge { organizations, holders, next: self.store.next_organization().await? })
    }
}
