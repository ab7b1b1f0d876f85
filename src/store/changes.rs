use serde::Serialize;
use sqlx::{FromRow, QueryBuilder, SqliteConnection};

use crate::organization::ChangeKind;

/// An entry for the change log.
#[derive(Debug, Clone)]
pub struct NewChange {
    pub organization: i64,
    pub kind: ChangeKind,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// An entry of the change log, as the view `changes` has it.
#[derive(Debug, Clone, FromRow, Serialize)]
pub struct Change {
    pub seq: i64,
    pub at: String,
    pub run_id: Option<i64>,
    pub query: String,
    pub business_id: String,
    pub kind: String,
    /// JSON text.
    pub before: Option<String>,
    /// JSON text.
    pub after: Option<String>,
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only later ones than this.
    pub since: i64,
    pub query: Option<String>,
    pub business_id: Option<String>,
}

const ROWS_A_STATEMENT: usize = 500;

/// Appends entries in their order.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    run: Option<i64>,
    query: i64,
    at: &str,
    changes: &[NewChange],
) -> sqlx::Result<()> {
    for changes in changes.chunks(ROWS_A_STATEMENT) {
        let mut sql = QueryBuilder::new(
            "INSERT INTO _changes (organization, kind, before, after, run_id, query, at) SELECT *, ",
        );
        sql.push_bind(run).push(", ").push_bind(query).push(", ").push_bind(at).push(" FROM (");
        sql.push_values(changes, |mut values, change| {
            // Binds nothing but what this entry alone has.
            values.push_bind(change.organization).push(format_args!("'{}'", change.kind));
            for part in [&change.before, &change.after] {
                match part {
                    Some(part) => values.push_bind(part),
                    None => values.push("NULL"),
                };
            }
        });
        sql.push(")");
        sql.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Up to `limit` entries, ascending.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    filter: &Filter,
    limit: u32,
) -> sqlx::Result<Vec<Change>> {
    let mut sql = QueryBuilder::new(
        "SELECT seq, at, run_id, query, business_id, kind, before, after FROM changes WHERE seq > ",
    );
    sql.push_bind(filter.since);
    if let Some(query) = &filter.query {
        sql.push(" AND query = ").push_bind(query);
    }
    if let Some(id) = &filter.business_id {
        sql.push(" AND business_id = ").push_bind(id);
    }
    sql.push(" ORDER BY seq LIMIT ").push_bind(limit);
    sql.build_query_as().fetch_all(connection).await
}

/// The number of the latest entry; 0 if there is none.
pub(super) async fn last(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM _changes").fetch_one(connection).await
}
