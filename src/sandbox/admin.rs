//! The sandbox's own paths, for a process that can't reach [`Control`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::state::Shared;
use super::{Control, Endpoint, Fault};

/// The paths below `/sandbox`.
pub fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/day", post(day))
        .route("/revoke", post(revoke))
        .route("/fail", post(fail))
        .route("/wait", post(wait))
        .route("/hits", get(hits))
}

async fn day(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "day": Control::new(shared).next_day() }))
}

async fn revoke(State(shared): State<Arc<Shared>>) -> StatusCode {
    Control::new(shared).revoke_tokens();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Failure {
    endpoint: String,
    status: u16,
    times: Option<u64>,
}

async fn fail(
    State(shared): State<Arc<Shared>>,
    Query(failure): Query<Failure>,
) -> Result<StatusCode, Refusal> {
    let endpoint = Endpoint::ALL.into_iter().find(|endpoint| endpoint.name() == failure.endpoint);
    let endpoint = endpoint.ok_or_else(|| {
        let names = Endpoint::ALL.map(Endpoint::name).join(", ");
        Refusal::bad_request(format!("no endpoint {:?}; there are {names}", failure.endpoint))
    })?;
    Control::new(shared).fail(endpoint, Fault::status(failure.status), failure.times.unwrap_or(1));
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Wait {
    latency_ms: u64,
    jitter_ms: Option<u64>,
}

async fn wait(State(shared): State<Arc<Shared>>, Query(wait): Query<Wait>) -> StatusCode {
    Control::new(shared).switch(|switches| {
        switches.latency = Duration::from_millis(wait.latency_ms);
        switches.jitter = Duration::from_millis(wait.jitter_ms.unwrap_or(0));
    });
    StatusCode::NO_CONTENT
}

async fn hits(State(shared): State<Arc<Shared>>) -> Json<BTreeMap<&'static str, u64>> {
    let control = Control::new(shared);
    Json(Endpoint::ALL.into_iter().map(|endpoint| (endpoint.name(), control.hits(endpoint))).collect())
}
