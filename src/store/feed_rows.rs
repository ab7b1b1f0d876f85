//! One feed's pass over the store: which organizations it has to look at, what is true of each, and what it wrote.
//! All within one transaction, so that a pass that dies has not happened.

mod ending;

use std::path::PathBuf;

use futures_util::TryStreamExt;
use roaring::RoaringTreemap;
use sqlx::{FromRow, QueryBuilder, Sqlite, SqliteConnection, Transaction};

pub use ending::{FeedEnding, FeedFile};

use super::{Store, StoreError, push_list};
use ending::end;

/// Rows in one statement.
const ROWS_A_STATEMENT: usize = 1000;

/// A pass that is under way; dropped, it has not happened.
pub struct FeedPass<'s> {
    path: PathBuf,
    tx: Transaction<'s, Sqlite>,
    feed: i64,
}

/// What is true of an organization, and what the feed wrote of it.
#[derive(Debug, FromRow)]
pub struct FeedSubject {
    pub id: i64,
    pub business_id: String,
    pub changed_at: String,
    /// `Some` for a member.
    pub document: Option<String>,
    /// When the last of the feed's queries let it go.
    pub left_at: Option<String>,
    /// Whether the feed has a row for it, one that it has removed among them.
    pub is_written: bool,
    /// Of that row; `None`: removed, or there is none.
    pub hash: Option<Vec<u8>>,
}

impl Store {
    /// Begins a pass of `feed`. Until it ends, nothing else writes the store.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn begin_feed_pass(&mut self, feed: i64) -> Result<FeedPass<'_>, StoreError> {
        self.check_place()?;
        let path = self.path.clone();
        match self.transaction().await {
            Ok(tx) => Ok(FeedPass { path, tx, feed }),
            Err(error) => Err(StoreError::from_sql(&path, error)),
        }
    }

    /// The numbers of the first and the last entry that the change log has had since it was last let go of: the
    /// first that is left, and the last that was ever given.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn log_span(&mut self) -> Result<(Option<i64>, i64), StoreError> {
        let result = log_span(&mut self.connection).await;
        self.checked(result)
    }
}

impl FeedPass<'_> {
    /// The organizations that the log names after entry `since`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn changed(&mut self, since: i64) -> Result<RoaringTreemap, StoreError> {
        let mut sql = QueryBuilder::new("SELECT organization FROM _changes WHERE seq > ");
        sql.push_bind(since);
        let found = collect(&mut self.tx, &mut sql).await;
        self.checked(found)
    }

    /// The members of these queries.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn members(&mut self, queries: &[i64]) -> Result<RoaringTreemap, StoreError> {
        let mut sql =
            QueryBuilder::new("SELECT organization FROM _memberships WHERE left_at IS NULL AND query IN");
        push_list(&mut sql, queries);
        let found = collect(&mut self.tx, &mut sql).await;
        self.checked(found)
    }

    /// The organizations that the feed has a row for.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn written(&mut self) -> Result<RoaringTreemap, StoreError> {
        let mut sql = QueryBuilder::new("SELECT organization FROM _feed_rows WHERE feed = ");
        sql.push_bind(self.feed);
        let found = collect(&mut self.tx, &mut sql).await;
        self.checked(found)
    }

    /// What is true of these organizations, ascending.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn subjects(
        &mut self,
        queries: &[i64],
        organizations: &[i64],
    ) -> Result<Vec<FeedSubject>, StoreError> {
        let subjects = subjects(&mut self.tx, self.feed, queries, organizations).await;
        self.checked(subjects)
    }

    /// Of these ids those that no member of these queries has, and that the feed has no row for either: it has just
    /// removed whom it has a row for and who is no member.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn strangers(
        &mut self,
        queries: &[i64],
        mut ids: Vec<String>,
    ) -> Result<Vec<String>, StoreError> {
        let mut known: Vec<String> = Vec::new();
        for ids in ids.chunks(ROWS_A_STATEMENT) {
            let mut sql = QueryBuilder::new("SELECT business_id FROM organizations o WHERE business_id IN");
            push_list(&mut sql, ids.iter().map(String::as_str));
            sql.push(" AND (EXISTS (");
            push_membership(&mut sql, queries);
            sql.push(") OR EXISTS (SELECT 1 FROM _feed_rows r WHERE r.organization = o.id AND r.feed = ");
            sql.push_bind(self.feed).push("))");
            let found = sql.build_query_scalar().fetch_all(&mut *self.tx).await;
            let found: Vec<String> = self.checked(found)?;
            known.extend(found);
        }
        known.sort();
        ids.retain(|id| known.binary_search(id).is_err());
        Ok(ids)
    }

    /// Remembers the rows that were written; without a hash, that one was removed.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn remember(&mut self, rows: &[(i64, Option<[u8; 16]>)]) -> Result<(), StoreError> {
        for rows in rows.chunks(ROWS_A_STATEMENT) {
            let feed = self.feed;
            let mut sql = QueryBuilder::new("INSERT INTO _feed_rows (feed, organization, hash) ");
            sql.push_values(rows, |mut values, (organization, hash)| {
                values.push_bind(feed).push_bind(organization).push_bind(hash.map(|hash| hash.to_vec()));
            });
            sql.push(" ON CONFLICT (feed, organization) DO UPDATE SET hash = excluded.hash");
            let written = sql.build().execute(&mut *self.tx).await;
            self.checked(written.map(|_| ()))?;
        }
        Ok(())
    }

    /// Ends the pass: the rows and what is known of the file commit at once.
    ///
    /// # Errors
    /// If the store can't be written; then nothing was.
    pub async fn end(mut self, ending: &FeedEnding<'_>) -> Result<(), StoreError> {
        let written = end(&mut self.tx, self.feed, ending).await;
        self.checked(written)?;
        let path = self.path;
        self.tx.commit().await.map_err(|error| StoreError::from_sql(&path, error))
    }

    fn checked<T>(&self, result: sqlx::Result<T>) -> Result<T, StoreError> {
        result.map_err(|error| StoreError::from_sql(&self.path, error))
    }
}

pub(super) async fn log_span(connection: &mut SqliteConnection) -> sqlx::Result<(Option<i64>, i64)> {
    let first = sqlx::query_scalar("SELECT min(seq) FROM _changes").fetch_one(&mut *connection).await?;
    let last: Option<i64> = sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = '_changes'")
        .fetch_optional(connection)
        .await?;
    Ok((first, last.unwrap_or(0)))
}

/// Numbers of organizations: a bit each.
pub(super) async fn collect(
    connection: &mut SqliteConnection,
    sql: &mut QueryBuilder<Sqlite>,
) -> sqlx::Result<RoaringTreemap> {
    let numbers = sql.build_query_scalar::<i64>().fetch(connection);
    numbers
        .try_fold(RoaringTreemap::new(), |mut found, number| {
            found.insert(number.unsigned_abs());
            std::future::ready(Ok(found))
        })
        .await
}

async fn subjects(
    connection: &mut SqliteConnection,
    feed: i64,
    queries: &[i64],
    organizations: &[i64],
) -> sqlx::Result<Vec<FeedSubject>> {
    let mut sql = QueryBuilder::new("SELECT o.id, o.business_id, o.changed_at, CASE WHEN EXISTS (");
    push_membership(&mut sql, queries);
    sql.push(
        ") THEN o.document END AS document, \
         (SELECT max(m.left_at) FROM _memberships m WHERE m.organization = o.id AND m.query IN",
    );
    push_list(&mut sql, queries);
    sql.push(
        ") AS left_at, r.feed IS NOT NULL AS is_written, r.hash FROM organizations o \
         LEFT JOIN _feed_rows r ON r.organization = o.id AND r.feed = ",
    );
    sql.push_bind(feed).push(" WHERE o.id IN");
    push_list(&mut sql, organizations);
    sql.push(" ORDER BY o.id");
    sql.build_query_as().fetch_all(connection).await
}

/// Whether `o` is a member of one of these queries.
fn push_membership(sql: &mut QueryBuilder<Sqlite>, queries: &[i64]) {
    sql.push("SELECT 1 FROM _memberships m WHERE m.organization = o.id AND m.left_at IS NULL AND m.query IN");
    push_list(sql, queries);
}
