//! The files of feeds, and how far they are handed over.

use std::path::Path;

use serde::Serialize;
use sqlx::{FromRow, SqliteConnection};

use super::{Identity, Store, StoreError, open};

/// A file of a feed.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct FeedFileState {
    pub sequence: i64,
    /// Its name.
    pub file: String,
    pub sha256: String,
    pub rows: i64,
    /// JSON: its headers.
    pub columns: String,
    pub written_at: String,
}

/// How far one way has got with handing over the files of one feed.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow, Serialize)]
pub struct Handover {
    /// Whoever shows it says so already.
    #[serde(skip)]
    pub feed: String,
    /// `after` or `webhook`.
    pub way: String,
    /// Files up to this number are handed over.
    pub sequence: i64,
    /// Files that are not.
    pub waiting: i64,
    pub handed_at: Option<String>,
    pub tried_at: Option<String>,
    /// Tries in a row that have failed.
    pub failures: i64,
    /// How the last try ended.
    pub ended: Option<String>,
    /// The end of what it said.
    pub output: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// What came of one try.
#[derive(Debug, Clone, Copy)]
pub struct Tried<'a> {
    pub at: &'a str,
    pub ended: Option<&'a str>,
    pub output: Option<&'a str>,
    /// `None`: the file is handed over.
    pub error: Option<&'a str>,
}

const FILE: &str = "SELECT sequence, file, sha256, rows, columns, written_at FROM _feed_files";

const SELECT: &str = "SELECT f.name AS feed, h.way, h.sequence, h.handed_at, h.tried_at, h.failures, h.ended, \
     h.output, h.error, (SELECT count(*) FROM _feed_files w WHERE w.feed = h.feed AND w.sequence > h.sequence \
     AND NOT w.unplaced) AS waiting FROM _feed_handovers h JOIN _feeds f ON f.id = h.feed";

impl Store {
    /// Opens a store that is there for short writes beside whoever has its lock: of what is handed over, and of
    /// nothing that a run reads.
    ///
    /// # Errors
    /// As for [`Store::open_to_read`].
    pub async fn open_beside(path: &Path) -> Result<Self, StoreError> {
        open::current(path).await?;
        let connection = open::connect(path, open::Missing::Fails).await;
        let connection = connection.map_err(|error| StoreError::from_sql(path, error))?;
        let identity = Identity::of(path).ok();
        Ok(Self { path: path.to_owned(), identity, rehearsal: None, damage: None, connection })
    }

    /// How far all feeds are handed over.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn handovers(&mut self) -> Result<Vec<Handover>, StoreError> {
        let sql = format!("{SELECT} ORDER BY f.name, h.way");
        let result = sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&mut self.connection).await;
        self.checked(result)
    }

    /// The same of one feed by one way; `None`: nothing was ever handed over so.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn handover(&mut self, feed: &str, way: &str) -> Result<Option<Handover>, StoreError> {
        let sql = format!("{SELECT} WHERE f.name = ? AND h.way = ?");
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(feed).bind(way);
        let result = query.fetch_optional(&mut self.connection).await;
        self.checked(result)
    }

    /// The files of `feed` after number `sequence` that have their names, in their order.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn files_after(&mut self, feed: &str, sequence: i64) -> Result<Vec<FeedFileState>, StoreError> {
        let sql = format!(
            "{FILE} WHERE feed = (SELECT id FROM _feeds WHERE name = ?) AND sequence > ? AND NOT unplaced \
             ORDER BY sequence"
        );
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(feed).bind(sequence);
        let result = query.fetch_all(&mut self.connection).await;
        self.checked(result)
    }

    /// The files of a feed that may still have their temporary names, in their order.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn unplaced_files(&mut self, feed: i64) -> Result<Vec<FeedFileState>, StoreError> {
        let sql = format!("{FILE} WHERE feed = ? AND unplaced ORDER BY sequence");
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(feed);
        let result = query.fetch_all(&mut self.connection).await;
        self.checked(result)
    }

    /// Forgets the files that were committed last and of which one was lost before it had its name.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn forget_unplaced_files(&mut self, feed: i64) -> Result<(), StoreError> {
        self.check_place()?;
        let query = sqlx::query("DELETE FROM _feed_files WHERE feed = ? AND unplaced");
        let result = query.bind(feed).execute(&mut self.connection).await;
        self.checked(result.map(|_| ()))
    }

    /// Forgets the files of a feed before number `first`.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn forget_files(&mut self, feed: i64, first: i64) -> Result<(), StoreError> {
        self.check_place()?;
        let query = sqlx::query("DELETE FROM _feed_files WHERE feed = ? AND sequence < ?");
        let result = query.bind(feed).bind(first).execute(&mut self.connection).await;
        self.checked(result.map(|_| ()))
    }

    /// Remembers that the files of `feed` up to number `sequence` need not be handed over this way.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn pass_over(&mut self, feed: &str, way: &str, sequence: i64) -> Result<(), StoreError> {
        self.check_place()?;
        let result = sqlx::query(
            "INSERT INTO _feed_handovers (feed, way, sequence) SELECT id, ?2, ?3 FROM _feeds WHERE name = ?1 \
             ON CONFLICT (feed, way) DO UPDATE SET sequence = max(sequence, excluded.sequence)",
        )
        .bind(feed)
        .bind(way)
        .bind(sequence)
        .execute(&mut self.connection)
        .await;
        self.checked(result.map(|_| ()))
    }

    /// Remembers what came of a try to hand over file `sequence`.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn tried(
        &mut self,
        feed: &str,
        way: &str,
        sequence: i64,
        tried: Tried<'_>,
    ) -> Result<(), StoreError> {
        self.check_place()?;
        let result = remember(&mut self.connection, feed, way, sequence, tried).await;
        self.checked(result)
    }
}

async fn remember(
    connection: &mut SqliteConnection,
    feed: &str,
    way: &str,
    sequence: i64,
    tried: Tried<'_>,
) -> sqlx::Result<()> {
    let Tried { at, ended, output, error } = tried;
    sqlx::query(
        "UPDATE _feed_handovers SET tried_at = ?3, ended = ?4, output = ?5, error = ?6, \
         failures = iif(?6 IS NULL, 0, failures + 1), sequence = iif(?6 IS NULL, ?7, sequence), \
         handed_at = iif(?6 IS NULL, ?3, handed_at) \
         WHERE way = ?2 AND feed = (SELECT id FROM _feeds WHERE name = ?1)",
    )
    .bind(feed)
    .bind(way)
    .bind(at)
    .bind(ended)
    .bind(output)
    .bind(error)
    .bind(sequence)
    .execute(connection)
    .await
    .map(|_| ())
}
