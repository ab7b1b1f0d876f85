use std::path::{Path, PathBuf};
use std::time::Duration;

use super::open_store;
use crate::beside::beside;
use crate::store::{Lock, Store, StoreError};

/// A store that is open for runs, and what has to be kept as long.
pub struct Opened {
    pub store: Store,
    /// What is to be removed once the store is closed.
    pub leftovers: Option<Leftovers>,
    pub lock: Lock,
}

impl Opened {
    /// The store itself, for which it is waited up to `patience`.
    ///
    /// # Errors
    /// If it is in use for longer, or can't be used.
    pub async fn real(path: &Path, patience: Duration) -> Result<Self, StoreError> {
        let (lock, store) = open_store(path, "sync", patience).await?;
        Ok(Self { store, leftovers: None, lock })
    }

    /// A rehearsal on the store; where there is none yet, on an empty one that goes afterwards.
    ///
    /// # Errors
    /// As for [`Opened::real`]; also where the store has an earlier schema.
    pub async fn for_rehearsal(path: &Path, patience: Duration) -> Result<Self, StoreError> {
        let is_there = Store::inspect(path).await?;
        let lock = Lock::take_within(path, &super::holder("sync --dry-run"), patience).await?;
        if is_there {
            let store = Store::rehearse(path, &lock).await?;
            return Ok(Self { store, leftovers: None, lock });
        }
        let leftovers = Leftovers(beside(path, ".dry-run"));
        remove(&leftovers.0);
        let store = Store::open(&leftovers.0, &lock).await?;
        Ok(Self { store, leftovers: Some(leftovers), lock })
    }
}

/// A store that goes when this is dropped.
pub struct Leftovers(PathBuf);

impl Drop for Leftovers {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Removes what a dry run has left that was killed. The caller holds the store's lock.
pub fn remove_leftovers(store: &Path) {
    remove(&beside(store, ".dry-run"));
}

fn remove(store: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(store, suffix));
    }
}
