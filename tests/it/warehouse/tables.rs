//! What the tables of a feed have to hold, read from the store by ways that are not the program's.

use std::collections::BTreeMap;
use std::fs;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;
use vainu_sync::config::settings::{Departed, Warehouse};
use vainu_sync::feed::{self, Report, Tools};
use vainu_sync::store::{Lock, Store};

use super::server::Server;
use crate::bench::Bench;

/// The lines of a feed that has whole documents.
pub const DOCUMENTS: &str = "";

/// A feed of these queries into tables, with these lines in its table.
pub fn feed(name: &str, queries: &str, lines: &str) -> String {
    format!(
        "\n[[feeds]]\nname = \"{name}\"\nqueries = {queries}\nformat = \"postgres\"\nurl_file = \"database-url\"\n{lines}\n"
    )
}

/// Writes the address that the bench's feeds use.
pub fn point_to(bench: &Bench, url: &str) {
    let path = bench.folder.path().join("database-url");
    fs::write(&path, format!("{url}\n")).unwrap();
}

/// Writes all feeds into tables, a few organizations at a time.
pub async fn write_tables(bench: &Bench, everything: bool, stop: &CancellationToken) -> Vec<Report> {
    let lock = Lock::take(&bench.store_path(), "a test").unwrap();
    let mut store = Store::open(&bench.store_path(), &lock).await.unwrap();
    let settings = &bench.settings;
    feed::retire(settings, &mut store, Timestamp::now()).await.unwrap();
    let mut tools = Tools { settings, store: &mut store, stop, clock: &Timestamp::now, batch: 17 };
    let mut reports = Vec::new();
    for feed in &settings.warehouses {
        reports.push(feed::write_tables(feed, everything, &mut tools).await);
    }
    store.close().await.unwrap();
    reports
}

/// What that came to, a word each: rows, or `!` with the error.
pub async fn written(bench: &Bench, everything: bool) -> String {
    let word = |report: &Report| match &report.outcome {
        Ok(outcome) => outcome.rows.to_string(),
        Err(error) => format!("!{error}"),
    };
    let reports = write_tables(bench, everything, &CancellationToken::new()).await;
    reports.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub fn organizations(feed: &Warehouse) -> String {
    table(feed, "")
}

pub fn table(feed: &Warehouse, ending: &str) -> String {
    format!("{}.{}", quoted(&feed.schema), quoted(&format!("{}{ending}", feed.table)))
}

/// Checks all tables of a feed that no other store writes.
pub async fn assert_equal(bench: &Bench, server: &Server, database: &str, feed: &Warehouse) {
    assert_present(bench, server, database, feed).await;
    assert_changes(bench, server, database, feed).await;
}

/// Checks the tables that tell what is true now.
pub async fn assert_present(bench: &Bench, server: &Server, database: &str, feed: &Warehouse) {
    assert_rows(bench, server, database, feed).await;
    assert_memberships(bench, server, database, feed).await;
}

/// The members of the feed's queries, each with its document and when it changed.
pub async fn members(bench: &Bench, feed: &Warehouse) -> BTreeMap<String, (String, String)> {
    let sql = format!(
        "SELECT DISTINCT o.business_id, o.document, o.changed_at FROM memberships m \
         JOIN organizations o ON o.business_id = m.business_id \
         WHERE m.left_at IS NULL AND m.query IN ({})",
        names(feed)
    );
    let rows = bench.rows::<(String, String, String)>(&sql).await;
    rows.into_iter().map(|(id, document, at)| (id, (document, at))).collect()
}

fn names(feed: &Warehouse) -> String {
    feed.queries.iter().map(|query| format!("'{query}'")).collect::<Vec<_>>().join(", ")
}

async fn assert_rows(bench: &Bench, server: &Server, database: &str, feed: &Warehouse) {
    let told = rows(server, database, feed).await;
    let expected: BTreeMap<String, (Vec<Option<String>>, String)> = members(bench, feed)
        .await
        .into_iter()
        .map(|(id, (document, at))| (id, (cells(feed, &document), at)))
        .collect();
    let differing: Vec<_> = expected.iter().filter(|(id, row)| told.get(*id) != Some(row)).take(3).collect();
    let strange: Vec<_> = told.keys().filter(|id| !expected.contains_key(*id)).take(3).collect();
    let instead: Vec<_> = differing.iter().map(|(id, _)| told.get(*id)).collect();
    assert!(
        differing.is_empty() && strange.is_empty(),
        "{}: {} members, {} rows; {differing:?} but {instead:?}; none of them: {strange:?}",
        feed.name,
        expected.len(),
        told.len()
    );
    if feed.columns.is_empty() {
        let unlike = format!(
            "SELECT count(*) FROM {} WHERE document IS NOT NULL \
             AND document IS DISTINCT FROM replace(document_text, '\\u0000', '\u{fffd}')::jsonb",
            organizations(feed)
        );
        assert_eq!(server.number(database, &unlike).await, 0);
    }
    if feed.removals == Departed::Deleted {
        let left = format!("SELECT count(*) FROM {} WHERE gone_at IS NOT NULL", organizations(feed));
        assert_eq!(server.number(database, &left).await, 0);
    }
}

/// The rows of those that are not gone: their columns, and when they changed.
pub async fn rows(
    server: &Server,
    database: &str,
    feed: &Warehouse,
) -> BTreeMap<String, (Vec<Option<String>>, String)> {
    let columns: Vec<String> = match feed.columns.as_slice() {
        [] => vec!["document_text".into()],
        columns => columns.iter().map(|column| quoted(&column.header)).collect(),
    };
    let sql = format!(
        "SELECT business_id, ARRAY[{}], to_char(changed_at AT TIME ZONE 'UTC', \
         'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') FROM {} WHERE gone_at IS NULL",
        columns.join(", "),
        organizations(feed)
    );
    let rows = server.rows::<(String, Vec<Option<String>>, String)>(database, &sql).await;
    rows.into_iter().map(|(id, cells, at)| (id, (cells, at))).collect()
}

/// The columns of a document: of top-level keys, or of the city of each unit.
fn cells(feed: &Warehouse, document: &str) -> Vec<Option<String>> {
    if feed.columns.is_empty() {
        return vec![Some(document.to_owned())];
    }
    let keys: BTreeMap<String, &RawValue> = serde_json::from_str(document).unwrap();
    let cell = |path: &str| match path {
        "business_units[].visiting_address.city" => {
            let units: Value = serde_json::from_str(keys.get("business_units")?.get()).unwrap();
            let cities = units.as_array()?.iter().map(|unit| unit["visiting_address"]["city"].clone());
            Some(Value::Array(cities.filter(|city| !city.is_null()).collect()).to_string())
        }
        key => match keys.get(key)?.get() {
            "null" => None,
            text if text.starts_with('"') => {
                Some(serde_json::from_str::<String>(text).unwrap().replace('\0', "\u{fffd}"))
            }
            other => Some(other.replace("\\u0000", "\u{fffd}").replace(": ", ":")),
        },
    };
    feed.columns.iter().map(|column| cell(&column.path.to_string())).collect()
}

async fn assert_memberships(bench: &Bench, server: &Server, database: &str, feed: &Warehouse) {
    let which = if feed.removals == Departed::Deleted { "AND left_at IS NULL" } else { "" };
    let expected = bench
        .rows::<(String, String, String, Option<String>)>(&format!(
            "SELECT query, business_id, entered_at, left_at FROM memberships WHERE query IN ({}) {which} ORDER BY 1, 2",
            names(feed)
        ))
        .await;
    let time =
        |column: &str| format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')");
    let told = server
        .rows::<(String, String, String, Option<String>)>(
            database,
            &format!(
                "SELECT query, business_id, {}, {} FROM {} ORDER BY 1, 2",
                time("entered_at"),
                time("left_at"),
                table(feed, "_memberships")
            ),
        )
        .await;
    assert!(expected == told, "{}: {} memberships, {} rows", feed.name, expected.len(), told.len());
}

/// An entry: number, query, id, kind, before, after.
type Entry = (i64, String, String, String, Option<String>, Option<String>);

/// The log is there, each entry once. With mapped columns, what is of none of them is left out.
pub async fn assert_changes(bench: &Bench, server: &Server, database: &str, feed: &Warehouse) {
    let sql = |table: &str, rest: &str| {
        format!("SELECT seq, query, business_id, kind, before, after FROM {table} {rest} ORDER BY seq")
    };
    let queries = format!("WHERE query IN ({})", names(feed));
    let mut expected: Vec<Entry> = bench.rows(&sql("changes", &queries)).await;
    let told: Vec<Entry> = server.rows(database, &sql(&table(feed, "_changes"), &queries)).await;
    if feed.columns.is_empty() {
        assert!(expected == told, "{}: {} entries, {} rows", feed.name, expected.len(), told.len());
        return;
    }
    // What a mapping of another day left out is not there.
    expected.retain(|entry| entry.3 != "updated");
    let kinds = |entries: &[Entry]| -> Vec<(i64, String)> {
        entries.iter().filter(|entry| entry.3 != "updated").map(|entry| (entry.0, entry.2.clone())).collect()
    };
    assert_eq!(kinds(&expected), kinds(&told), "{}", feed.name);
}
