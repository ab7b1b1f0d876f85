//! The token endpoints, and whether a bearer token is good.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::jwt;
use super::refusal::Refusal;
use super::state::{Inner, Shared};
use super::switches::{ExpiresIn, Rotation};

/// The client id that the OAuth endpoint accepts.
pub const CLIENT_ID: &str = "sandbox-client";

/// The tokens given out and taken back.
#[derive(Debug, Default)]
pub struct Tokens {
    issued: u64,
    live: HashMap<String, Live>,
    /// The refresh token given out last.
    refresh: String,
    refreshes_issued: u64,
    /// Refresh tokens with a lower number are no longer accepted.
    oldest_refresh: u64,
}

#[derive(Debug)]
struct Live {
    ends: Instant,
    requests_left: Option<u32>,
}

impl Tokens {
    /// Gives out a new refresh token.
    pub fn new_refresh(&mut self, seed: u64, now: Timestamp, lifetime: Duration) -> String {
        self.refresh = jwt::sign(seed, &claims("refresh", now, lifetime, self.refreshes_issued));
        self.refreshes_issued += 1;
        self.refresh.clone()
    }

    /// The refresh token given out last.
    pub fn refresh(&self) -> &str {
        &self.refresh
    }

    /// No refresh token given out so far is accepted from now on.
    pub fn revoke_refresh(&mut self) {
        self.oldest_refresh = self.refreshes_issued;
    }

    /// No access token given out so far is accepted from now on.
    pub fn revoke_access(&mut self) {
        self.live.clear();
    }

    /// Whether a request may pass with this access token; it counts as one of the token's requests.
    pub fn admit(&mut self, token: &str) -> bool {
        let Some(live) = self.live.get_mut(token) else { return false };
        if live.ends <= Instant::now() || live.requests_left == Some(0) {
            self.live.remove(token);
            return false;
        }
        live.requests_left = live.requests_left.map(|left| left - 1);
        true
    }

    fn accepts_refresh(&self, seed: u64, now: Timestamp, token: &str) -> bool {
        jwt::verify(seed, token).is_some_and(|claims| {
            claims["token_type"] == "refresh"
                && claims["exp"].as_i64().is_some_and(|end| end > now.as_second())
                && claims["jti"].as_u64().is_some_and(|number| number >= self.oldest_refresh)
        })
    }

    fn new_access(
        &mut self,
        seed: u64,
        now: Timestamp,
        lifetime: Duration,
        requests: Option<NonZeroU32>,
    ) -> String {
        let token = jwt::sign(seed, &claims("access", now, lifetime, self.issued));
        self.issued += 1;
        let at = Instant::now();
        self.live.retain(|_, live| live.ends > at);
        let live = Live { ends: at + lifetime, requests_left: requests.map(NonZeroU32::get) };
        self.live.insert(token.clone(), live);
        token
    }
}

fn claims(kind: &str, now: Timestamp, lifetime: Duration, number: u64) -> Value {
    let start = now.as_second();
    let end = start.saturating_add_unsigned(lifetime.as_secs());
    json!({ "token_type": kind, "iat": start, "exp": end, "jti": number })
}

/// The access token of an `Authorization: Bearer …` header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// `POST /token_authentication/refresh/`
pub async fn refresh(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<Response, Refusal> {
    let asked: Value = serde_json::from_slice(&body).map_err(|_| Refusal::bad_request("JSON parse error"))?;
    let Some(token) = asked.get("refresh").and_then(Value::as_str) else {
        return Err(Refusal::bad_request("refresh: This field is required."));
    };
    let mut inner = shared.lock();
    if !inner.tokens.accepts_refresh(shared.seed, inner.now(), token) {
        return Err(Refusal::bad_request("Token is invalid or expired"));
    }
    Ok(json_text(refreshed(shared.seed, &mut inner)))
}

fn refreshed(seed: u64, inner: &mut Inner) -> String {
    let access = new_access(seed, inner);
    let expires_in = match &inner.switches.expires_in {
        ExpiresIn::Absent => String::new(),
        ExpiresIn::Sent => format!(r#","expires_in":{}"#, inner.switches.access_lifetime.as_secs()),
        ExpiresIn::Verbatim(json) => format!(r#","expires_in":{json}"#),
    };
    let refresh = match inner.switches.rotation {
        Rotation::None => String::new(),
        Rotation::OldStays | Rotation::OldEnds => format!(r#","refresh":"{}""#, rotated(seed, inner)),
    };
    format!(r#"{{"access":"{access}"{expires_in}{refresh}}}"#)
}

fn rotated(seed: u64, inner: &mut Inner) -> String {
    if inner.switches.rotation == Rotation::OldEnds {
        inner.tokens.revoke_refresh();
    }
    let (now, lifetime) = (inner.now(), inner.switches.refresh_lifetime);
    inner.tokens.new_refresh(seed, now, lifetime)
}

fn new_access(seed: u64, inner: &mut Inner) -> String {
    let (now, lifetime) = (inner.now(), inner.switches.access_lifetime);
    let requests = inner.switches.requests_per_token;
    inner.tokens.new_access(seed, now, lifetime, requests)
}

/// `POST /oauth/token/`
pub async fn oauth(
    State(shared): State<Arc<Shared>>,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Response, Response> {
    let has = |key: &str, value: &str| form.get(key).is_some_and(|given| given == value);
    if !has("grant_type", "client_credentials") {
        return Err(oauth_error(StatusCode::BAD_REQUEST, "unsupported_grant_type"));
    }
    if !has("scope", "vainu:api") {
        return Err(oauth_error(StatusCode::BAD_REQUEST, "invalid_scope"));
    }
    if !has("client_id", CLIENT_ID) || !has("client_secret", &jwt::secret(shared.seed)) {
        return Err(oauth_error(StatusCode::UNAUTHORIZED, "invalid_client"));
    }
    let mut inner = shared.lock();
    let mut answer = Map::new();
    answer.insert("access_token".to_owned(), new_access(shared.seed, &mut inner).into());
    answer.insert("token_type".to_owned(), "Bearer".into());
    answer.insert("expires_in".to_owned(), inner.switches.access_lifetime.as_secs().into());
    answer.insert("scope".to_owned(), "vainu:api".into());
    Ok(json_text(Value::Object(answer).to_string()))
}

fn oauth_error(status: StatusCode, error: &str) -> Response {
    (status, axum::Json(json!({ "error": error }))).into_response()
}

fn json_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
