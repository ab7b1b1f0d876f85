//! The store: one SQLite file. Every statement of the program stands below this module, beside the types
//! of its rows.

mod age;
mod backup;
mod changes;
mod damage;
mod departures;
mod ended;
mod error;
mod exports;
mod feed_rows;
mod feeds;
mod fingerprint;
#[cfg(test)]
mod fresh;
mod handovers;
mod header;
mod history;
mod identity;
mod lock;
mod member_counts;
mod memberships;
mod open;
mod organizations;
mod pruning;
mod queries;
mod ready;
mod rejects;
mod renaming;
mod retention;
mod runs;
pub mod time;
mod views;
mod warehouses;
mod write;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sqlx::{Connection, Encode, QueryBuilder, Sqlite, SqliteConnection, Type};

pub use changes::{Change, Filter, NewChange};
pub use departures::Departures;
pub use ended::{Ended, EndedSince};
pub use error::StoreError;
pub use exports::Export;
pub use feed_rows::{FeedEnding, FeedFile, FeedPass, FeedSubject};
pub use feeds::FeedState;
pub use fingerprint::{Fingerprint, Fingerprinted};
pub use handovers::{FeedFileState, Handover, Tried};
pub use header::Header;
pub use identity::Identity;
pub use lock::Lock;
pub use memberships::Member;
pub use organizations::{Created, Known, Written};
pub use queries::{Held, Proved, Remembered};
pub use rejects::KEPT_A_RUN as REJECTS_KEPT_A_RUN;
pub use runs::{Numbers, Run, Status};
pub use warehouses::{Membership, Moment, Subject};
pub use write::{Begin, Ending, Writes};

use crate::organization::BusinessId;

/// An open store.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// `None` where it is only read.
    identity: Option<Identity>,
    rehearsal: Option<Rehearsal>,
    /// What was found damaged. Nothing more is written then.
    damage: Option<String>,
    connection: SqliteConnection,
}

/// Everything is written within one transaction that is never committed.
#[derive(Debug, Default)]
struct Rehearsal {
    /// SQLite ends a transaction by itself at some failures: what would be written then would stay.
    failed: bool,
}

impl Store {
    /// Opens the store for writing, makes it where there is none, and brings an earlier schema up to date.
    /// `_lock` shows that no other process does the same.
    ///
    /// # Errors
    /// A file that is not ours, newer or damaged (it is left as it is), or one that can't be written.
    pub async fn open(path: &Path, _lock: &Lock) -> Result<Self, StoreError> {
        let connection = open::for_writing(path).await?;
        let identity = Identity::of(path).ok();
        Ok(Self { path: path.to_owned(), identity, rehearsal: None, damage: None, connection })
    }

    /// Opens a store that is there for a rehearsal: whatever is written is seen through this value alone, and
    /// goes with it. Other programs can't write meanwhile.
    ///
    /// # Errors
    /// As for [`Store::open`]; also where there is no store yet, or one with an earlier schema.
    pub async fn rehearse(path: &Path, lock: &Lock) -> Result<Self, StoreError> {
        open::current(path).await?;
        let mut store = Self::open(path, lock).await?;
        let begun = store.connection.begin_with("BEGIN IMMEDIATE").await;
        // Its guard would end it here; the connection's own end does so in time.
        let begun = begun.map(std::mem::forget);
        store.checked(begun)?;
        store.rehearsal = Some(Rehearsal::default());
        Ok(store)
    }

    /// Looks whether the file is, or can become, a store of ours; writes nothing. Whether there is one yet.
    ///
    /// # Errors
    /// A file that is not ours, newer or damaged, or a folder that does not exist.
    pub async fn inspect(path: &Path) -> Result<bool, StoreError> {
        open::inspect(path).await.map(|found| !matches!(found, open::Found::Nothing))
    }

    /// Opens the store for reading, beside whoever writes it.
    ///
    /// # Errors
    /// As for [`Store::open`]; also where there is no store yet, or one with an earlier schema.
    pub async fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        let connection = open::for_reading(path).await?;
        Ok(Self { path: path.to_owned(), identity: None, rehearsal: None, damage: None, connection })
    }

    /// As [`Store::open_to_read`]; `None` where there is no store yet.
    ///
    /// # Errors
    /// As for [`Store::open_to_read`], but for that.
    pub async fn open_if_there(path: &Path) -> Result<Option<Self>, StoreError> {
        match Self::open_to_read(path).await {
            Err(StoreError::Absent(_)) => Ok(None),
            opened => opened.map(Some),
        }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses to write into a file that is no longer there, what is committed into one that was removed or
    /// replaced being lost without a word; into one that is damaged; and outside the transaction of a rehearsal.
    fn check_place(&self) -> Result<(), StoreError> {
        if let Some(damage) = self.damage() {
            return Err(damage);
        }
        if self.rehearsal.as_ref().is_some_and(|rehearsal| rehearsal.failed) {
            return Err(StoreError::RehearsalFailed(self.path.clone()));
        }
        match self.identity {
            Some(opened) if Identity::of(&self.path).ok() != Some(opened) => {
                Err(StoreError::Replaced(self.path.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Closes the file; what was committed is on the disk in any case.
    ///
    /// # Errors
    /// If SQLite can't close it.
    pub async fn close(mut self) -> Result<(), StoreError> {
        if self.rehearsal.is_some() {
            // Without a transaction any more, there is nothing to roll back.
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
        }
        let guard = self.guard_damaged().await;
        let closed = self.connection.close().await;
        drop(guard);
        closed.map_err(|error| StoreError::from_sql(&self.path, error))
    }

    /// The organizations with these ids that the store knows, by id, with `query`'s membership.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn look_up(
        &mut self,
        query: i64,
        ids: &[&BusinessId],
    ) -> Result<HashMap<String, Known>, StoreError> {
        let result = organizations::look_up(&mut self.connection, query, ids).await;
        self.checked(result)
    }

    /// The members of `query` among these ids of whom nothing has to be looked at if their rows are the same.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn fingerprints(
        &mut self,
        query: i64,
        ids: &[&BusinessId],
    ) -> Result<HashMap<String, Fingerprinted>, StoreError> {
        let result = fingerprint::look_up(&mut self.connection, query, ids).await;
        self.checked(result)
    }

    /// The number that the next new organization gets.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn next_organization(&mut self) -> Result<i64, StoreError> {
        let result = organizations::next_id(&mut self.connection).await;
        self.checked(result)
    }

    /// The queries other than `query` that hold these organizations.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn other_holders(
        &mut self,
        query: i64,
        organizations: &[i64],
    ) -> Result<HashMap<i64, Vec<i64>>, StoreError> {
        let result = memberships::other_holders(&mut self.connection, query, organizations).await;
        self.checked(result)
    }

    /// The members of `query` whose numbers `wanted` picks.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn members(
        &mut self,
        query: i64,
        wanted: impl Fn(u64) -> bool,
    ) -> Result<Vec<Member>, StoreError> {
        let result = memberships::members(&mut self.connection, query, wanted).await;
        self.checked(result)
    }

    /// All queries that the store remembers, by name.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn queries(&mut self) -> Result<Vec<Remembered>, StoreError> {
        let result = queries::all(&mut self.connection).await;
        self.checked(result)
    }

    /// The top-level keys of each query's rows, by the query's id.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn owned_keys(&mut self) -> Result<HashMap<i64, crate::merge::Keys>, StoreError> {
        let result = queries::owned_keys(&mut self.connection).await;
        self.checked(result)
    }

    /// The latest runs of `query`, newest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn latest_runs(&mut self, query: &str, limit: u32) -> Result<Vec<Run>, StoreError> {
        let result = runs::latest(&mut self.connection, query, limit).await;
        self.checked(result)
    }

    /// The latest succeeded run of `query` that started at `now` or before. What it did before it was pruned counts
    /// no more.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn last_success(&mut self, query: &Remembered, now: &str) -> Result<Option<Run>, StoreError> {
        if query.definition.is_none() {
            return Ok(None);
        }
        let result = runs::last_success(&mut self.connection, &query.name, now).await;
        self.checked(result)
    }

    /// Up to `limit` entries of the change log, ascending.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn changes(&mut self, filter: &Filter, limit: u32) -> Result<Vec<Change>, StoreError> {
        let result = changes::read(&mut self.connection, filter, limit).await;
        self.checked(result)
    }

    /// The number of the latest entry of the change log; 0 if there is none.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn last_change(&mut self) -> Result<i64, StoreError> {
        let result = changes::last(&mut self.connection).await;
        self.checked(result)
    }

    fn checked<T>(&mut self, result: sqlx::Result<T>) -> Result<T, StoreError> {
        if let (Err(_), Some(rehearsal)) = (&result, &mut self.rehearsal) {
            rehearsal.failed = true;
        }
        let result = result.map_err(|error| StoreError::from_sql(&self.path, error));
        self.noticed(result)
    }
}

/// Adds ` (?, ?, …)` with these values: the list of an `IN`.
fn push_list<'a, T>(sql: &mut QueryBuilder<Sqlite>, values: impl IntoIterator<Item = T>)
where
    T: Encode<'a, Sqlite> + Type<Sqlite>,
{
    sql.push(" (");
    let mut list = sql.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    sql.push(")");
}
