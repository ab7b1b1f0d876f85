//! The floor: what a bare program takes that asks page after page and writes each row by one prepared upsert. It
//! proves nothing, logs no change, notices no departure.

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::listing::FIELDS;

/// Rows of a page.
pub const PAGE: usize = 1000;

#[derive(Deserialize)]
struct Row {
    business_id: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    access: String,
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
        let asked = page(&client, base_url, &access, offset);
        let text = asked.send().await.unwrap().error_for_status().unwrap().text().await.unwrap();
        let rows = serde_json::from_str::<Vec<&RawValue>>(&text).unwrap();
        write(&mut store, &rows);
        if rows.len() < PAGE {
            return;
        }
    }
}

/// Asks for the page that begins with this row.
pub fn page(
    client: &reqwest::Client,
    base_url: &str,
    access: &str,
    offset: usize,
) -> reqwest::RequestBuilder {
    let fields: Vec<&str> = std::iter::once("business_id").chain(FIELDS).collect();
    let body = json!({
        "query": { "?ALL": [] }, "database": "FI", "fields": fields, "limit": PAGE, "offset": offset,
        "order": "business_id",
    });
    client
        .post(format!("{base_url}/v3/organizations/"))
        .bearer_auth(access)
        .header("content-type", "application/json")
        .body(body.to_string())
}

pub async fn access(client: &reqwest::Client, base_url: &str, token: &str) -> String {
    let asked = client
        .post(format!("{base_url}/token_authentication/refresh/"))
        .header("content-type", "application/json")
        .body(json!({ "refresh": token }).to_string());
    let text = asked.send().await.unwrap().error_for_status().unwrap().text().await.unwrap();
    serde_json::from_str::<Token>(&text).unwrap().access
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
