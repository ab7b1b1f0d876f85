use std::path::{Path, PathBuf};

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
    /// The file is something else: it is left as it is.
    #[error("{} is not a store of vainu-sync: it was left as it is; set store.path to another file", .0.display())]
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
    #[error("{}: {reason}", path.display())]
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
                | Self::NoFolder(_)
                | Self::Directory(_)
                | Self::NotWritable { .. }
        )
    }

    pub(super) fn from_sql(path: &Path, source: sqlx::Error) -> Self {
        let path = path.to_owned();
        let Some((code, reason)) = primary_code(&source) else {
            return Self::Sql { path, source: Box::new(source) };
        };
        match code {
            5 | 6 => Self::Locked(path),
            3 | 8 | 14 => Self::NotWritable { path, reason },
            10 => Self::Io { path, reason },
            11 => Self::Corrupt { path, reason },
            13 => Self::Full(path),
            26 => Self::NotAStore(path),
            _ => Self::Sql { path, source: Box::new(source) },
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

/// SQLite's primary result code (<https://www.sqlite.org/rescode.html>) and its words.
fn primary_code(error: &sqlx::Error) -> Option<(i32, String)> {
    let sqlx::Error::Database(error) = error else { return None };
    let extended: i32 = error.code()?.parse().ok()?;
    Some((extended & 0xFF, error.message().to_owned()))
}
