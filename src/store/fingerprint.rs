use std::collections::HashMap;

use sqlx::{QueryBuilder, SqliteConnection};

use super::push_list;
use crate::organization::BusinessId;

/// Tells whether a row is the one that came last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// From the first sixteen bytes of a longer hash. An organization's row is compared with its last one alone: two that
    /// differ have the same 128 bits once in 2^128.
    ///
    /// # Panics
    /// If there are fewer.
    #[must_use]
    pub fn from_first_of(hash: &[u8]) -> Self {
        Self(hash[..16].try_into().expect("a slice of sixteen bytes"))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A member of a query, and the fingerprint of the row that it was last looked at with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprinted {
    pub organization: i64,
    pub fingerprint: Fingerprint,
}

const ROWS_A_STATEMENT: usize = 1000;

/// The members of `query` among these ids of whom nothing has to be looked at if their rows are the same. Reads
/// no document.
pub(super) async fn look_up(
    connection: &mut SqliteConnection,
    query: i64,
    ids: &[&BusinessId],
) -> sqlx::Result<HashMap<String, Fingerprinted>> {
    let mut found = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(ROWS_A_STATEMENT) {
        let mut sql = QueryBuilder::new(
            // CROSS: the ids first. All members of the query would be looked through for each statement otherwise.
            "SELECT o.business_id, o.id, m.fingerprint FROM organizations o \
             CROSS JOIN _memberships m ON m.organization = o.id AND m.query = ",
        );
        sql.push_bind(query);
        sql.push(
            " AND m.left_at IS NULL AND m.missing_since IS NULL AND length(m.fingerprint) = 16 \
             WHERE o.business_id IN",
        );
        push_list(&mut sql, ids.iter().map(|id| id.as_str()));
        let rows: Vec<(String, i64, Vec<u8>)> = sql.build_query_as().fetch_all(&mut *connection).await?;
        found.extend(rows.into_iter().map(|(id, organization, bytes)| {
            (id, Fingerprinted { organization, fingerprint: Fingerprint::from_first_of(&bytes) })
        }));
    }
    Ok(found)
}

/// Remembers by which rows members of `query` were last looked at.
pub(super) async fn remember(
    connection: &mut SqliteConnection,
    query: i64,
    rows: &[Fingerprinted],
) -> sqlx::Result<()> {
    for rows in rows.chunks(ROWS_A_STATEMENT) {
        let mut sql = QueryBuilder::new("UPDATE _memberships SET fingerprint = new.column2 FROM (");
        sql.push_values(rows, |mut values, row| {
            values.push_bind(row.organization).push_bind(row.fingerprint.as_bytes());
        });
        sql.push(") AS new WHERE query = ").push_bind(query);
        sql.push(" AND organization = new.column1 AND fingerprint IS NOT new.column2");
        sql.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Forgets them for whoever else holds these organizations: their documents read otherwise now.
pub(super) async fn forget_others(
    connection: &mut SqliteConnection,
    query: i64,
    organizations: &[i64],
) -> sqlx::Result<()> {
    for ids in organizations.chunks(ROWS_A_STATEMENT) {
        let mut sql = QueryBuilder::new("UPDATE _memberships SET fingerprint = NULL WHERE query <> ");
        sql.push_bind(query).push(" AND fingerprint IS NOT NULL AND organization IN");
        push_list(&mut sql, ids);
        sql.build().execute(&mut *connection).await?;
    }
    Ok(())
}
