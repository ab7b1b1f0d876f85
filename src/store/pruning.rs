//! What forgetting a query writes.

use sqlx::SqliteConnection;

use super::departures::{Departures, depart};
use super::{Member, Remembered, Store, StoreError, queries, views};

impl Store {
    /// Up to `limit` members of `query` that the store came to know after this organization.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn members_after(
        &mut self,
        query: i64,
        organization: i64,
        limit: u32,
    ) -> Result<Vec<Member>, StoreError> {
        let result = members_after(&mut self.connection, query, organization, limit).await;
        self.checked(result)
    }

    /// Lets members of `query` go without a run, in one commit. Should it be put back before all have gone, its
    /// first run is full: they have changed in nothing.
    ///
    /// # Errors
    /// If the store can't be written; then nothing was.
    pub async fn let_go(&mut self, query: i64, departures: &Departures, now: &str) -> Result<(), StoreError> {
        self.check_place()?;
        let result = self.try_let_go(query, departures, now).await;
        self.checked(result)
    }

    /// Forgets what was proved of a query without members, and drops its view. Its name stays for its history.
    ///
    /// # Errors
    /// If the store can't be written; then nothing was.
    pub async fn forget(&mut self, query: &Remembered, now: &str) -> Result<(), StoreError> {
        self.check_place()?;
        let result = self.try_forget(query, now).await;
        self.checked(result)
    }

    async fn try_let_go(&mut self, query: i64, departures: &Departures, now: &str) -> sqlx::Result<()> {
        let mut tx = self.transaction().await?;
        depart(&mut tx, None, query, departures, now).await?;
        queries::forget_watermark(&mut tx, query).await?;
        tx.commit().await
    }

    async fn try_forget(&mut self, query: &Remembered, now: &str) -> sqlx::Result<()> {
        let mut tx = self.transaction().await?;
        forget(&mut tx, query, now).await?;
        tx.commit().await
    }
}

/// Drops the view, and makes the query's place one that [`Remembered::is_pruned`].
pub(super) async fn forget(
    connection: &mut SqliteConnection,
    query: &Remembered,
    now: &str,
) -> sqlx::Result<()> {
    views::remove(connection, query.id, &query.name).await?;
    sqlx::query(
        "UPDATE _queries SET definition = NULL, owned_keys = '[]', watermark = NULL, last_full_at = NULL, \
         listing_rows = NULL, held = NULL, export = NULL, next_fetch = NULL, first_seen_at = ? WHERE id = ?",
    )
    .bind(now)
    .bind(query.id)
    .execute(connection)
    .await?;
    Ok(())
}

async fn members_after(
    connection: &mut SqliteConnection,
    query: i64,
    organization: i64,
    limit: u32,
) -> sqlx::Result<Vec<Member>> {
    sqlx::query_as(
        "SELECT m.organization, o.business_id, m.missing_since FROM _memberships m \
         JOIN organizations o ON o.id = m.organization \
         WHERE m.query = ? AND m.organization > ? AND m.left_at IS NULL ORDER BY m.organization LIMIT ?",
    )
    .bind(query)
    .bind(organization)
    .bind(limit)
    .fetch_all(connection)
    .await
}
