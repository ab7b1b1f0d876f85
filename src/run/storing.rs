//! Rows from the listing into the store, batch by batch.

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::Progress;
use super::batch::{self, Batch, Incoming, Knowledge, Seen, Standing};
use super::fingerprint::Fingerprints;
use super::leaving::no_object;
use crate::listing::Read;
use crate::store::{Numbers, Store, StoreError, Writes, time};
use crate::vainu::Meter;

/// Stores the rows of one run.
pub struct Storing<'a> {
    pub store: &'a mut Store,
    pub run: i64,
    pub query: i64,
    pub standing: Standing,
    pub fingerprints: Fingerprints,
    /// Whether the query had members when the run began: without, no row can be the one that came last time.
    pub had_members: bool,
    pub seen: Seen,
    pub numbers: Numbers,
    /// Rows in one commit.
    pub batch_rows: usize,
    pub meter: &'a Meter,
    pub progress: &'a dyn Progress,
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
}

impl Storing<'_> {
    /// Stores what comes until the listing ends.
    ///
    /// # Errors
    /// If the store can't be written; the batches before are committed.
    pub async fn all(&mut self, mut pages: mpsc::Receiver<Vec<Read>>) -> Result<(), StoreError> {
        let mut batch = Vec::new();
        while let Some(page) = pages.recv().await {
            batch.extend(page);
            if batch.len() >= self.batch_rows {
                self.batch(std::mem::take(&mut batch)).await?;
            }
        }
        self.batch(batch).await
    }

    /// Stores one batch in one commit; without a difference there is none.
    ///
    /// # Errors
    /// If the store can't be written; then nothing of the batch was.
    pub async fn batch(&mut self, rows: Vec<Read>) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let rows: Vec<Incoming> = rows.into_iter().map(|row| self.fingerprints.with(row)).collect();
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

    /// What the store has to tell of `rows`: much only of those that are not the same as last time.
    async fn knowledge(&mut self, rows: &[Incoming]) -> Result<Knowledge, StoreError> {
        let mut knowledge = Knowledge::default();
        if self.had_members {
            knowledge.fingerprints = self.store.fingerprints(self.query, &batch::ids(rows)).await?;
        }
        let suspects = batch::ids_to_look_at(rows, &knowledge);
        if !suspects.is_empty() {
            knowledge.organizations = self.store.look_up(self.query, &suspects).await?;
            let numbers: Vec<i64> = knowledge.organizations.values().map(|known| known.id).collect();
            knowledge.holders = self.store.other_holders(self.query, &numbers).await?;
            knowledge.next = self.store.next_organization().await?;
        }
        Ok(knowledge)
    }
}
