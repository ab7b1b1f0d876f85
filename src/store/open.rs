//! Opening a store: what is not ours, newer or damaged is refused before anything is written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::{Header, StoreError};
use crate::beside::{adopt, beside, folder_of};

static MIGRATOR: Migrator = sqlx::migrate!();

/// "VSYN", set by the first migration.
pub(super) const APPLICATION_ID: i32 = 1_448_302_926;

/// Another program's write is waited for this long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Twice and more as fast as SQLite's 4 kB at 2 kB a document (docs/benchmarks.md).
const PAGE_SIZE: u32 = 16 * 1024;

/// A file in which nothing has been made yet is no longer than this.
const UNMADE: u64 = 16 * PAGE_SIZE as u64;

/// Rows that SQLite's thread may read before they are taken: with fewer, the two threads wait for each other.
const ROWS_AHEAD: usize = 1000;

/// What a writer keeps of the file in memory, in KiB: the pages of a whole batch of new rows, so that none is written
/// twice.
const CACHE: &str = "-4096";

/// What a kept write-ahead log may take up once it is done with, in bytes.
const WAL_LIMIT: &str = "67108864";

/// Opens the store for writing; makes it where there is none, and brings an earlier schema up to date.
/// The caller holds the store's lock.
pub(super) async fn for_writing(path: &Path) -> Result<SqliteConnection, StoreError> {
    let is_new = matches!(inspect(path).await?, Found::Nothing);
    let mut connection = connect(path, Missing::IsMade).await.map_err(|error| failed(path, error))?;
    MIGRATOR.run(&mut connection).await.map_err(|error| StoreError::from_migration(path, error))?;
    if is_new {
        for suffix in ["", "-wal", "-shm"] {
            adopt(&beside(path, suffix));
        }
    }
    Ok(connection)
}

/// What becomes of a file that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    IsMade,
    Fails,
}

/// A connection that writes, to a file that was looked at.
pub(super) async fn connect(path: &Path, missing: Missing) -> sqlx::Result<SqliteConnection> {
    let options = common(path)
        .create_if_missing(missing == Missing::IsMade)
        .page_size(PAGE_SIZE)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("journal_size_limit", WAL_LIMIT)
        .pragma("cache_size", CACHE);
    let mut connection = options.connect().await?;
    keep_wal(&mut connection).await?;
    Ok(connection)
}

/// Opens the store for reading, beside whoever writes it.
pub(super) async fn for_reading(path: &Path) -> Result<SqliteConnection, StoreError> {
    current(path).await?;
    common(path).read_only(true).connect().await.map_err(|error| failed(path, error))
}

/// Opens the store as if to write, where there is one with the present schema.
/// Another program's write is waited for as long as `patience` lasts.
pub(super) async fn for_probing(path: &Path, patience: Duration) -> Result<SqliteConnection, StoreError> {
    current(path).await?;
    let options = common(path).busy_timeout(patience);
    let mut connection = options.connect().await.map_err(|error| failed(path, error))?;
    // Or this connection, should it be the last one, took the log away at its end.
    keep_wal(&mut connection).await.map_err(|error| failed(path, error))?;
    Ok(connection)
}

/// Makes sure that there is a store, and that it has the present schema.
pub(super) async fn current(path: &Path) -> Result<(), StoreError> {
    match inspect(path).await? {
        Found::Nothing => Err(StoreError::Absent(path.to_owned())),
        Found::Store { version } if version < latest() => Err(StoreError::Older(path.to_owned())),
        Found::Store { .. } => Ok(()),
    }
}

pub(super) enum Found {
    /// No file, an empty one, or a store whose making was cut short.
    Nothing,
    Store {
        version: i64,
    },
}

/// Looks at the file without writing to it.
pub(super) async fn inspect(path: &Path) -> Result<Found, StoreError> {
    let folder = folder_of(path);
    if !folder.exists() {
        return Err(StoreError::NoFolder(folder.to_owned()));
    }
    let length = match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(not_readable(path, &error)),
        Ok(metadata) if metadata.is_dir() => return Err(StoreError::Directory(path.to_owned())),
        Ok(metadata) if metadata.len() == 0 => return Ok(Found::Nothing),
        Ok(_) if is_beside_foreign_log(path) => return Err(StoreError::Undone(path.to_owned())),
        Ok(metadata) => metadata.len(),
    };
    let mut connection = common(path).read_only(true).connect().await.map_err(|error| failed(path, error))?;
    let found = identify(&mut connection).await.map_err(|error| failed(path, error))?;
    let _ = connection.close().await;
    match found {
        (0, 0, _) if length <= UNMADE => Ok(Found::Nothing),
        (APPLICATION_ID, _, version) if version > latest() => {
            Err(StoreError::Newer { path: path.to_owned(), found: version, known: latest() })
        }
        (APPLICATION_ID, _, version) => Ok(Found::Store { version }),
        _ => Err(StoreError::NotAStore(path.to_owned())),
    }
}

/// Whether a backup lies at `path` with another store's write-ahead log beside it: SQLite would play that over it.
fn is_beside_foreign_log(path: &Path) -> bool {
    // The log first: where one is begun, the header has said so before.
    let has_log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    has_log && Header::of(path).is_ok_and(|header| header == Header::Backup)
}

/// The application id, the number of the program's own tables, and the schema's version.
async fn identify(connection: &mut SqliteConnection) -> sqlx::Result<(i32, i64, i64)> {
    let id = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await?;
    let tables = sqlx::query_scalar(
        "SELECT count(*) FROM sqlite_master WHERE name <> '_sqlx_migrations' AND name NOT LIKE 'sqlite_%'",
    )
    .fetch_one(&mut *connection)
    .await?;
    let versioned: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_one(&mut *connection)
            .await?;
    if versioned == 0 {
        return Ok((id, tables, 0));
    }
    let version = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
        .fetch_one(connection)
        .await?;
    Ok((id, tables, version))
}

/// The version of the last migration that this program has.
fn latest() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
}

pub(super) fn common(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .row_buffer_size(ROWS_AHEAD)
        .foreign_keys(true)
        .pragma("temp_store", "memory")
        .disable_statement_logging()
}

/// Keeps `-wal` and `-shm` after a clean close, for readers that may not write the folder.
#[allow(unsafe_code, reason = "sqlx has no other way to SQLITE_FCNTL_PERSIST_WAL")]
async fn keep_wal(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let mut handle = connection.lock_handle().await?;
    let mut on: std::ffi::c_int = 1;
    // SAFETY: the handle is locked and open; SQLite reads one int and keeps no pointer to it.
    let code = unsafe {
        libsqlite3_sys::sqlite3_file_control(
            handle.as_raw_handle().as_ptr(),
            c"main".as_ptr(),
            libsqlite3_sys::SQLITE_FCNTL_PERSIST_WAL,
            (&raw mut on).cast(),
        )
    };
    if code == libsqlite3_sys::SQLITE_OK {
        return Ok(());
    }
    Err(handle
        .last_error()
        .map_or(sqlx::Error::WorkerCrashed, |error| sqlx::Error::Database(Box::new(error))))
}

fn failed(path: &Path, error: sqlx::Error) -> StoreError {
    StoreError::from_sql(path, error)
}

fn not_readable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::NotWritable { path: PathBuf::from(path), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A landed migration never changes by a byte, or programs refuse the stores that they made.
    #[test]
    fn landed_migrations_keep_their_bytes() {
        use std::fmt::Write;
        let mut sums = String::new();
        for migration in MIGRATOR.iter() {
            write!(sums, "{} ", migration.version).unwrap();
            migration.checksum.iter().take(8).for_each(|byte| write!(sums, "{byte:02x}").unwrap());
            sums.push('\n');
        }
        assert_eq!(sums, include_str!("../../migrations/checksums.txt"));
    }
}
