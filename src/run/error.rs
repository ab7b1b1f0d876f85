use crate::store::StoreError;
use crate::vainu;

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The API refused it, or nothing usable came from it.
    #[error(transparent)]
    Api(#[from] vainu::Error),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A signal asked the program to stop.
    #[error("stopped by a signal; what was stored so far is kept")]
    Stopped,
}
