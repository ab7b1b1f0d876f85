//! How a pass ends: what is remembered of the feed and of its new files.

use sqlx::SqliteConnection;

/// How a pass ends.
#[derive(Debug)]
pub struct FeedEnding<'a> {
    /// `None`: next time everything is compared.
    pub definition: Option<&'a str>,
    pub cursor: i64,
    pub directory: &'a str,
    /// In their order.
    pub files: &'a [FeedFile<'a>],
    /// `None`: the files are not right yet.
    pub checked_at: Option<&'a str>,
    pub lost_from: Option<i64>,
}

/// A file that was written under its temporary name.
#[derive(Debug)]
pub struct FeedFile<'a> {
    pub sequence: i64,
    pub name: &'a str,
    pub sha256: &'a str,
    pub rows: i64,
    /// JSON: the headers.
    pub columns: &'a str,
    pub written_at: &'a str,
}

/// Writes it within the pass's transaction.
pub(super) async fn end(
    connection: &mut SqliteConnection,
    feed: i64,
    ending: &FeedEnding<'_>,
) -> sqlx::Result<()> {
    let FeedEnding { definition, cursor, directory, files, checked_at, lost_from } = ending;
    sqlx::query(
        "UPDATE _feeds SET definition = ?, cursor = ?, directory = ?, checked_at = coalesce(?, checked_at), \
         lost_from = ?, retired_at = NULL, error = NULL WHERE id = ?",
    )
    .bind(definition)
    .bind(cursor)
    .bind(directory)
    .bind(checked_at)
    .bind(lost_from)
    .bind(feed)
    .execute(&mut *connection)
    .await?;
    for file in *files {
        remember_file(&mut *connection, feed, file).await?;
    }
    match files.last() {
        Some(last) => point_to(connection, feed, last.sequence).await,
        None => Ok(()),
    }
}

/// Remembers which file is the feed's last.
async fn point_to(connection: &mut SqliteConnection, feed: i64, sequence: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE _feeds SET (sequence, file, sha256, rows, columns, written_at, unplaced) = \
         (SELECT sequence, file, sha256, rows, columns, written_at, unplaced FROM _feed_files \
         WHERE feed = ?1 AND sequence = ?2) WHERE id = ?1",
    )
    .bind(feed)
    .bind(sequence)
    .execute(connection)
    .await
    .map(|_| ())
}

async fn remember_file(
    connection: &mut SqliteConnection,
    feed: i64,
    file: &FeedFile<'_>,
) -> sqlx::Result<()> {
    let FeedFile { sequence, name, sha256, rows, columns, written_at } = file;
    sqlx::query(
        "INSERT OR REPLACE INTO _feed_files (feed, sequence, file, sha256, rows, columns, written_at, unplaced) \
         VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
    )
    .bind(feed)
    .bind(sequence)
    .bind(name)
    .bind(sha256)
    .bind(rows)
    .bind(columns)
    .bind(written_at)
    .execute(connection)
    .await
    .map(|_| ())
}
