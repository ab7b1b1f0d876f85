//! What is remembered of each feed from file to file.

use sqlx::{FromRow, SqliteConnection};

use super::{Store, StoreError};

/// A feed as the store knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow)]
pub struct FeedState {
    pub id: i64,
    pub name: String,
    /// What its rows were last compared by; `None`: all are compared next time.
    pub definition: Option<String>,
    /// The change log up to here is in its rows.
    pub cursor: i64,
    pub directory: Option<String>,
    /// The number of its last file; 0: none was written.
    pub sequence: i64,
    pub file: Option<String>,
    pub sha256: Option<String>,
    pub rows: Option<i64>,
    /// JSON: the headers of that file.
    pub columns: Option<String>,
    pub written_at: Option<String>,
    /// That file, or one that was committed with it, may still have its temporary name.
    pub unplaced: bool,
    /// When its files were last right.
    pub checked_at: Option<String>,
    /// Files from this number on may tell of ids whose rows the store has lost.
    pub lost_from: Option<i64>,
    /// Since when the configuration lacks it.
    pub retired_at: Option<String>,
    /// What keeps it from being written.
    pub error: Option<String>,
    /// JSON: what it last wrote into which table.
    pub warehouse: Option<String>,
}

const SELECT: &str = "SELECT id, name, definition, cursor, directory, sequence, file, sha256, rows, columns, \
     written_at, unplaced, checked_at, lost_from, retired_at, error, warehouse FROM _feeds";

impl Store {
    /// All feeds that the store remembers, by name.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn feeds(&mut self) -> Result<Vec<FeedState>, StoreError> {
        let sql = format!("{SELECT} ORDER BY name");
        let result = sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&mut self.connection).await;
        self.checked(result)
    }

    /// The feed of this name, which is remembered from now on.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn feed(&mut self, name: &str) -> Result<FeedState, StoreError> {
        self.check_place()?;
        let result = register(&mut self.connection, name).await;
        self.checked(result)
    }

    /// Remembers that the configuration has these feeds and no others. One that comes back compares everything:
    /// meanwhile, changes of its columns may have been kept quiet.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn retire_feeds(&mut self, configured: &[&str], now: &str) -> Result<(), StoreError> {
        self.check_place()?;
        let result = retire(&mut self.connection, configured, now).await;
        for feed in self.checked(result)? {
            tracing::info!(feed, "is not in the configuration any more: its files stay as they are");
        }
        Ok(())
    }

    /// Remembers what keeps a feed from being written; `None`: nothing does.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn set_feed_error(&mut self, feed: i64, error: Option<&str>) -> Result<(), StoreError> {
        self.check_place()?;
        let result = sqlx::query("UPDATE _feeds SET error = ?1 WHERE id = ?2 AND error IS NOT ?1")
            .bind(error)
            .bind(feed)
            .execute(&mut self.connection)
            .await;
        self.checked(result.map(|_| ()))
    }

    /// Remembers that the last files of a feed have their names, so that what they removed need not be told again.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn files_are_placed(&mut self, feed: i64) -> Result<(), StoreError> {
        self.check_place()?;
        let result = self.try_files_are_placed(feed).await;
        self.checked(result)
    }

    async fn try_files_are_placed(&mut self, feed: i64) -> sqlx::Result<()> {
        let mut tx = self.transaction().await?;
        sqlx::query("DELETE FROM _feed_rows WHERE feed = ? AND hash IS NULL")
            .bind(feed)
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE _feeds SET unplaced = 0 WHERE id = ?").bind(feed).execute(&mut *tx).await?;
        sqlx::query("UPDATE _feed_files SET unplaced = 0 WHERE feed = ? AND unplaced")
            .bind(feed)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }
}

async fn register(connection: &mut SqliteConnection, name: &str) -> sqlx::Result<FeedState> {
    let sql = format!("{SELECT} WHERE name = ?");
    let known = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(name).fetch_optional(&mut *connection).await?;
    if let Some(known) = known {
        return Ok(known);
    }
    let id = sqlx::query_scalar("INSERT INTO _feeds (name) VALUES (?) RETURNING id")
        .bind(name)
        .fetch_one(connection)
        .await?;
    Ok(FeedState { id, name: name.to_owned(), ..FeedState::default() })
}

async fn retire(
    connection: &mut SqliteConnection,
    configured: &[&str],
    now: &str,
) -> sqlx::Result<Vec<String>> {
    let configured = serde_json::to_string(configured).expect("a list of text is always JSON");
    sqlx::query_scalar(
        "UPDATE _feeds SET definition = NULL, retired_at = ?, error = NULL \
         WHERE retired_at IS NULL AND name NOT IN (SELECT value FROM json_each(?)) RETURNING name",
    )
    .bind(now)
    .bind(configured)
    .fetch_all(connection)
    .await
}
