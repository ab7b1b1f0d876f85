//! What is done to a store outside of runs.

pub mod backup;
mod error;
mod prune;
mod rename;
mod retention;

pub use backup::BackupError;
pub use error::UpkeepError;
pub use prune::{BATCH_MEMBERS, Pruned, Pruning, prune};
pub use rename::rename;
pub use retention::{Gone, let_go, tidy};

use crate::store::{Remembered, Store};

/// The query of this name that the store remembers.
async fn remembered(store: &mut Store, name: &str) -> Result<Remembered, UpkeepError> {
    let mut known = store.queries().await?;
    known.retain(|query| !query.is_pruned());
    let names = known.iter().map(|query| query.name.clone()).collect();
    let found = known.into_iter().find(|query| query.name == name);
    found.ok_or_else(|| UpkeepError::Unknown { name: name.to_owned(), known: names })
}
