use std::fmt;

use serde::Serialize;
use sqlx::{FromRow, SqliteConnection};

use crate::listing::Way;

/// How a run ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Running,
    Succeeded,
    /// Rows are stored, departures were not concluded.
    Incomplete,
    /// The guard waits for a person.
    Held,
    Failed,
    /// Its process died or was stopped.
    Interrupted,
}

impl Status {
    /// As `runs.status` has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Incomplete => "incomplete",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The numbers of a run. `created` + `updated` + `unchanged` are its distinct rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// The count; `None`: none was to be had.
    pub expected: Option<u64>,
    pub fetched: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    /// Known organizations that came in.
    pub entered: u64,
    pub left: u64,
    /// Members that the listing lacked.
    pub candidates: u64,
    pub rejected: u64,
    pub requests: u64,
    pub retries: u64,
    pub bytes: u64,
}

/// A line of the table `runs`.
#[derive(Debug, Clone, FromRow, Serialize)]
pub struct Run {
    pub id: i64,
    pub query: String,
    pub mode: String,
    pub fetch: String,
    pub planned_at: Option<String>,
    pub started_at: String,
    pub finished_at: Option<String>,
    pub status: String,
    pub expected: Option<i64>,
    pub fetched: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub entered: i64,
    pub left: i64,
    pub candidates: i64,
    pub rejected: i64,
    pub requests: i64,
    pub retries: i64,
    pub bytes: i64,
    pub error: Option<String>,
}

impl Run {
    /// Whether it stands so.
    #[must_use]
    pub fn is(&self, status: Status) -> bool {
        self.status == status.as_str()
    }

    /// Shows it as what the next process that takes the lock makes of it: interrupted.
    pub fn show_dead(&mut self) {
        Status::Interrupted.as_str().clone_into(&mut self.status);
        self.error = Some("its process died".to_owned());
    }
}

/// Begins a full run; the new line's id.
pub(super) async fn begin(
    connection: &mut SqliteConnection,
    query: &str,
    fetch: Way,
    planned_at: Option<&str>,
    started_at: &str,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO runs (query, mode, fetch, planned_at, started_at, status) \
         VALUES (?, 'full', ?, ?, ?, 'running') RETURNING id",
    )
    .bind(query)
    .bind(fetch.as_str())
    .bind(planned_at)
    .bind(started_at)
    .fetch_one(connection)
    .await
}

/// Writes down the way that a run lists by.
pub(super) async fn set_fetch(connection: &mut SqliteConnection, run: i64, fetch: Way) -> sqlx::Result<()> {
    sqlx::query("UPDATE runs SET fetch = ? WHERE id = ?")
        .bind(fetch.as_str())
        .bind(run)
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes a run an incremental one.
pub(super) async fn set_window(
    connection: &mut SqliteConnection,
    run: i64,
    start: &str,
    end: &str,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE runs SET mode = 'incremental', window_start = ?, window_end = ? WHERE id = ?")
        .bind(start)
        .bind(end)
        .bind(run)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes a run's numbers as they stand.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    run: i64,
    numbers: &Numbers,
) -> sqlx::Result<()> {
    let integer = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    sqlx::query(
        "UPDATE runs SET expected = ?, fetched = ?, created = ?, updated = ?, unchanged = ?, entered = ?, \
         \"left\" = ?, candidates = ?, rejected = ?, requests = ?, retries = ?, bytes = ? WHERE id = ?",
    )
    .bind(numbers.expected.map(integer))
    .bind(integer(numbers.fetched))
    .bind(integer(numbers.created))
    .bind(integer(numbers.updated))
    .bind(integer(numbers.unchanged))
    .bind(integer(numbers.entered))
    .bind(integer(numbers.left))
    .bind(integer(numbers.candidates))
    .bind(integer(numbers.rejected))
    .bind(integer(numbers.requests))
    .bind(integer(numbers.retries))
    .bind(integer(numbers.bytes))
    .bind(run)
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends a run.
pub(super) async fn end(
    connection: &mut SqliteConnection,
    run: i64,
    status: Status,
    error: Option<&str>,
    finished_at: &str,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE runs SET status = ?, error = ?, finished_at = ? WHERE id = ?")
        .bind(status.as_str())
        .bind(error)
        .bind(finished_at)
        .bind(run)
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether a run has no end yet.
pub(super) async fn any_running(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM runs WHERE status = 'running')")
        .fetch_one(connection)
        .await
}

/// Marks runs whose process has died: whoever holds the lock knows that none is under way.
pub(super) async fn mark_interrupted(connection: &mut SqliteConnection, now: &str) -> sqlx::Result<u64> {
    let marked = sqlx::query(
        "UPDATE runs SET status = 'interrupted', finished_at = ?, error = 'its process died' \
         WHERE status = 'running'",
    )
    .bind(now)
    .execute(connection)
    .await?;
    Ok(marked.rows_affected())
}

pub(super) const COLUMNS: &str = "id, query, mode, fetch, planned_at, started_at, finished_at, status, expected, fetched, \
     created, updated, unchanged, entered, \"left\", candidates, rejected, requests, retries, bytes, error";

/// The latest runs of `query`, newest first.
pub(super) async fn latest(
    connection: &mut SqliteConnection,
    query: &str,
    limit: u32,
) -> sqlx::Result<Vec<Run>> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE query = ? ORDER BY id DESC LIMIT ?");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(query).bind(limit).fetch_all(connection).await
}

/// The latest succeeded run of `query` that started at `now` or before.
pub(super) async fn last_success(
    connection: &mut SqliteConnection,
    query: &str,
    now: &str,
) -> sqlx::Result<Option<Run>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM runs WHERE query = ? AND status = 'succeeded' AND started_at <= ? \
         ORDER BY id DESC LIMIT 1"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(query).bind(now).fetch_optional(connection).await
}
