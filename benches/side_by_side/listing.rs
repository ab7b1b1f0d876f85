//! What is listed: made-up companies of about 1.5 kB each.

use serde_json::{Value, json};
use vainu_sync::sandbox::{Options, Sandbox, World};

/// All that the sandbox's companies have.
pub const FIELDS: [&str; 12] = [
    "name",
    "website",
    "founded",
    "legal_entity",
    "staff_number",
    "financial_data",
    "official_industries",
    "business_units",
    "contacts",
    "technology_data",
    "vehicles",
    "modifications",
];

/// Companies asked for at once while a listing is made.
const PAGE: usize = 5000;

/// So many rows, as the sandbox writes them, in the order of their ids.
pub async fn rows(size: usize) -> Vec<String> {
    let world = World::Generated { size: u32::try_from(size).unwrap() };
    let sandbox = Sandbox::start(Options { world, ..Options::default() }).await.unwrap();
    let client = reqwest::Client::new();
    let access = access(&client, &sandbox.base_url(), &sandbox.refresh_token()).await;
    let mut rows = Vec::new();
    while rows.len() < size {
        let asked = page(&client, &sandbox.base_url(), &access, (rows.len(), PAGE));
        let asked = asked.header("accept", "application/jsonlines");
        let text = asked.send().await.unwrap().error_for_status().unwrap().text().await.unwrap();
        assert!(!text.is_empty(), "the sandbox has only {} of {size} rows", rows.len());
        rows.extend(text.lines().map(str::to_owned));
    }
    sandbox.stop().await;
    rows
}

/// Everybody in FI with all that they have.
pub fn selection() -> Value {
    let fields: Vec<&str> = std::iter::once("business_id").chain(FIELDS).collect();
    json!({ "query": { "?ALL": [] }, "database": "FI", "fields": fields, "order": "business_id" })
}

/// Asks for so many rows from an offset on.
pub fn page(
    client: &reqwest::Client,
    base_url: &str,
    access: &str,
    (offset, rows): (usize, usize),
) -> reqwest::RequestBuilder {
    let mut body = selection();
    (body["offset"], body["limit"]) = (offset.into(), rows.into());
    let asked = client.post(format!("{base_url}/v3/organizations/")).bearer_auth(access);
    asked.header("content-type", "application/json").body(body.to_string())
}

/// An access token.
pub async fn access(client: &reqwest::Client, base_url: &str, token: &str) -> String {
    let asked = client.post(format!("{base_url}/token_authentication/refresh/"));
    let asked =
        asked.header("content-type", "application/json").body(json!({ "refresh": token }).to_string());
    let answer = asked.send().await.unwrap().error_for_status().unwrap().text().await.unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    answer["access"].as_str().unwrap().to_owned()
}

/// The same listing later: one in a hundred reads otherwise, one in a thousand is gone.
pub fn later(rows: &[String]) -> Vec<String> {
    let is_gone = |index: usize| index % 1000 == 7;
    let rows = rows.iter().enumerate().filter(|(index, _)| !is_gone(*index));
    rows.map(|(index, row)| if index % 100 == 3 { renamed(row) } else { row.clone() }).collect()
}

fn renamed(row: &str) -> String {
    row.replacen(r#""name":""#, r#""name":"New "#, 1)
}
