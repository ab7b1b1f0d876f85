use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use super::Header;
use crate::beside::beside;

/// Why the store could not be used. Each message names the file and the way out.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder that should hold the store does not exist.
    #[error("the store's folder {} does not exist: create it, or set store.path", .0.display())]
    NoFolder(PathBuf),
    /// A folder of the store's name.
    #[error("{} is a directory: set store.path to a file", .0.display())]
    Directory(PathBuf),
    /// No store yet, where one is only to be read.
    #[error("there is no store at {} yet: `vainu-sync sync` makes it", .0.display())]
    Absent(PathBuf),
    /// The file or its folder can't be read or written by this user.
    #[error("{}: {reason}: let this user write the file and its folder", path.display())]
    NotWritable { path: PathBuf, reason: String },
    /// The files beside the store are gone that a reader needs, and this user may not make them.
    #[error(
        "{path}: {path}-wal or {path}-shm is missing (a program that wrote the store and closed it last takes them away), \
         and this user may not make them: a running daemon does so within a minute, or let the store's owner run \
         `vainu-sync status`", path = .0.display()
    )]
    NoLog(PathBuf),
    /// The whole file system refuses to be written: mounted so, or turned so by the kernel after a failure.
    #[error(
        "the file system of {} is read-only: make it writable (the kernel's log says why it is not); what was stored \
         so far is kept", .0.display()
    )]
    ReadOnly(PathBuf),
    /// The file is something else, or has lost its beginning: it is left as it is.
    #[error(
        "{} is not a store of vainu-sync, or too damaged to be told for one: it was left as it is; set store.path to \
         another file, or restore a backup", .0.display()
    )]
    NotAStore(PathBuf),
    /// Written by a later version: it is left as it is.
    #[error(
        "{} was written by a newer vainu-sync (schema {found}, this one knows {known}): install that version",
        path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// Written by an earlier version, where it may only be read.
    #[error("{} has an older schema: `vainu-sync sync` or the daemon brings it up to date", .0.display())]
    Older(PathBuf),
    /// SQLite finds the file damaged.
    #[error("{} is damaged ({reason}): restore a backup, or move it away to begin anew", path.display())]
    Corrupt { path: PathBuf, reason: String },
    /// A backup at the store's place, and the log of the store that was there: that would undo the restore.
    #[error(
        "{path} is a backup that was put over a store that died: that store's log, {path}-wal, would undo the \
         restore. Stop every vainu-sync, delete {path}-wal and {path}-shm, and start again; nothing was touched",
        path = .0.display()
    )]
    Undone(PathBuf),
    /// It was told to stop.
    #[error("stopped by a signal")]
    Stopped,
    /// Another program holds SQLite's lock for longer than we wait.
    #[error("another program is writing to {}: close it there; what was stored so far is kept", .0.display())]
    Locked(PathBuf),
    /// Another run, feed, prune or rename is under way.
    #[error("{} is in use by {holder}: wait until it has ended", path.display())]
    InUse { path: PathBuf, holder: String },
    /// The file has gone from its place since it was opened.
    #[error(
        "{} was removed or replaced while vainu-sync uses it: put it back, or stop vainu-sync first",
        .0.display()
    )]
    Replaced(PathBuf),
    /// A rehearsal whose transaction may have ended: anything more might stay in the store.
    #[error("the dry run can't go on after a failure; {} is as it was", .0.display())]
    RehearsalFailed(PathBuf),
    #[error("the disk is full, {} could not be written: make room; what was stored so far is kept", .0.display())]
    Full(PathBuf),
    /// The operating system failed to read or write.
    #[error(
        "{}: {reason}: see to the disk (the kernel's log says more); what was stored so far is kept", path.display()
    )]
    Io { path: PathBuf, reason: String },
    /// A migration failed; it was rolled back.
    #[error("{} could not be brought up to date: {source}", path.display())]
    Migration { path: PathBuf, source: Box<sqlx::migrate::MigrateError> },
    /// Anything else that SQLite says.
    #[error("{}: {source}", path.display())]
    Sql { path: PathBuf, source: Box<sqlx::Error> },
}

impl StoreError {
    /// Whether the same call may succeed later without a person's hand.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Locked(_) | Self::InUse { .. })
    }

    /// Whether the file is unusable until a person has changed something: wrong, damaged, newer, not writable.
    #[must_use]
    pub fn is_unusable(&self) -> bool {
        matches!(
            self,
            Self::NotAStore(_)
                | Self::Newer { .. }
                | Self::Older(_)
                | Self::Corrupt { .. }
                | Self::Undone(_)
                | Self::NoFolder(_)
                | Self::Directory(_)
                | Self::NotWritable { .. }
                | Self::NoLog(_)
                | Self::ReadOnly(_)
        )
    }

    pub(super) fn from_sql(path: &Path, source: sqlx::Error) -> Self {
        let path = path.to_owned();
        let Some((code, reason)) = extended_code(&source) else {
            return Self::without_code(path, source);
        };
        match code & 0xFF {
            5 | 6 => Self::Locked(path),
            9 => Self::Stopped,
            10 if code == IOERR_SHMSIZE => Self::Full(path),
            3 | 8 | 10 | 14 if is_read_only(&path) => Self::ReadOnly(path),
            8 | 14 if lacks_log(&path) => Self::NoLog(path),
            3 | 8 | 14 => Self::NotWritable { path, reason },
            10 => Self::Io { path, reason },
            11 => Self::Corrupt { path, reason },
            13 => Self::Full(path),
            26 => Self::NotAStore(path),
            _ => Self::Sql { path, source: Box::new(source) },
        }
    }

    /// A value that is not what we write there: SQLite has read it without noticing.
    fn without_code(path: PathBuf, source: sqlx::Error) -> Self {
        match source {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::Corrupt { path, reason: source.to_string() }
            }
            source => Self::Sql { path, source: Box::new(source) },
        }
    }

    /// What keeps a file of the store's own from being made or opened to write.
    pub(super) fn from_io(store: &Path, file: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(store.to_owned()),
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(store.to_owned()),
            _ => Self::NotWritable { path: file.to_owned(), reason: error.to_string() },
        }
    }

    pub(super) fn from_migration(path: &Path, source: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError::{Execute, ExecuteMigration};
        match source {
            Execute(source) | ExecuteMigration(source, _) => Self::from_sql(path, source),
            source => Self::Migration { path: path.to_owned(), source: Box::new(source) },
        }
    }
}

/// There was no room for the index of the write-ahead log: SQLite's other word for a full disk.
const IOERR_SHMSIZE: i32 = 0x130A;

/// SQLite's extended result code (<https://www.sqlite.org/rescode.html>) and its words.
fn extended_code(error: &sqlx::Error) -> Option<(i32, String)> {
    let sqlx::Error::Database(error) = error else { return None };
    Some((error.code()?.parse().ok()?, error.message().to_owned()))
}

/// Whether the store's file system refuses all writing. SQLite does not tell it from other failures. The store
/// itself must not be opened for this: closing it would let go of SQLite's locks.
fn is_read_only(store: &Path) -> bool {
    let opened = OpenOptions::new().write(true).open(beside(store, ".lock"));
    opened.is_err_and(|error| error.kind() == io::ErrorKind::ReadOnlyFilesystem)
}

/// Whether this user can read a store beside which the files are missing that SQLite makes with it.
fn lacks_log(store: &Path) -> bool {
    let is_missing = |suffix| matches!(beside(store, suffix).try_exists(), Ok(false));
    Header::of(store).is_ok_and(|header| header == Header::Store)
        && (is_missing("-wal") || is_missing("-shm"))
}
