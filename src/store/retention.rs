//! What is old: found, and deleted a bounded number of rows a commit.
//!
//! The log and the list of runs are old from their beginnings on. Who is dated after `now` (the clock was ahead)
//! is as old as who follows: its date says nothing.

use jiff::{SignedDuration, Timestamp};
use sqlx::{QueryBuilder, SqliteConnection};

use super::{Store, StoreError, member_counts, push_list, time};

/// The present is taken to be no later than this after the server's last word.
const AFTER_SERVER: SignedDuration = SignedDuration::from_hours(24);

/// Rows deleted in one commit.
const ROWS_A_COMMIT: usize = 2000;

/// Organizations deleted in one commit, each with all that is logged of it.
const ORGANIZATIONS_A_COMMIT: u32 = 200;

impl Store {
    /// What counts as the present where something is let go by its age: `now`, but no later than a day after the
    /// server's last word, as succeeded runs heard it. A clock that is years ahead must not empty anything.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn present(&mut self, now: Timestamp) -> Result<Timestamp, StoreError> {
        let result =
            sqlx::query_scalar("SELECT max(watermark) FROM _queries").fetch_one(&mut self.connection).await;
        let server: Option<String> = self.checked(result)?;
        let server = server.as_deref().and_then(time::from_text);
        let latest = server.and_then(|server| server.checked_add(AFTER_SERVER).ok());
        Ok(latest.map_or(now, |latest| now.min(latest)))
    }

    /// The last entry of the log's old part, which is from before `before`; `None`: nothing is old.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn last_old_change(&mut self, before: &str, now: &str) -> Result<Option<i64>, StoreError> {
        let result = last_old_change(&mut self.connection, before, now).await;
        self.checked(result)
    }

    /// Deletes some of the entries up to `last` in one commit; how many. 0: none is left.
    ///
    /// # Errors
    /// If the store can't be written; then nothing was.
    pub async fn delete_changes(&mut self, last: i64) -> Result<u64, StoreError> {
        self.check_place()?;
        let deleted = self.try_delete_changes(last).await;
        self.checked(deleted)
    }

    async fn try_delete_changes(&mut self, last: i64) -> sqlx::Result<u64> {
        let mut tx = self.transaction().await?;
        member_counts::forget_before(&mut tx, last).await?;
        let deleted = sqlx::query(
            "DELETE FROM _changes WHERE seq IN (SELECT seq FROM _changes WHERE seq <= ? ORDER BY seq LIMIT ?)",
        )
        .bind(last)
        .bind(i64::try_from(ROWS_A_COMMIT).unwrap_or(i64::MAX))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(deleted.rows_affected())
    }

    /// The runs from before `before` that nothing needs any more. Of the tries of a query since it last
    /// succeeded or was held, the last `tries` are needed.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn old_runs(&mut self, before: &str, now: &str, tries: u32) -> Result<Vec<i64>, StoreError> {
        let result = old_runs(&mut self.connection, before, now, tries).await;
        self.checked(result)
    }

    /// Deletes the first of these runs with their rejects in one commit; the others.
    ///
    /// # Errors
    /// If the store can't be written; then nothing was.
    pub async fn delete_runs<'r>(&mut self, runs: &'r [i64]) -> Result<&'r [i64], StoreError> {
        self.check_place()?;
        let (now, later) = runs.split_at(runs.len().min(ROWS_A_COMMIT));
        let result = self.delete_all(&[("rejects", "run_id"), ("runs", "id")], now).await;
        self.checked(result.map(|()| later))
    }

    /// Some organizations that the last query let go before `before`, for one commit. Who still has a row in a
    /// feed of the configuration is not among them: its removal is to be told first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn long_gone(&mut self, before: &str) -> Result<Vec<i64>, StoreError> {
        let result = sqlx::query_scalar(
            "SELECT id FROM organizations o WHERE gone_at < ? AND NOT EXISTS \
             (SELECT 1 FROM _memberships WHERE organization = o.id AND left_at IS NULL) AND NOT EXISTS \
             (SELECT 1 FROM _feed_rows r JOIN _feeds f ON f.id = r.feed \
              WHERE r.organization = o.id AND f.retired_at IS NULL) LIMIT ?",
        )
        .bind(before)
        .bind(ORGANIZATIONS_A_COMMIT)
        .fetch_all(&mut self.connection)
        .await;
        self.checked(result)
    }

    /// Deletes organizations with their memberships, changes and rows of retired feeds in one commit. Such a feed
    /// would have to look into its own files for whom it told of, should it come back.
    ///
    /// # Errors
    /// If the store can't be written; then nothing was.
    pub async fn delete_organizations(&mut self, ids: &[i64]) -> Result<(), StoreError> {
        self.check_place()?;
        let result = self.try_delete_organizations(ids).await;
        self.checked(result)
    }

    async fn try_delete_organizations(&mut self, ids: &[i64]) -> sqlx::Result<()> {
        let mut tx = self.transaction().await?;
        let mut sql = QueryBuilder::new(
            "UPDATE _feeds SET lost_from = 1 WHERE id IN (SELECT feed FROM _feed_rows WHERE organization IN",
        );
        push_list(&mut sql, ids);
        sql.push(")").build().execute(&mut *tx).await?;
        delete(
            &mut tx,
            &[
                ("_changes", "organization"),
                ("_memberships", "organization"),
                ("_feed_rows", "organization"),
                ("organizations", "id"),
            ],
            ids,
        )
        .await?;
        tx.commit().await
    }

    async fn delete_all(&mut self, tables: &[(&str, &str)], ids: &[i64]) -> sqlx::Result<()> {
        let mut tx = self.transaction().await?;
        delete(&mut tx, tables, ids).await?;
        tx.commit().await
    }
}

async fn delete(connection: &mut SqliteConnection, tables: &[(&str, &str)], ids: &[i64]) -> sqlx::Result<()> {
    for (table, column) in tables {
        let mut sql = QueryBuilder::new(format!("DELETE FROM {table} WHERE {column} IN"));
        push_list(&mut sql, ids);
        sql.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn last_old_change(
    connection: &mut SqliteConnection,
    before: &str,
    now: &str,
) -> sqlx::Result<Option<i64>> {
    let first_young: Option<i64> =
        sqlx::query_scalar("SELECT seq FROM _changes WHERE at >= ? AND at <= ? ORDER BY seq LIMIT 1")
            .bind(before)
            .bind(now)
            .fetch_optional(&mut *connection)
            .await?;
    sqlx::query_scalar("SELECT seq FROM _changes WHERE at < ? AND seq < ? ORDER BY seq DESC LIMIT 1")
        .bind(before)
        .bind(first_young.unwrap_or(i64::MAX))
        .fetch_optional(connection)
        .await
}

/// Kept are, of each query that was not pruned: its last run, its last success, its last full success, and the
/// tries since it last succeeded or was held. Whatever is under way is kept.
async fn old_runs(
    connection: &mut SqliteConnection,
    before: &str,
    now: &str,
    tries: u32,
) -> sqlx::Result<Vec<i64>> {
    let first_young: Option<i64> = sqlx::query_scalar(
        "SELECT id FROM runs WHERE started_at >= ? AND started_at <= ? ORDER BY id LIMIT 1",
    )
    .bind(before)
    .bind(now)
    .fetch_optional(&mut *connection)
    .await?;
    sqlx::query_scalar(
        "SELECT id FROM runs r WHERE started_at < ?1 AND id < ?3 AND status <> 'running' AND ( \
           NOT EXISTS (SELECT 1 FROM _queries WHERE name = r.query AND owned_keys <> '[]') \
           OR EXISTS (SELECT 1 FROM runs WHERE query = r.query AND id > r.id AND started_at <= ?2) \
             AND (status <> 'succeeded' OR EXISTS (SELECT 1 FROM runs WHERE query = r.query AND id > r.id \
               AND started_at <= ?2 AND status = 'succeeded')) \
             AND (status <> 'succeeded' OR mode <> 'full' OR EXISTS (SELECT 1 FROM runs WHERE query = r.query \
               AND id > r.id AND started_at <= ?2 AND status = 'succeeded' AND mode = 'full')) \
             AND (status IN ('succeeded', 'held') \
               OR EXISTS (SELECT 1 FROM runs WHERE query = r.query AND id > r.id AND started_at <= ?2 \
                 AND status IN ('succeeded', 'held')) \
               OR (SELECT count(*) FROM (SELECT 1 FROM runs WHERE query = r.query AND id > r.id LIMIT ?4)) = ?4) \
         ) ORDER BY id",
    )
    .bind(before)
    .bind(now)
    .bind(first_young.unwrap_or(i64::MAX))
    .bind(tries)
    .fetch_all(connection)
    .await
}
