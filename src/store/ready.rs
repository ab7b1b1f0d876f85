//! Whether the store can be written, without writing to it.

use std::path::Path;
use std::time::Duration;

use sqlx::{Connection, Executor};

use super::{Lock, Store, StoreError, open};

/// Another program's write is waited for so long.
const PATIENCE: Duration = Duration::from_secs(2);

impl Store {
    /// Makes sure that the store is there, has the present schema and lets this process write: takes SQLite's lock
    /// for a moment, and writes nothing. Where a run or a feed has that lock, the store is being written just now.
    ///
    /// # Errors
    /// What keeps it from being written now; another program's lock is waited for only shortly.
    pub async fn probe(path: &Path) -> Result<(), StoreError> {
        let is_ours = Lock::is_held(path);
        let patience = if is_ours { Duration::ZERO } else { PATIENCE };
        let mut connection = open::for_probing(path, patience).await?;
        let result = connection.execute("BEGIN IMMEDIATE; ROLLBACK").await;
        let closed = connection.close().await;
        match result.map(drop).and(closed).map_err(|error| StoreError::from_sql(path, error)) {
            Err(StoreError::Locked(_)) if is_ours => Ok(()),
            probed => probed,
        }
    }
}
