//! What is listed: made-up companies of about 1.5 kB each.

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
    let access = access(&client, &sandbox).await;
    let fields: Vec<&str> = std::iter::once("business_id").chain(FIELDS).collect();
    let mut rows = Vec::new();
    while rows.len() < size {
        let body = serde_json::json!({
            "query": { "?ALL": [] }, "database": "FI", "fields": fields, "limit": PAGE, "offset": rows.len(),
            "order": "business_id",
        });
        let asked = client.post(format!("{}/v3/organizations/", sandbox.base_url())).bearer_auth(&access);
        let asked = asked.header("accept", "application/jsonlines").body(body.to_string());
        let text = asked.send().await.unwrap().error_for_status().unwrap().text().await.unwrap();
        assert!(!text.is_empty(), "the sandbox has only {} of {size} rows", rows.len());
        rows.extend(text.lines().map(str::to_owned));
    }
    sandbox.stop().await;
    rows
}

async fn access(client: &reqwest::Client, sandbox: &Sandbox) -> String {
    let body = serde_json::json!({ "refresh": sandbox.refresh_token() });
    let asked = client.post(format!("{}/token_authentication/refresh/", sandbox.base_url()));
    let answer = asked.body(body.to_string()).send().await.unwrap().text().await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
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
