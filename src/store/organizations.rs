use std::collections::HashMap;

use sqlx::{FromRow, QueryBuilder, SqliteConnection};

use super::push_list;
use crate::organization::{BusinessId, Database};

/// An organization that the store knows, and what the asking query has with it.
#[derive(Debug, FromRow)]
pub struct Known {
    pub id: i64,
    #[sqlx(try_from = "String")]
    pub business_id: BusinessId,
    #[sqlx(try_from = "String")]
    pub database: Database,
    pub first_seen_at: String,
    pub changed_at: String,
    pub gone_at: Option<String>,
    pub document: String,
    /// When it last came into the query; `None`: never.
    pub entered_at: Option<String>,
    pub left_at: Option<String>,
    pub missing_since: Option<String>,
}

impl Known {
    /// Whether it is a member of the asking query.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.entered_at.is_some() && self.left_at.is_none()
    }

    /// Whether a query holds it in another database.
    #[must_use]
    pub fn is_held_elsewhere(&self, database: Database) -> bool {
        self.gone_at.is_none() && self.database != database
    }
}

/// What is written of an organization that is new to the store.
#[derive(Debug, Clone)]
pub struct Created {
    pub id: i64,
    pub business_id: BusinessId,
    pub name: Option<String>,
    pub document: String,
}

/// What is written of an organization that the store knows.
#[derive(Debug, Clone)]
pub struct Written {
    pub id: i64,
    pub business_id: BusinessId,
    pub database: Database,
    pub name: Option<String>,
    pub first_seen_at: String,
    pub changed_at: String,
    pub document: String,
}

/// Rows in one statement: 8 values each stay far below SQLite's 32,766.
const ROWS_A_STATEMENT: usize = 500;

/// The organizations with these ids that the store knows, by id, with `query`'s membership.
pub(super) async fn look_up(
    connection: &mut SqliteConnection,
    query: i64,
    ids: &[&BusinessId],
) -> sqlx::Result<HashMap<String, Known>> {
    let mut found = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(ROWS_A_STATEMENT) {
        let mut sql = QueryBuilder::new(
            "SELECT o.id, o.business_id, o.database, o.first_seen_at, o.changed_at, o.gone_at, o.document, \
             m.entered_at, m.left_at, m.missing_since FROM organizations o \
             LEFT JOIN _memberships m ON m.organization = o.id AND m.query = ",
        );
        sql.push_bind(query).push(" WHERE o.business_id IN");
        push_list(&mut sql, ids.iter().map(|id| id.as_str()));
        let rows: Vec<Known> = sql.build_query_as().fetch_all(&mut *connection).await?;
        found.extend(rows.into_iter().map(|known| (known.business_id.to_string(), known)));
    }
    Ok(found)
}

/// The number that the next new organization gets.
pub(super) async fn next_id(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT coalesce(max(id), 0) + 1 FROM organizations").fetch_one(connection).await
}

/// Writes known organizations anew. Their first documents go into the change log, where they are told of still.
pub(super) async fn update(connection: &mut SqliteConnection, rows: &[Written]) -> sqlx::Result<()> {
    for rows in rows.chunks(ROWS_A_STATEMENT) {
        let mut sql = QueryBuilder::new(
            "UPDATE _changes SET after = (SELECT document FROM organizations o WHERE o.id = organization) \
             WHERE kind = 'created' AND after IS NULL AND organization IN",
        );
        push_list(&mut sql, rows.iter().map(|row| row.id));
        sql.build().execute(&mut *connection).await?;
    }
    upsert(connection, rows).await
}

/// Writes organizations of `database` that were first seen at `now`.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    database: Database,
    now: &str,
    mut rows: Vec<Created>,
) -> sqlx::Result<()> {
    while !rows.is_empty() {
        // What is the same in all rows is bound once, and the documents are handed on as they are.
        let mut sql = QueryBuilder::new(
            "INSERT INTO organizations \
             (id, business_id, name, document, database, first_seen_at, changed_at) SELECT *, ",
        );
        sql.push_bind(database.code()).push(", ").push_bind(now).push(", ").push_bind(now).push(" FROM (");
        sql.push_values(rows.drain(..rows.len().min(ROWS_A_STATEMENT)), |mut values, row| {
            values
                .push_bind(row.id)
                .push_bind(row.business_id.into_string())
                .push_bind(row.name)
                .push_bind(row.document);
        });
        sql.push(")");
        sql.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Writes organizations that some query holds, keyed by `business_id`.
async fn upsert(connection: &mut SqliteConnection, rows: &[Written]) -> sqlx::Result<()> {
    for rows in rows.chunks(ROWS_A_STATEMENT) {
        let mut sql = QueryBuilder::new(
            "INSERT INTO organizations \
             (id, business_id, database, name, first_seen_at, changed_at, document) ",
        );
        sql.push_values(rows, |mut values, row| {
            values
                .push_bind(row.id)
                .push_bind(row.business_id.as_str())
                .push_bind(row.database.code())
                .push_bind(row.name.as_deref())
                .push_bind(&row.first_seen_at)
                .push_bind(&row.changed_at)
                .push_bind(&row.document);
        });
        sql.push(
            " ON CONFLICT (business_id) DO UPDATE SET database = excluded.database, name = excluded.name, \
             changed_at = excluded.changed_at, gone_at = NULL, document = excluded.document",
        );
        sql.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Marks organizations that the last query let go; their documents stay as they are.
pub(super) async fn mark_gone(connection: &mut SqliteConnection, ids: &[i64], at: &str) -> sqlx::Result<()> {
    for ids in ids.chunks(ROWS_A_STATEMENT) {
        let mut sql = QueryBuilder::new("UPDATE organizations SET gone_at = ");
        sql.push_bind(at).push(" WHERE id IN");
        push_list(&mut sql, ids);
        sql.build().execute(&mut *connection).await?;
    }
    Ok(())
}
