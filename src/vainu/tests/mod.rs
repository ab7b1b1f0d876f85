//! The client against a server that counts its hits.

mod answers;
mod breaks;
mod catalogue;
mod downloads;
mod exports;
mod redirects;
mod refresh;
mod requests;
mod rotation;
mod waits;

use std::cell::Cell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::*;
use crate::config::settings::{Api, Ask, Credential, Secret};
use crate::organization::Database;

const REFRESH: &str = "/api/token_authentication/refresh/";
const OAUTH: &str = "/api/oauth/token/";
const ORGANIZATIONS: &str = "/api/v3/organizations/";
const COUNT: &str = "/api/v3/organizations/count/";

/// A server without any behaviour yet, and what a client costs that asks it.
struct World {
    server: MockServer,
    meter: Meter,
}

impl World {
    async fn new() -> Self {
        Self { server: MockServer::start().await, meter: Meter::new() }
    }

    /// One that gives the tokens `t1`, `t2`, … and an empty list of organizations.
    async fn healthy() -> Self {
        let world = Self::new().await;
        world.on(REFRESH, tokens()).await;
        world.on(ORGANIZATIONS, Script::of([rows("[]")])).await;
        world
    }

    async fn on(&self, at: &str, respond: impl Respond + 'static) {
        Mock::given(path(at)).respond_with(respond).mount(&self.server).await;
    }

    /// The settings of a client that fails at the first transient failure.
    fn api(&self) -> Api {
        api(&format!("{}/api", self.server.uri()))
    }

    /// Tries again, but not for long.
    fn hopeful(&self) -> Client {
        client(&Api { retry_for: Duration::from_millis(50), ..self.api() }, &refresh_token())
    }

    /// Tries again for long enough that only the server's answers end it.
    fn patient(&self) -> Client {
        client(&Api { retry_for: Duration::from_mins(15), ..self.api() }, &refresh_token())
    }

    fn impatient(&self) -> Client {
        client(&self.api(), &refresh_token())
    }

    async fn page(&self, client: &Client) -> Result<Page, Error> {
        organizations(client, &self.meter).await
    }

    async fn requests(&self, at: &str) -> Vec<Request> {
        let requests = self.server.received_requests().await.unwrap();
        requests.into_iter().filter(|request| request.url.path() == at).collect()
    }

    async fn hits(&self, at: &str) -> usize {
        self.requests(at).await.len()
    }

    /// The refresh tokens that were spent.
    async fn spent(&self) -> Vec<String> {
        let refresh = |request: &Request| {
            let body: Value = request.body_json().unwrap();
            body["refresh"].as_str().unwrap().to_owned()
        };
        self.requests(REFRESH).await.iter().map(refresh).collect()
    }
}

fn api(base_url: &str) -> Api {
    Api {
        base_url: base_url.to_owned(),
        language: "fi".to_owned(),
        page_size: 1000,
        concurrency: 64,
        requests_per_second: 0,
        timeout: Duration::from_mins(1),
        retry_for: Duration::ZERO,
        count_timeout: Duration::from_mins(1),
        export_timeout: Duration::from_mins(1),
        ca_file: None,
    }
}

thread_local! {
    /// Where a test's clients have their stores; each test has a thread of its own.
    static FOLDER: TempDir = tempfile::tempdir().unwrap();
    static STORES: Cell<u32> = const { Cell::new(0) };
}

/// The place of a store that no other client has.
fn new_store() -> PathBuf {
    STORES.set(STORES.get() + 1);
    FOLDER.with(|folder| folder.path().join(format!("{}.db", STORES.get())))
}

fn client(api: &Api, credential: &Credential) -> Client {
    client_beside(&new_store(), api, credential)
}

fn client_beside(store: &Path, api: &Api, credential: &Credential) -> Client {
    let delays = Delays { first: Duration::from_millis(1), longest: Duration::from_millis(1) };
    Client::new(api, credential, store).unwrap().with_delays(delays).with_polls(delays)
}

fn refresh_token() -> Credential {
    Credential::RefreshToken(Secret::Value(SecretString::from("configured")))
}

fn client_credentials() -> Credential {
    Credential::Client { id: "me".into(), secret: Secret::Value(SecretString::from("s&e")) }
}

fn selection() -> Selection {
    Selection::new(Database::Fi, Ask::Query(r#"{"?ALL":[]}"#.into()), vec!["business_id".into()])
}

async fn organizations(client: &Client, meter: &Meter) -> Result<Page, Error> {
    let request = PageRequest { selection: &selection(), limit: 10, offset: 0, ordered: true };
    client.organizations(&request, meter).await
}

/// Answers in their order; the last one for ever.
struct Script(Mutex<VecDeque<ResponseTemplate>>);

impl Script {
    fn of(answers: impl IntoIterator<Item = ResponseTemplate>) -> Self {
        Self(Mutex::new(answers.into_iter().collect()))
    }
}

impl Respond for Script {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let mut answers = self.0.lock().unwrap();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
    }
}

fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

fn rows(body: &str) -> ResponseTemplate {
    status(200).set_body_raw(body, "application/json")
}

fn token(token: &str) -> ResponseTemplate {
    status(200).set_body_json(json!({"access": token, "expires_in": 3600}))
}

fn tokens() -> Script {
    Script::of((1..10).map(|n| token(&format!("t{n}"))))
}

/// Answers only those who bear `0`; 401 to the rest.
struct Only(&'static str);

impl Respond for Only {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let bearer = request.headers.get("authorization").map(|value| value.to_str().unwrap());
        if bearer == Some(&format!("Bearer {}", self.0)) { rows("[]") } else { status(401) }
    }
}
