//! What giving a query another name writes.

use sqlx::SqliteConnection;

use super::pruning::forget;
use super::{Remembered, Store, StoreError, queries, views};

impl Store {
    /// Gives `query` the name `new`, with its members, its history, its runs and its view, in one commit. A
    /// query without members that had the name makes room: one that never came to anything goes, and its
    /// failed runs stay under the name; one with a history keeps it, under a name that says until when.
    ///
    /// # Errors
    /// If the store can't be written; then nothing was.
    pub async fn rename(&mut self, query: &Remembered, new: &str, now: &str) -> Result<(), StoreError> {
        self.check_place()?;
        let result = self.try_rename(query, new, now).await;
        self.checked(result)
    }

    async fn try_rename(&mut self, query: &Remembered, new: &str, now: &str) -> sqlx::Result<()> {
        let mut tx = self.transaction().await?;
        if let Some(other) = queries::find(&mut tx, new).await? {
            make_room(&mut tx, &other, now).await?;
        }
        views::rename(&mut tx, query.id, &query.name, new).await?;
        name(&mut tx, query, new).await?;
        tx.commit().await
    }
}

/// Two histories under one name would be nobody's.
async fn make_room(connection: &mut SqliteConnection, other: &Remembered, now: &str) -> sqlx::Result<()> {
    forget(connection, other, now).await?;
    if has_history(connection, other).await? {
        return name(connection, other, &format!("{}@{now}", other.name)).await;
    }
    sqlx::query("DELETE FROM _queries WHERE id = ?").bind(other.id).execute(connection).await?;
    Ok(())
}

async fn has_history(connection: &mut SqliteConnection, query: &Remembered) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM _changes WHERE query = ?1) \
         OR EXISTS (SELECT 1 FROM _memberships WHERE query = ?1) \
         OR EXISTS (SELECT 1 FROM runs WHERE query = ?2 AND status = 'succeeded')",
    )
    .bind(query.id)
    .bind(&query.name)
    .fetch_one(connection)
    .await
}

async fn name(connection: &mut SqliteConnection, query: &Remembered, new: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE _queries SET name = ? WHERE id = ?")
        .bind(new)
        .bind(query.id)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE runs SET query = ? WHERE query = ?")
        .bind(new)
        .bind(&query.name)
        .execute(connection)
        .await?;
    Ok(())
}
