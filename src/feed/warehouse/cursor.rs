//! How far a store's feed has got, which its database alone knows; and what that leaves to be looked at.

use serde_json::{Value, json};
use sqlx::Row;

use super::error::WarehouseError;
use super::link::Link;
use super::tables::Tables;
use crate::config::settings::{Departed, Warehouse};
use crate::feed::scope::{OfFeed, Scope};

/// What the database knows of this store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Which feed of the store wrote it.
    pub feed: String,
    /// The change log up to here is in the tables.
    pub seq: i64,
    /// The entry of that number: a restored backup has another there, or none.
    pub mark: Option<String>,
    /// What rows were last compared by; `None`: all are compared next time.
    pub definition: Option<String>,
    /// Each query of the feed had succeeded once.
    pub is_proved: bool,
}

/// The store's side of the same.
#[derive(Debug, Clone, Default)]
pub struct Log {
    pub first: Option<i64>,
    pub last: i64,
    /// The entry at the database's cursor.
    pub mark: Option<String>,
}

/// What a pass looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub organizations: Scope,
    /// Entries of the log after this one are sent.
    pub changes_after: i64,
}

/// What rows are compared by, as text.
pub fn definition(feed: &Warehouse, queries: &[OfFeed]) -> String {
    let columns: Vec<_> =
        feed.columns.iter().map(|column| json!([column.header, column.path.to_string()])).collect();
    let queries: Vec<_> = queries.iter().map(|query| json!([query.name, query.id])).collect();
    json!({ "queries": queries, "columns": columns, "marks": feed.removals == Departed::Marked }).to_string()
}

/// What to look at. `is_new`: a table or a column was missing.
pub fn extent(cursor: &Cursor, log: &Log, definition: &str, is_new: bool, everything: bool) -> Extent {
    // What the tables have up to the cursor is of this very history of the store.
    let is_same_history = match &log.mark {
        Some(mark) => cursor.mark.as_ref() == Some(mark),
        None => cursor.seq == log.last,
    };
    let reaches_back = log.first.is_none_or(|first| first <= cursor.seq.saturating_add(1));
    let goes_on = is_same_history && reaches_back && cursor.seq > 0 && cursor.seq <= log.last && !everything;
    let is_same = cursor.definition.as_deref() == Some(definition);
    let organizations = match goes_on && is_same {
        // A column that is new has no values yet, whatever the hashes of its rows.
        _ if everything || is_new => Scope::Anew,
        true => Scope::Changed(cursor.seq),
        false => Scope::All,
    };
    let keeps_log = goes_on && !is_new && has_same_queries(cursor.definition.as_deref(), definition);
    Extent { organizations, changes_after: if keeps_log { cursor.seq } else { 0 } }
}

/// Whether the entries of the log that belong into the tables are those of the same queries.
fn has_same_queries(before: Option<&str>, now: &str) -> bool {
    let queries = |text: &str| serde_json::from_str::<Value>(text).ok().map(|value| value["queries"].clone());
    before.is_some_and(|before| queries(before) == queries(now))
}

/// Reads what the database knows of `store`.
pub async fn read(link: &mut Link, tables: &Tables, store: &str) -> Result<Cursor, WarehouseError> {
    let sql = format!("SELECT feed, cursor, mark, definition, proved FROM {} WHERE store = $1", tables.feeds);
    let row = link.row(sqlx::query(sqlx::AssertSqlSafe(sql)).bind(store.to_owned())).await?;
    Ok(row.map_or_else(Cursor::default, |row| Cursor {
        feed: row.get("feed"),
        seq: row.get("cursor"),
        mark: row.get("mark"),
        definition: row.get("definition"),
        is_proved: row.get("proved"),
    }))
}

/// Other stores whose rows have other columns here, or go in another way.
pub async fn unlike(
    link: &mut Link,
    tables: &Tables,
    store: &str,
    definition: &str,
) -> Result<Vec<String>, WarehouseError> {
    let sql = format!(
        "SELECT store, definition FROM {} WHERE store <> $1 AND definition IS NOT NULL ORDER BY store",
        tables.feeds
    );
    let rows = link.rows(sqlx::query(sqlx::AssertSqlSafe(sql)).bind(store.to_owned())).await?;
    let unlike = rows.iter().filter(|row| !has_same_rows(row.get("definition"), definition));
    Ok(unlike.map(|row| row.get("store")).collect())
}

/// Whether stores with these write the row of an organization alike.
fn has_same_rows(one: &str, other: &str) -> bool {
    let of = |text: &str| {
        let value: Value = serde_json::from_str(text).ok()?;
        let mut columns: Vec<String> = value["columns"].as_array()?.iter().map(Value::to_string).collect();
        columns.sort();
        Some((columns, value["marks"].as_bool()))
    };
    of(one) == of(other)
}

/// Writes it, within the transaction of the rows that it tells of.
pub async fn write(
    link: &mut Link,
    tables: &Tables,
    store: &str,
    cursor: &Cursor,
    (now, has_written): (&str, bool),
) -> Result<(), WarehouseError> {
    let sql = format!(
        "INSERT INTO {} AS f (store, feed, cursor, mark, definition, proved, checked_at, written_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7::text::timestamptz, CASE WHEN $8 THEN $7::text::timestamptz END) \
         ON CONFLICT (store) DO UPDATE SET feed = excluded.feed, cursor = excluded.cursor, mark = excluded.mark, \
         definition = excluded.definition, proved = excluded.proved, checked_at = excluded.checked_at, \
         written_at = coalesce(excluded.written_at, f.written_at)",
        tables.feeds
    );
    let statement = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(store.to_owned())
        .bind(cursor.feed.clone())
        .bind(cursor.seq)
        .bind(cursor.mark.clone())
        .bind(cursor.definition.clone())
        .bind(cursor.is_proved)
        .bind(now.to_owned())
        .bind(has_written);
    link.execute(statement).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAME: &str = r#"{"queries":[["all",1]],"columns":[]}"#;
    const MAPPED: &str = r#"{"queries":[["all",1]],"columns":[["Name","name"]]}"#;
    const WIDER: &str = r#"{"queries":[["all",1],["some",2]],"columns":[]}"#;

    fn cursor() -> Cursor {
        Cursor {
            feed: "warehouse".into(),
            seq: 10,
            mark: Some("ten".into()),
            definition: Some(SAME.into()),
            is_proved: true,
        }
    }

    fn log(first: Option<i64>, last: i64, mark: Option<&str>) -> Log {
        Log { first, last, mark: mark.map(Into::into) }
    }

    fn of(cursor: &Cursor, log: &Log) -> (Scope, i64) {
        let extent = extent(cursor, log, SAME, false, false);
        (extent.organizations, extent.changes_after)
    }

    #[test]
    fn what_changed_is_enough_within_one_history() {
        for log in [log(Some(1), 20, Some("ten")), log(Some(1), 10, Some("ten")), log(None, 10, None)] {
            assert_eq!(of(&cursor(), &log), (Scope::Changed(10), 10), "{log:?}");
        }
    }

    #[test]
    fn all_is_compared_where_either_side_was_restored() {
        for log in [
            // The store: another entry there, or none yet.
            log(Some(1), 20, Some("another")),
            log(Some(1), 9, None),
            log(None, 0, None),
            // The database: its next entries have gone from the log.
            log(Some(12), 20, None),
            log(None, 20, None),
        ] {
            assert_eq!(of(&cursor(), &log), (Scope::All, 0), "{log:?}");
        }
        assert_eq!(of(&Cursor::default(), &log(Some(1), 20, None)), (Scope::All, 0));
    }

    #[test]
    fn an_edit_compares_rows_and_sends_the_log_again_for_other_queries_alone() {
        let log = log(Some(1), 20, Some("ten"));
        let of = |definition, is_new, everything| {
            let extent = extent(&cursor(), &log, definition, is_new, everything);
            (extent.organizations, extent.changes_after)
        };
        assert_eq!(of(MAPPED, false, false), (Scope::All, 10));
        assert_eq!(of(WIDER, false, false), (Scope::All, 0));
        assert_eq!(of(SAME, true, false), (Scope::Anew, 0));
        assert_eq!(of(SAME, false, true), (Scope::Anew, 0));
    }
}
