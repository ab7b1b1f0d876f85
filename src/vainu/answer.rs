use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderValue;
use serde_json::value::RawValue;

use super::error::{Cause, Error};
use super::json::{self, Break};
use super::retry::{Failure, Trouble};

/// One whole answer, before anyone has read its body.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub date: Option<Timestamp>,
    /// By its `Retry-After`.
    pub wait: Option<Duration>,
    /// Where a redirect points: an origin, never a whole URL, which may hold a secret.
    pub redirect: Option<String>,
    pub body: Vec<u8>,
}

/// Why a successful answer can't be used.
#[derive(Debug)]
pub(super) enum Unusable {
    Broken(Break),
    Lacks { what: &'static str, detail: Option<String> },
}

impl Unusable {
    pub fn lacks(what: &'static str, value: &RawValue) -> Self {
        Self::Lacks { what, detail: json::detail(value) }
    }
}

impl From<Break> for Unusable {
    fn from(broken: Break) -> Self {
        Self::Broken(broken)
    }
}

/// Whether another try at a request that drew this status may help.
pub(super) fn is_transient(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

impl Answer {
    /// The answer if it is a success, otherwise what its status means. 401 is its caller's.
    pub fn accepted(self, endpoint: &str) -> Result<Self, Failure> {
        if self.status.is_success() {
            return Ok(self);
        }
        let (endpoint, status, detail) = (endpoint.to_owned(), self.status.as_u16(), self.detail());
        if is_transient(self.status) {
            return Err(Trouble { wait: self.wait, ..Trouble::new(Cause::Status { status, detail }) }.into());
        }
        Err(Failure::Final(match self.redirect {
            Some(to) => Error::Redirected { endpoint, status, to },
            None if self.status == StatusCode::FORBIDDEN => Error::Forbidden { endpoint, detail },
            None => Error::Refused { endpoint, status, detail },
        }))
    }

    /// A failure without the server's words: those of a token endpoint are never quoted.
    pub fn unquoted(mut self) -> Self {
        if !self.status.is_success() {
            self.body.clear();
        }
        self
    }

    /// The same, without `secret` among a refusal's words: a server may quote what it was sent.
    pub fn without(mut self, secret: &HeaderValue) -> Self {
        if self.status.is_success() {
            return self;
        }
        let bearer = String::from_utf8_lossy(secret.as_bytes());
        let token = bearer.strip_prefix("Bearer ").unwrap_or(&bearer);
        self.body = String::from_utf8_lossy(&self.body).replace(token, "…").into_bytes();
        self
    }

    /// The server's words, or else its whole body; a proxy's page of HTML has none worth quoting.
    fn detail(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.body);
        let detail = json::value(&text).ok().and_then(json::detail);
        detail.or_else(|| {
            let quoted = json::quote(&text);
            (!["", "{}", "[]", "null"].contains(&quoted.as_str()) && !quoted.starts_with('<'))
                .then_some(quoted)
        })
    }

    #[cfg(test)]
    pub fn ok(body: &[u8]) -> Self {
        Self { status: StatusCode::OK, date: None, wait: None, redirect: None, body: body.to_vec() }
    }
}

/// The last body that broke JSON's grammar, so that a server is not asked three times for the same one.
#[derive(Debug, Default)]
pub(super) struct LastBroken(Option<[u8; 32]>);

impl LastBroken {
    /// What `unusable` means at `endpoint`: another try, or the end when the same body came before.
    pub fn judge(&mut self, endpoint: &str, unusable: Unusable) -> Failure {
        let cause = match unusable {
            Unusable::Lacks { what, detail } => Cause::Lacks { what, detail },
            Unusable::Broken(Break { offset, place, digest }) => {
                if digest.is_some() && digest == self.0 {
                    return Failure::Final(Error::Malformed { endpoint: endpoint.to_owned(), offset, place });
                }
                self.0 = digest.or(self.0);
                Cause::NotJson { offset, place }
            }
        };
        Trouble::new(cause).into()
    }
}
