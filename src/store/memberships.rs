use std::collections::HashMap;

use futures_util::TryStreamExt;
use sqlx::{FromRow, QueryBuilder, SqliteConnection};

use super::{Fingerprinted, push_list};

/// A member of a query.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Member {
    pub organization: i64,
    pub business_id: String,
    /// Since when a complete listing lacked it without an answer to whether it left.
    pub missing_since: Option<String>,
}

const ROWS_A_STATEMENT: usize = 1000;

/// The members of `query` whose numbers `wanted` picks, in the order in which the store came to know them. Only
/// these are held in memory.
pub(super) async fn members(
    connection: &mut SqliteConnection,
    query: i64,
    wanted: impl Fn(u64) -> bool,
) -> sqlx::Result<Vec<Member>> {
    let numbers = sqlx::query_scalar(
        "SELECT organization FROM _memberships WHERE query = ? AND left_at IS NULL ORDER BY organization",
    );
    let numbers = numbers.bind(query).fetch(&mut *connection);
    let wanted = |number: &i64| std::future::ready(wanted(number.unsigned_abs()));
    let wanted: Vec<i64> = numbers.try_filter(wanted).try_collect().await?;
    let mut members = Vec::with_capacity(wanted.len());
    for numbers in wanted.chunks(ROWS_A_STATEMENT) {
        members.extend(members_of(connection, query, numbers).await?);
    }
    Ok(members)
}

async fn members_of(
    connection: &mut SqliteConnection,
    query: i64,
    numbers: &[i64],
) -> sqlx::Result<Vec<Member>> {
    let mut sql = QueryBuilder::new(
        "SELECT m.organization, o.business_id, m.missing_since FROM _memberships m \
         JOIN organizations o ON o.id = m.organization WHERE m.query = ",
    );
    sql.push_bind(query).push(" AND m.organization IN");
    push_list(&mut sql, numbers);
    sql.push(" ORDER BY m.organization");
    sql.build_query_as().fetch_all(connection).await
}

/// The queries other than `query` that hold these organizations.
pub(super) async fn other_holders(
    connection: &mut SqliteConnection,
    query: i64,
    organizations: &[i64],
) -> sqlx::Result<HashMap<i64, Vec<i64>>> {
    let mut holders: HashMap<i64, Vec<i64>> = HashMap::new();
    for ids in organizations.chunks(ROWS_A_STATEMENT) {
        let mut sql = QueryBuilder::new(
            "SELECT organization, query FROM _memberships WHERE left_at IS NULL AND query <> ",
        );
        sql.push_bind(query).push(" AND organization IN");
        push_list(&mut sql, ids);
        let rows: Vec<(i64, i64)> = sql.build_query_as().fetch_all(&mut *connection).await?;
        for (organization, holder) in rows {
            holders.entry(organization).or_default().push(holder);
        }
    }
    Ok(holders)
}

/// Lets organizations into `query`, new or back.
pub(super) async fn enter(
    connection: &mut SqliteConnection,
    query: i64,
    organizations: &[Fingerprinted],
    at: &str,
) -> sqlx::Result<()> {
    for rows in organizations.chunks(ROWS_A_STATEMENT) {
        let mut sql = QueryBuilder::new(
            "INSERT INTO _memberships (organization, fingerprint, query, entered_at) SELECT *, ",
        );
        sql.push_bind(query).push(", ").push_bind(at).push(" FROM (");
        sql.push_values(rows, |mut values, row| {
            values.push_bind(row.organization).push_bind(row.fingerprint.as_bytes());
        });
        sql.push(
            ") WHERE true ON CONFLICT (query, organization) DO UPDATE SET entered_at = excluded.entered_at, \
             left_at = NULL, missing_since = NULL, fingerprint = excluded.fingerprint",
        );
        sql.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Sets `left_at` for members of `query`.
pub(super) async fn leave(
    connection: &mut SqliteConnection,
    query: i64,
    organizations: &[i64],
    at: &str,
) -> sqlx::Result<()> {
    set(connection, "left_at", query, organizations, Some(at)).await
}

/// Sets or clears `missing_since` for members of `query`.
pub(super) async fn set_missing(
    connection: &mut SqliteConnection,
    query: i64,
    organizations: &[i64],
    since: Option<&str>,
) -> sqlx::Result<()> {
    set(connection, "missing_since", query, organizations, since).await
}

async fn set(
    connection: &mut SqliteConnection,
    column: &'static str,
    query: i64,
    organizations: &[i64],
    value: Option<&str>,
) -> sqlx::Result<()> {
    for ids in organizations.chunks(ROWS_A_STATEMENT) {
        let mut sql = QueryBuilder::new("UPDATE _memberships SET ");
        sql.push(column).push(" = ").push_bind(value);
        sql.push(" WHERE query = ").push_bind(query).push(" AND organization IN");
        push_list(&mut sql, ids);
        sql.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Forgets who was missing: another definition has other members.
pub(super) async fn clear_missing(connection: &mut SqliteConnection, query: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE _memberships SET missing_since = NULL WHERE query = ? AND missing_since IS NOT NULL")
        .bind(query)
        .execute(connection)
        .await?;
    Ok(())
}
