//! `members_NAME`: a query's members as a table, one column per field, for people who write SQL.

use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::config::{column_name, view_name};

/// Makes or renews the view of `query`'s members where it is not as it should be.
pub(super) async fn renew(
    connection: &mut SqliteConnection,
    query: i64,
    name: &str,
    fields: &[String],
) -> sqlx::Result<()> {
    let view = view_name(name);
    let wanted = definition(&view, query, fields);
    if text_of(connection, &view).await?.as_deref() == Some(&wanted) {
        return Ok(());
    }
    drop_view(connection, &view).await?;
    sqlx::query(AssertSqlSafe(wanted)).execute(connection).await?;
    Ok(())
}

/// Drops the view of `query`'s members and gives its text; `None` if there is none, or somebody has put
/// another in its place, which stays.
pub(super) async fn remove(
    connection: &mut SqliteConnection,
    query: i64,
    name: &str,
) -> sqlx::Result<Option<String>> {
    let view = view_name(name);
    let text = text_of(connection, &view).await?.filter(|text| text.ends_with(&members_of(query)));
    if text.is_some() {
        drop_view(connection, &view).await?;
    }
    Ok(text)
}

/// Gives the view of `query`'s members the name that goes with its new one.
pub(super) async fn rename(
    connection: &mut SqliteConnection,
    query: i64,
    old: &str,
    new: &str,
) -> sqlx::Result<()> {
    let Some(text) = remove(connection, query, old).await? else { return Ok(()) };
    let (old, new) = (view_name(old), view_name(new));
    drop_view(connection, &new).await?;
    sqlx::query(AssertSqlSafe(text.replacen(&quoted(&old), &quoted(&new), 1))).execute(connection).await?;
    Ok(())
}

async fn text_of(connection: &mut SqliteConnection, view: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT sql FROM sqlite_master WHERE type = 'view' AND name = ? COLLATE NOCASE")
        .bind(view)
        .fetch_optional(connection)
        .await
}

async fn drop_view(connection: &mut SqliteConnection, view: &str) -> sqlx::Result<()> {
    let drop = format!("DROP VIEW IF EXISTS {}", quoted(view));
    sqlx::query(AssertSqlSafe(drop)).execute(connection).await?;
    Ok(())
}

fn definition(view: &str, query: i64, fields: &[String]) -> String {
    let columns: Vec<String> = fields
        .iter()
        .map(|field| format!("{} AS {}", expression(field), quoted(&column_name(field))))
        .collect();
    format!("CREATE VIEW {} AS SELECT {}{}", quoted(view), columns.join(", "), members_of(query))
}

/// How each view of ours ends.
fn members_of(query: i64) -> String {
    format!(
        " FROM _memberships m JOIN organizations o ON o.id = m.organization \
         WHERE m.query = {query} AND m.left_at IS NULL"
    )
}

/// The value of one field. Where the first key holds a list, the list of what its objects have there.
fn expression(field: &str) -> String {
    if field == "business_id" {
        return "o.business_id".to_owned();
    }
    if let Some(id) = field.strip_prefix('?') {
        return format!("coalesce({}, {})", extract("o.document", &[field]), extract("o.document", &[id]));
    }
    let keys: Vec<&str> = field.split('.').collect();
    match keys.as_slice() {
        [_] => extract("o.document", &keys),
        [list, rest @ ..] => format!(
            "CASE json_type(o.document, {list}) WHEN 'array' THEN (SELECT json_group_array({item}) \
             FROM json_each(o.document, {list})) ELSE {plain} END",
            list = path(&[list]),
            item = extract("value", rest),
            plain = extract("o.document", &keys),
        ),
        [] => "NULL".to_owned(),
    }
}

fn extract(json: &str, keys: &[&str]) -> String {
    format!("json_extract({json}, {})", path(keys))
}

/// An SQL text that holds a JSON path.
fn path(keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("\"{}\"", key.replace('"', ""))).collect();
    format!("'$.{}'", keys.join(".").replace('\'', "''"))
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}
