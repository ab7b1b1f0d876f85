//! How many members a query has: counted when a run ends, and remembered for as long as nothing changes.

use sqlx::SqliteConnection;

use super::{Store, StoreError};

impl Store {
    /// How many members `query` has. Each is looked at only where some came or went since they were last counted.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn number_of_members(&mut self, query: i64) -> Result<u64, StoreError> {
        let result = remembered_or_counted(&mut self.connection, query).await;
        self.checked(result)
    }

    /// How many members `query` has, whatever is remembered: a tenth of a second for a million.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn count_members(&mut self, query: i64) -> Result<u64, StoreError> {
        let result = count(&mut self.connection, query).await;
        self.checked(result)
    }
}

async fn remembered_or_counted(connection: &mut SqliteConnection, query: i64) -> sqlx::Result<u64> {
    match remembered(connection, query).await? {
        Some(members) => Ok(members),
        None => count(connection, query).await,
    }
}

/// What was counted last, if it holds still. Members come and go only with an entry in the log; and a number there is
/// never given twice, so that one that is not above the remembered one was there when they were counted.
async fn remembered(connection: &mut SqliteConnection, query: i64) -> sqlx::Result<Option<u64>> {
    let members: Option<i64> = sqlx::query_scalar(
        "SELECT members FROM _queries q WHERE id = ? \
         AND coalesce((SELECT max(seq) FROM _changes WHERE query = q.id), 0) <= members_as_of",
    )
    .bind(query)
    .fetch_optional(connection)
    .await?;
    Ok(members.map(i64::unsigned_abs))
}

async fn count(connection: &mut SqliteConnection, query: i64) -> sqlx::Result<u64> {
    let members: i64 =
        sqlx::query_scalar("SELECT count(*) FROM _memberships WHERE query = ? AND left_at IS NULL")
            .bind(query)
            .fetch_one(connection)
            .await?;
    Ok(members.unsigned_abs())
}

/// Forgets the numbers of those queries whose members came or went since they were counted, by entries up to `last`,
/// which are about to be deleted.
pub(super) async fn forget_before(connection: &mut SqliteConnection, last: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE _queries SET members = NULL, members_as_of = NULL WHERE EXISTS (SELECT 1 FROM _changes c \
         WHERE c.query = _queries.id AND c.seq > members_as_of AND c.seq <= ?)",
    )
    .bind(last)
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts the members of `query`, unless none has come or gone since they were last counted.
pub(super) async fn renew(connection: &mut SqliteConnection, query: i64) -> sqlx::Result<()> {
    if remembered(connection, query).await?.is_some() {
        return Ok(());
    }
    let members = count(connection, query).await?.cast_signed();
    sqlx::query(
        "UPDATE _queries SET members = ?, \
         members_as_of = coalesce((SELECT max(seq) FROM _changes WHERE query = _queries.id), 0) WHERE id = ?",
    )
    .bind(members)
    .bind(query)
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::store::fresh;

    /// As when runs die after their batches, and another query's run tidies the log.
    #[tokio::test]
    async fn entries_that_are_deleted_uncounted_let_members_be_counted() {
        let (mut store, _place) = fresh::store().await;
        sqlx::raw_sql(
            "INSERT INTO _queries (id, name, database, owned_keys, first_seen_at, members, members_as_of)
               VALUES (1, 'one', 'FI', '[]', '', 0, 0);
             INSERT INTO organizations (id, business_id, database, first_seen_at, changed_at, document)
               VALUES (1, 'FI1', 'FI', '', '', '{}');
             INSERT INTO _memberships (query, organization, entered_at) VALUES (1, 1, '');
             INSERT INTO _changes (query, organization, kind, at) VALUES (1, 1, 'created', '')",
        )
        .execute(&mut store.connection)
        .await
        .unwrap();
        assert_eq!(store.number_of_members(1).await.unwrap(), 1);
        assert_eq!(store.delete_changes(1).await.unwrap(), 1);
        assert_eq!(store.number_of_members(1).await.unwrap(), 1);
        store.close().await.unwrap();
    }
}
