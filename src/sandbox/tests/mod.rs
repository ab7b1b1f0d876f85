//! The sandbox over a real socket, asked with a plain HTTP client.

mod export;
mod faults;
mod organizations;
mod tokens;

use reqwest::Client;
use serde_json::{Value, json};

use super::{Control, Options, Sandbox, Switches, World};

/// A sandbox with a client that holds an access token.
struct Api {
    sandbox: Sandbox,
    control: Control,
    client: Client,
    access: String,
}

impl Api {
    async fn start(world: World, change: impl FnOnce(&mut Switches)) -> Self {
        let mut options = Options { world, ..Options::default() };
        change(&mut options.switches);
        let sandbox = Sandbox::start(options).await.unwrap();
        let control = sandbox.control();
        let client = Client::new();
        let mut api = Self { sandbox, control, client, access: String::new() };
        api.access = api.refresh().await.1["access"].as_str().unwrap().to_owned();
        api
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url())
    }

    async fn refresh(&self) -> (u16, Value) {
        self.refresh_with(&self.sandbox.refresh_token()).await
    }

    async fn refresh_with(&self, token: &str) -> (u16, Value) {
        let body = json!({ "refresh": token }).to_string();
        read(self.client.post(self.url("/token_authentication/refresh/")).body(body)).await
    }

    fn request(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.client.post(self.url(path)).bearer_auth(&self.access).body(body.to_string())
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        read(self.request(path, body)).await
    }

    async fn text(&self, path: &str, body: &Value) -> String {
        self.request(path, body).send().await.unwrap().text().await.unwrap()
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        read(self.client.get(self.url(path)).bearer_auth(&self.access)).await
    }
}

async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The `business_id` of every row.
fn ids(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["business_id"].as_str().unwrap()).collect()
}

fn rows(texts: &[&str]) -> World {
    World::Fixed(texts.iter().map(|text| (*text).to_owned()).collect())
}
