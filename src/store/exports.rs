//! The export job that a query has under way, and the way that it lists next: columns of `_queries`.

use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use super::{Store, StoreError};
use crate::listing::Way;

/// A submitted export, which a restart takes up again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// Where the job is polled.
    pub link: String,
    /// Of the query as it was submitted.
    pub definition: String,
    /// By the server's clock.
    pub submitted_at: String,
}

impl Store {
    /// Remembers the export that `query` has under way, in place of any other; `None`: it has none.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn remember_export(&mut self, query: i64, export: Option<&Export>) -> Result<(), StoreError> {
        self.check_place()?;
        let result = set(&mut self.connection, query, export).await;
        self.checked(result)
    }
}

pub(super) async fn set(
    connection: &mut SqliteConnection,
    query: i64,
    export: Option<&Export>,
) -> sqlx::Result<()> {
    let export = export.map(|export| serde_json::to_string(export).expect("text is always JSON"));
    sqlx::query("UPDATE _queries SET export = ?1 WHERE id = ?2 AND export IS NOT ?1")
        .bind(export)
        .bind(query)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn set_next_fetch(
    connection: &mut SqliteConnection,
    query: i64,
    way: Way,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE _queries SET next_fetch = ? WHERE id = ?")
        .bind(way.as_str())
        .bind(query)
        .execute(connection)
        .await?;
    Ok(())
}
