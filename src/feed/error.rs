use std::io;
use std::path::{Path, PathBuf};

use super::WarehouseError;
use crate::store::StoreError;

/// Why a feed was not written. What it wrote before stays as it is, and the next time goes on.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A share that is not mounted looks so too: it is never made.
    #[error("its directory {} does not exist: create it, or set directory to another", .0.display())]
    NoDirectory(PathBuf),
    #[error("{} is no directory: set directory to one", .0.display())]
    NotADirectory(PathBuf),
    /// What nothing of the feed lies in any more is most likely another one: the folder that a share is mounted on.
    #[error(
        "its directory {} holds nothing of the feed any more, though {file} was written there: mount or put back what \
         belongs there; or, if it was emptied on purpose, begin anew by: {command}",
        directory.display()
    )]
    Emptied { directory: PathBuf, file: String, command: String },
    #[error("{} is a directory, and a file of the feed has to be there: move it away", .0.display())]
    InTheWay(PathBuf),
    #[error("{} may not be written by this user ({reason}): give the directory to it", path.display())]
    NotWritable { path: PathBuf, reason: String },
    #[error("the disk is full, {} could not be written: make room; the next run goes on", .0.display())]
    Full(PathBuf),
    /// The operating system failed to read or write.
    #[error("{}: {reason}", path.display())]
    Io { path: PathBuf, reason: String },
    /// Another program put a file there meanwhile: it is left as it is, and all is written under the next number.
    #[error("{} is there already, with other contents: does another vainu-sync write there?", .0.display())]
    Taken(PathBuf),
    /// A database in the place of files.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("stopped by a signal; the next run goes on")]
    Stopped,
}

impl FeedError {
    /// From what the operating system says of `path`.
    pub(super) fn of(path: &Path, error: &io::Error) -> Self {
        use io::ErrorKind::{IsADirectory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let path = path.to_owned();
        match error.kind() {
            StorageFull | QuotaExceeded => Self::Full(path),
            IsADirectory => Self::InTheWay(path),
            PermissionDenied | ReadOnlyFilesystem => Self::NotWritable { path, reason: error.to_string() },
            _ => Self::Io { path, reason: error.to_string() },
        }
    }
}
