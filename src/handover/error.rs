use std::path::PathBuf;

use crate::store::StoreError;

/// Why a file was not handed over. It stays the next one.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// Whoever takes files in must get all of them, or does not know what it lacks.
    #[error(
        "{} is the next file and is not there: put it back, or, to go on without it, empty what takes the files in \
         and run: vainu-sync feed {feed} --snapshot", path.display()
    )]
    Lost { path: PathBuf, feed: String },
    /// The command or the receiver did not take it.
    #[error("{file}: {reason}")]
    NotTaken { file: String, reason: String },
    #[error("stopped by a signal; it is tried again")]
    Stopped,
    #[error(transparent)]
    Store(#[from] StoreError),
}
