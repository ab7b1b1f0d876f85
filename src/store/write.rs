//! The transactions of a run: its begin, its batches, its end. Each leaves the store true.

use sqlx::{Connection, Sqlite, Transaction};

use super::{
    Created, Departures, Fingerprinted, Held, NewChange, Numbers, Proved, Remembered, Status, Store,
    StoreError, Written, changes, departures, exports, fingerprint, member_counts, memberships, open,
    organizations, queries, rejects, runs, views,
};
use crate::listing::Way;
use crate::merge::Keys;
use crate::organization::{Database, Rejected};

/// What a run begins with.
#[derive(Debug)]
pub struct Begin<'a> {
    pub query: &'a str,
    pub database: Database,
    pub fields: &'a [String],
    pub owned: &'a Keys,
    pub definition: &'a str,
    /// As far as it is known yet.
    pub fetch: Way,
    pub planned_at: Option<String>,
    pub now: &'a str,
}

/// What one batch writes of `database`.
#[derive(Debug)]
pub struct Writes {
    pub database: Database,
    pub created: Vec<Created>,
    /// Known organizations that are written anew.
    pub altered: Vec<Written>,
    /// Of these, the ones that other queries hold, too.
    pub shared: Vec<i64>,
    /// Organizations that come into the query, new or back.
    pub entered: Vec<Fingerprinted>,
    /// Members that were looked at, by which rows.
    pub looked_at: Vec<Fingerprinted>,
    /// Members that were missing and are not any more.
    pub found_again: Vec<i64>,
    pub changes: Vec<NewChange>,
    pub rejects: Vec<Rejected>,
}

impl Writes {
    /// Nothing yet.
    #[must_use]
    pub fn of(database: Database) -> Self {
        Self {
            database,
            created: Vec::new(),
            altered: Vec::new(),
            shared: Vec::new(),
            entered: Vec::new(),
            looked_at: Vec::new(),
            found_again: Vec::new(),
            changes: Vec::new(),
            rejects: Vec::new(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.created.is_empty()
            && self.altered.is_empty()
            && self.entered.is_empty()
            && self.looked_at.is_empty()
            && self.found_again.is_empty()
            && self.changes.is_empty()
            && self.rejects.is_empty()
    }
}

/// How a run ends.
#[derive(Debug)]
pub struct Ending<'a> {
    pub run: i64,
    pub query: i64,
    pub status: Status,
    pub numbers: &'a Numbers,
    pub error: Option<&'a str>,
    pub departures: Departures,
    /// `Some` if the run succeeded.
    pub proved: Option<Proved>,
    /// What holds the query, if anything does.
    pub held: Option<Held>,
    /// The way that the next run is to take, if this one changes it.
    pub next_fetch: Option<Way>,
    /// Any export under way is read, outdated or dead.
    pub export_over: bool,
    pub now: &'a str,
}

impl Store {
    /// Begins a run: its line in `runs`, the query's place in the store and its view.
    ///
    /// # Errors
    /// If the store can't be written; then nothing was.
    pub async fn begin(&mut self, begin: &Begin<'_>) -> Result<(i64, Remembered), StoreError> {
        self.check_place()?;
        let result = self.try_begin(begin).await;
        self.checked(result)
    }

    /// Commits one batch, synced to disk.
    ///
    /// # Errors
    /// If the store can't be written; then nothing of the batch was.
    pub async fn write(
        &mut self,
        run: i64,
        query: i64,
        now: &str,
        writes: Writes,
        numbers: &Numbers,
    ) -> Result<(), StoreError> {
        self.check_place()?;
        let result = self.try_write(run, query, now, writes, numbers).await;
        self.checked(result)
    }

    /// Commits departures, what was proved and the run's status at once.
    ///
    /// # Errors
    /// If the store can't be written; then nothing was, and the run counts as interrupted.
    pub async fn end(&mut self, ending: &Ending<'_>) -> Result<(), StoreError> {
        self.check_place()?;
        let result = self.try_end(ending).await;
        self.checked(result)
    }

    /// Writes down the way that a run lists by.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn set_fetch(&mut self, run: i64, fetch: Way) -> Result<(), StoreError> {
        self.check_place()?;
        let result = runs::set_fetch(&mut self.connection, run, fetch).await;
        self.checked(result)
    }

    /// Makes a run an incremental one, over the changes from `start` to `end`.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn set_window(&mut self, run: i64, start: &str, end: &str) -> Result<(), StoreError> {
        self.check_place()?;
        let result = runs::set_window(&mut self.connection, run, start, end).await;
        self.checked(result)
    }

    /// Remembers that the configuration has these queries and no others.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn retire(&mut self, configured: &[&str]) -> Result<(), StoreError> {
        self.check_place()?;
        let result = queries::retire(&mut self.connection, configured).await;
        for query in self.checked(result)? {
            tracing::info!(query, "is not in the configuration: should it come back, its first run is full");
        }
        Ok(())
    }

    /// Remembers that a person let through what holds a query.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn accept(&mut self, query: i64, held: &Held) -> Result<(), StoreError> {
        self.check_place()?;
        let result = queries::set_held(&mut self.connection, query, held).await;
        self.checked(result)
    }

    pub(super) async fn transaction(&mut self) -> sqlx::Result<Transaction<'_, Sqlite>> {
        if self.rehearsal.is_some() {
            return self.connection.begin().await;
        }
        self.leave_rolled_back().await?;
        self.connection.begin_with("BEGIN IMMEDIATE").await
    }

    /// SQLite rolls back by itself where the disk fails or is full. sqlx's own rollback is refused then, so that its
    /// connection counts the transaction on and begins no other: it takes a new one.
    pub(super) async fn leave_rolled_back(&mut self) -> sqlx::Result<()> {
        if self.connection.is_in_transaction() {
            // Its rollback may be under way still.
            self.connection.ping().await?;
        }
        if self.connection.is_in_transaction() {
            self.connection = open::connect(&self.path, open::Missing::Fails).await?;
        }
        Ok(())
    }

    async fn try_begin(&mut self, begin: &Begin<'_>) -> sqlx::Result<(i64, Remembered)> {
        let mut tx = self.transaction().await?;
        let query = queries::register(&mut tx, begin.query, begin.database, begin.owned, begin.now).await?;
        if query.definition.as_deref().is_some_and(|definition| definition != begin.definition) {
            memberships::clear_missing(&mut tx, query.id).await?;
            queries::forget_watermark(&mut tx, query.id).await?;
        }
        views::renew(&mut tx, query.id, begin.query, begin.fields).await?;
        let planned_at = begin.planned_at.as_deref();
        let run = runs::begin(&mut tx, begin.query, begin.fetch, planned_at, begin.now).await?;
        tx.commit().await?;
        Ok((run, query))
    }

    async fn try_write(
        &mut self,
        run: i64,
        query: i64,
        now: &str,
        writes: Writes,
        numbers: &Numbers,
    ) -> sqlx::Result<()> {
        let mut tx = self.transaction().await?;
        organizations::insert(&mut tx, writes.database, now, writes.created).await?;
        organizations::update(&mut tx, &writes.altered).await?;
        memberships::enter(&mut tx, query, &writes.entered, now).await?;
        fingerprint::remember(&mut tx, query, &writes.looked_at).await?;
        fingerprint::forget_others(&mut tx, query, &writes.shared).await?;
        memberships::set_missing(&mut tx, query, &writes.found_again, None).await?;
        changes::append(&mut tx, Some(run), query, now, &writes.changes).await?;
        rejects::append(&mut tx, run, now, &writes.rejects).await?;
        runs::record(&mut tx, run, numbers).await?;
        tx.commit().await
    }

    async fn try_end(&mut self, ending: &Ending<'_>) -> sqlx::Result<()> {
        let mut tx = self.transaction().await?;
        departures::depart(&mut tx, Some(ending.run), ending.query, &ending.departures, ending.now).await?;
        member_counts::renew(&mut tx, ending.query).await?;
        if let Some(proved) = &ending.proved {
            queries::advance(&mut tx, ending.query, proved).await?;
        }
        if let Some(held) = &ending.held {
            queries::set_held(&mut tx, ending.query, held).await?;
        }
        if let Some(way) = ending.next_fetch {
            exports::set_next_fetch(&mut tx, ending.query, way).await?;
        }
        if ending.export_over {
            exports::set(&mut tx, ending.query, None).await?;
        }
        runs::record(&mut tx, ending.run, ending.numbers).await?;
        runs::end(&mut tx, ending.run, ending.status, ending.error, ending.now).await?;
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fresh;

    #[tokio::test]
    async fn once_a_full_disk_has_room_again_the_same_process_writes_on() {
        let (mut store, _place) = fresh::store().await;
        let large = "INSERT INTO rejects VALUES (1, '', '', hex(zeroblob(100000)))";
        sqlx::query("PRAGMA max_page_count = 1").execute(&mut store.connection).await.unwrap();
        let mut tx = store.transaction().await.unwrap();
        let error = sqlx::query(large).execute(&mut *tx).await.unwrap_err();
        drop(tx);
        assert!(matches!(StoreError::from_sql(store.path(), error), StoreError::Full(_)));
        let mut tx = store.transaction().await.unwrap();
        sqlx::query(large).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM rejects")
            .fetch_one(&mut store.connection)
            .await
            .unwrap();
        assert_eq!(rows, 1);
        store.close().await.unwrap();
    }
}
