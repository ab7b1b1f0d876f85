//! What was asked, for tests that count.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use axum::http::HeaderMap;

use super::Control;

/// Requests kept; a sandbox that runs for days must not grow.
const KEPT: usize = 10_000;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// `POST /token_authentication/refresh/`
    Token,
    /// `POST /oauth/token/`
    OAuthToken,
    /// `POST /v3/organizations/`
    Organizations,
    /// `POST /v3/organizations/count/`
    Count,
    /// `POST /v3/organizations/async/`
    ExportSubmit,
    /// `GET` of a job's `link`
    ExportPoll,
    /// `GET` of a `download_link`
    Download,
    /// `GET /v3/organizations_fields/`
    Catalogue,
    /// `GET /v3/lists/organizations/` and `…/{id}/`
    Lists,
}

impl Endpoint {
    /// All of them, in the order above.
    pub const ALL: [Self; 9] = [
        Self::Token,
        Self::OAuthToken,
        Self::Organizations,
        Self::Count,
        Self::ExportSubmit,
        Self::ExportPoll,
        Self::Download,
        Self::Catalogue,
        Self::Lists,
    ];

    /// Its name in the sandbox's own paths.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::OAuthToken => "oauth-token",
            Self::Organizations => "organizations",
            Self::Count => "count",
            Self::ExportSubmit => "export-submit",
            Self::ExportPoll => "export-poll",
            Self::Download => "download",
            Self::Catalogue => "catalogue",
            Self::Lists => "lists",
        }
    }

    /// The token endpoints come before a bearer token, and a download carries its own.
    pub(super) const fn wants_bearer(self) -> bool {
        !matches!(self, Self::Token | Self::OAuthToken | Self::Download)
    }
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub endpoint: Endpoint,
    /// Path and query string.
    pub target: String,
    pub headers: HeaderMap,
    /// What is no UTF-8 shows as U+FFFD.
    pub body: String,
}

impl Request {
    /// Whether it carried an `Authorization` header.
    #[must_use]
    pub fn is_authorized(&self) -> bool {
        self.headers.contains_key("authorization")
    }

    /// The text of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What a test does before a request is answered.
pub(super) type Action = Box<dyn FnOnce(&Control) + Send>;

/// The requests so far, and what waits for those to come.
#[derive(Default)]
pub(super) struct Journal {
    hits: HashMap<Endpoint, u64>,
    requests: VecDeque<Request>,
    waiting: Vec<Waiting>,
}

struct Waiting {
    endpoint: Endpoint,
    /// The number among the endpoint's requests that it waits for.
    hit: u64,
    action: Action,
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "before request {} to {:?}", self.hit, self.endpoint)
    }
}

impl Journal {
    /// Notes a request; what was waiting for it is handed out.
    pub fn note(&mut self, request: Request) -> Vec<Action> {
        let endpoint = request.endpoint;
        let hit = self.hits.entry(endpoint).or_default();
        *hit += 1;
        let hit = *hit;
        if self.requests.len() == KEPT {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
        let is_due = |waiting: &mut Waiting| waiting.endpoint == endpoint && waiting.hit <= hit;
        self.waiting.extract_if(.., is_due).map(|waiting| waiting.action).collect()
    }

    /// `action` is to run before the `n`th request to `endpoint` from now on, 1 for the next.
    pub fn wait(&mut self, endpoint: Endpoint, n: u64, action: Action) {
        let hit = self.hits(endpoint) + n;
        self.waiting.push(Waiting { endpoint, hit, action });
    }

    pub fn hits(&self, endpoint: Endpoint) -> u64 {
        self.hits.get(&endpoint).copied().unwrap_or(0)
    }

    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter()
    }
}
