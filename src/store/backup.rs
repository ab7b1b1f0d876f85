//! A copy of the store as it is at one moment, while others go on writing to it.

use std::path::Path;

use sqlx::{ConnectOptions, SqliteConnection};
use tokio_util::sync::CancellationToken;

use super::open;
use super::{Store, StoreError};

/// How many of SQLite's steps go by until it is looked whether to stop: some milliseconds.
const STEPS: i32 = 10_000;

impl Store {
    /// Writes what the store at `path`, which was looked at ([`Store::inspect`]), holds now into `copy`, an empty
    /// file, and proves that the copy is sound.
    /// Nobody is kept from writing meanwhile. How many organizations the copy holds.
    ///
    /// `VACUUM INTO` reads one snapshot, however long it takes, where SQLite's backup interface begins anew
    /// whenever another process commits; and its copy belongs to no write-ahead log.
    ///
    /// # Errors
    /// If the store is damaged, the copy can't be written, or `stop` is cancelled.
    pub async fn copy_to(path: &Path, copy: &Path, stop: &CancellationToken) -> Result<u64, StoreError> {
        let mut store = open_to_read(path, stop).await.map_err(|error| StoreError::from_sql(path, error))?;
        let name = copy.to_str().ok_or_else(|| no_text(copy))?;
        let written = sqlx::query("VACUUM INTO ?").bind(name).execute(&mut store).await;
        written.map_err(|error| of_either(path, copy, error))?;
        check(path, copy, stop).await
    }
}

async fn open_to_read(path: &Path, stop: &CancellationToken) -> sqlx::Result<SqliteConnection> {
    let mut connection = open::common(path).read_only(true).connect().await?;
    let stop = stop.clone();
    connection.lock_handle().await?.set_progress_handler(STEPS, move || !stop.is_cancelled());
    Ok(connection)
}

/// A damaged store must not take the place of a sound backup.
async fn check(path: &Path, copy: &Path, stop: &CancellationToken) -> Result<u64, StoreError> {
    let checking = async {
        let mut connection = open_to_read(copy, stop).await?;
        let found = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut connection).await?;
        let count =
            sqlx::query_scalar("SELECT count(*) FROM organizations").fetch_one(&mut connection).await?;
        Ok((found, count))
    };
    let (found, organizations): (String, i64) =
        checking.await.map_err(|error| of_either(path, copy, error))?;
    if found != "ok" {
        return Err(StoreError::Corrupt { path: path.to_owned(), reason: found });
    }
    Ok(organizations.unsigned_abs())
}

/// Damage is the store's, for the copy was made from it just now; what can't be written is the copy.
fn of_either(path: &Path, copy: &Path, error: sqlx::Error) -> StoreError {
    match StoreError::from_sql(copy, error) {
        StoreError::Corrupt { reason, .. } => StoreError::Corrupt { path: path.to_owned(), reason },
        StoreError::NotAStore(_) => StoreError::NotAStore(path.to_owned()),
        StoreError::Locked(_) => StoreError::Locked(path.to_owned()),
        error => error,
    }
}

fn no_text(path: &Path) -> StoreError {
    let reason = "the name is not UTF-8".to_owned();
    StoreError::Io { path: path.to_owned(), reason }
}
