use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::export::ExportError;
use super::no_answer::{NoAnswer, innermost};
use crate::config::SecretError;

/// Why Vainu's API gave nothing. A transient failure shows only once it has outlasted `api.retry_for`.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The token endpoint refused the credentials, or the API refused an access token that was just given.
    #[error("{endpoint} refused the credentials (status {status}); {remedy}")]
    Credentials { endpoint: String, status: u16, remedy: Remedy },

    /// No access token is to be had: nothing that wants one could succeed.
    #[error("{}", without_token(.0))]
    NoToken(Box<Self>),

    /// The secret that the configuration names can't be read.
    #[error(transparent)]
    Secret(#[from] SecretError),

    /// 403: this account may not use the endpoint, a field or the database; the server says which.
    #[error("{endpoint} forbids this to the account{}; ask Vainu for access, or leave it out of the query", after(.detail.as_ref()))]
    Forbidden { endpoint: String, detail: Option<String> },

    /// Any other 4xx: the request itself is wrong, in the server's words.
    #[error("{endpoint} refused the request (status {status}){}; {}", after(.detail.as_ref()), correction(*.status))]
    Refused { endpoint: String, status: u16, detail: Option<String> },

    /// A redirect, which is never followed: tokens are for the API's own origin only.
    #[error(
        "{endpoint} redirects to {to} (status {status}), which is not followed, since tokens are for api.base_url \
         alone; if Vainu's API has moved, correct that"
    )]
    Redirected { endpoint: String, status: u16, to: String },

    /// Nothing usable until `api.retry_for` ended, or the server asks to wait for longer than that.
    #[error("{endpoint} {}: {cause}{}", tried(*.tries, *.elapsed), way_out(.cause, *.wait))]
    Unavailable {
        endpoint: String,
        /// Requests that failed, 0 where the server had asked for a pause before the first.
        tries: u32,
        elapsed: Duration,
        /// How long the server asks to wait, where that is why there was no further try.
        wait: Option<Duration>,
        /// Of the last try.
        cause: Cause,
    },

    /// The same broken JSON twice, byte for byte: the server's data is at fault, and asking again is no help.
    #[error("{endpoint} gave a body that is not JSON at byte {offset}, twice the same{}; tell Vainu", near(.place))]
    Malformed {
        endpoint: String,
        /// In bytes of the body, decompressed.
        offset: usize,
        /// The body around it; empty for a token endpoint, whose answers are never quoted.
        place: String,
    },

    /// An export that was submitted came to nothing.
    #[error(transparent)]
    Export(#[from] ExportError),

    /// The file beside the store can't be used that a new refresh token goes into. Nothing was asked: the
    /// token that would have been spent may be good for one use only.
    #[error(
        "a refresh token that Vainu may give in place of the old one could not be kept: {}: {reason}; let this \
         user write that file and its folder, with room on the disk", .path.display()
    )]
    TokenFile { path: PathBuf, reason: Arc<io::Error> },

    /// `api.base_url` is no URL.
    #[error("api.base_url {url:?} is not a URL: {problem}")]
    BaseUrl { url: String, problem: String },

    /// `api.ca_file` can't be read or holds no certificate.
    #[error("api.ca_file {}: {problem}", .path.display())]
    CaFile { path: PathBuf, problem: String },

    /// No HTTPS client can be set up, usually since the system has no CA certificates.
    #[error("HTTPS can't be set up: {}; install the system's CA certificates (package ca-certificates), or name some in api.ca_file", innermost(.0))]
    Tls(Arc<reqwest::Error>),
}

/// What the reader of an [`Error`] can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Correct the configuration or the machine.
    Setup,
    /// Get new credentials.
    Credentials,
    /// Correct the API's address, or tell Vainu: it gives no access token.
    NoToken,
    /// Correct the query: the API said no to it.
    Refused,
    /// Nothing, but tell Vainu: the API's data is broken.
    Malformed,
    /// Run again, or list by pages: an export failed.
    Export,
    /// Make room on this machine's disk, or mend it.
    Disk,
    /// Try later.
    Unavailable,
}

impl Error {
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Credentials { .. } => Kind::Credentials,
            Self::NoToken(error) => match error.kind() {
                Kind::Refused | Kind::Malformed => Kind::NoToken,
                kind => kind,
            },
            Self::Forbidden { .. } | Self::Refused { .. } | Self::Redirected { .. } => Kind::Refused,
            Self::Unavailable { .. } => Kind::Unavailable,
            Self::Malformed { .. } => Kind::Malformed,
            Self::Export(_) => Kind::Export,
            Self::TokenFile { reason, .. } if !is_for_a_person(reason) => Kind::Disk,
            Self::Secret(_)
            | Self::TokenFile { .. }
            | Self::BaseUrl { .. }
            | Self::CaFile { .. }
            | Self::Tls(_) => Kind::Setup,
        }
    }

    /// Whether nothing else that is asked could succeed either: there is no access token, or no connection.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        let unreachable = matches!(self, Self::Unavailable { cause: Cause::Transport(_), .. });
        let tokenless = matches!(self, Self::NoToken(_));
        unreachable || tokenless || matches!(self.kind(), Kind::Credentials | Kind::Setup)
    }

    /// The status of an answer that says no for good.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Credentials { status, .. }
            | Self::Refused { status, .. }
            | Self::Redirected { status, .. } => Some(*status),
            Self::Forbidden { .. } => Some(403),
            Self::NoToken(error) => error.status(),
            _ => None,
        }
    }
}

/// Whether a file can't be used until somebody corrects its place or its mode.
fn is_for_a_person(error: &io::Error) -> bool {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), IsADirectory | NotADirectory | NotFound | PermissionDenied | ReadOnlyFilesystem)
}

/// What to do about refused credentials, by their kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    NewRefreshToken,
    CheckClient,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NewRefreshToken => {
                "get a new refresh token in Vainu's user interface (it lasts about 30 days on a trial) and put \
                 it where the old one is (`vainu-sync check` shows where: auth.refresh_token_file, auth.refresh_token \
                 or a variable)"
            }
            Self::CheckClient => {
                "check auth.client_id and auth.client_secret_file against the API credentials that Vainu gave you"
            }
        })
    }
}

/// Why one try gave nothing usable, where another may.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Cause {
    /// No connection, a time-out, or a body that broke off.
    #[error(transparent)]
    Transport(#[from] NoAnswer),
    /// 408, 429, a server error, or 401 to a token that other requests have used up.
    #[error("status {status}{}", after(.detail.as_ref()))]
    Status { status: u16, detail: Option<String> },
    /// A success whose body is not JSON.
    #[error("a body that is not JSON at byte {offset}{}", near(.place))]
    NotJson { offset: usize, place: String },
    /// A success that lacks what belongs there.
    #[error("status 200 without {what}{}", after(.detail.as_ref()))]
    Lacks { what: &'static str, detail: Option<String> },
    /// Another process has the kept refresh token to itself.
    #[error("another vainu-sync process has held {} for longer than a refresh takes", .0.display())]
    Locked(PathBuf),
    /// An earlier answer asked for a pause of so long, which is not over.
    #[error("an earlier answer asked for a pause of {}", span(*.0))]
    Held(Duration),
}

impl Cause {
    /// In a word, as metrics tell it.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Transport(cause) => cause.reason().to_owned(),
            Self::Status { status, .. } => format!("status_{status}"),
            Self::NotJson { .. } => "not_json".to_owned(),
            Self::Lacks { .. } => "lacking".to_owned(),
            Self::Locked(_) => "locked".to_owned(),
            Self::Held(_) => "held".to_owned(),
        }
    }
}

fn after(detail: Option<&String>) -> String {
    detail.map(|detail| format!(": {detail}")).unwrap_or_default()
}

fn correction(status: u16) -> &'static str {
    match status {
        400 | 413 | 422 => "correct what the query asks for",
        404 | 405 | 410 => "is api.base_url right?",
        _ => "ask Vainu what this account may do",
    }
}

/// What is said of a refused request is no advice where a token was asked for.
fn without_token(error: &Error) -> String {
    match error {
        Error::Refused { endpoint, status, .. } => {
            format!("{endpoint} gave no access token (status {status}); is api.base_url right?")
        }
        error => error.to_string(),
    }
}

/// What stands before a quotation of a body, which may hold company data.
const NEAR: &str = ", near `";

fn near(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!("{NEAR}{place}`") }
}

/// An error's text without the piece of a body that it may quote: such a piece may hold company data.
#[must_use]
pub fn unquoted(text: &str) -> String {
    // To the last quotation mark: the body may hold some itself.
    match (text.find(NEAR), text.rfind('`')) {
        (Some(from), Some(to)) if from + NEAR.len() <= to => format!("{}{}", &text[..from], &text[to + 1..]),
        (Some(from), _) => text[..from].to_owned(),
        (None, _) => text.to_owned(),
    }
}

fn tried(tries: u32, elapsed: Duration) -> String {
    match tries {
        0 => "was not asked".to_owned(),
        1 if elapsed < Duration::from_secs(1) => "gave nothing usable in one try".to_owned(),
        1 => format!("gave nothing usable in one try of {}", span(elapsed)),
        _ => format!("gave nothing usable in {tries} tries over {}", span(elapsed)),
    }
}

fn way_out(cause: &Cause, wait: Option<Duration>) -> String {
    let words = match (cause, wait) {
        (Cause::Held(_), _) => "; that is longer than api.retry_for leaves: try again then",
        (_, Some(wait)) => {
            let wait = span(wait);
            return format!(
                "; the server asks to wait {wait}, longer than api.retry_for leaves: try again then"
            );
        }
        // It tells its own.
        (Cause::Transport(_), None) => "",
        (Cause::Locked(_), None) => "; end that process, or try later",
        (Cause::Status { status: 429, .. }, None) => {
            "; if it stays so, ask less often: api.concurrency, api.requests_per_second"
        }
        (Cause::Status { .. } | Cause::Lacks { .. }, None) => "; try later, and tell Vainu if it stays so",
        (Cause::NotJson { .. }, None) => "; try later, and check that no proxy or login page answers there",
    };
    words.to_owned()
}

/// In its two largest units: a server may ask for centuries.
fn span(span: Duration) -> String {
    let precise = if span < Duration::from_secs(1) {
        Duration::from_millis(u64::from(span.subsec_millis()))
    } else {
        Duration::from_secs(span.as_secs())
    };
    let text = humantime::format_duration(precise).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}
