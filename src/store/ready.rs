//! Whether the store can be written, without writing to it.

use std::path::Path;

use sqlx::{Connection, Executor};

use super::{Store, StoreError, open};

impl Store {
    /// Makes sure that the store is there, has the present schema and lets this process write: takes its lock for
    /// a moment, and writes nothing.
    ///
    /// # Errors
    /// What keeps it from being written now; another program's lock is waited for only shortly.
    pub async fn probe(path: &Path) -> Result<(), StoreError> {
        let mut connection = open::for_probing(path).await?;
        let result = connection.execute("BEGIN IMMEDIATE; ROLLBACK").await;
        let closed = connection.close().await;
        result.map(drop).and(closed).map_err(|error| StoreError::from_sql(path, error))
    }
}
