//! The floor: what a bare program takes that asks page after page and writes each row by one prepared upsert. It
//! proves nothing, logs no change, notices no departure.

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::listing::{access, page};

/// Rows of a page.
pub const PAGE: usize = 1000;

#[derive(Deserialize)]
struct Row {
    business_id: String,
    name: Option<String>,
}

/// Loads everything in FI into the table `organizations` of `store`.
pub fn run(base_url: &str, token: &str, store: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(load(base_url, token, store));
}

async fn load(base_url: &str, token: &str, store: &str) {
    let client = reqwest::Client::new();
    let access = access(&client, base_url, token).await;
    let mut store = open(store);
    for offset in (0..).step_by(PAGE) {
        let asked = page(&client, base_url, &access, (offset, PAGE));
        let text = asked.send().await.unwrap().error_for_status().unwrap().text().await.unwrap();
        let rows = serde_json::from_str::<Vec<&RawValue>>(&text).unwrap();
        write(&mut store, &rows);
        if rows.len() < PAGE {
            return;
        }
    }
}

fn open(path: &str) -> Connection {
    let store = Connection::open(path).unwrap();
    store
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE IF NOT EXISTS organizations \
             (business_id TEXT PRIMARY KEY, name TEXT, document TEXT)",
        )
        .unwrap();
    store
}

fn write(store: &mut Connection, rows: &[&RawValue]) {
    let transaction = store.transaction().unwrap();
    let mut upsert = transaction
        .prepare(
            "INSERT INTO organizations VALUES (?1, ?2, ?3) ON CONFLICT (business_id) DO UPDATE SET \
             name = excluded.name, document = excluded.document WHERE document <> excluded.document",
        )
        .unwrap();
    for text in rows {
        let row: Row = serde_json::from_str(text.get()).unwrap();
        upsert.execute((&row.business_id, &row.name, text.get())).unwrap();
    }
    drop(upsert);
    transaction.commit().unwrap();
}
