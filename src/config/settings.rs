//! The settings after validation: what the rest of the program works with.

mod feed;
mod warehouse;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret as _, SecretString};

pub use feed::{After, Column, Content, Csv, Feed, Format, Limits, Removals, Webhook};
pub use warehouse::{Departed, Warehouse};

use super::problem::Origin;
use crate::organization::Database;
use crate::schedule::Schedule;
use crate::text::shell_word;

/// A whole configuration that has passed every check.
#[derive(Debug, Clone)]
pub struct Settings {
    pub api: Api,
    /// `None` where no layer gives one: commands that ask the API nothing need none.
    pub credential: Option<Credential>,
    /// Where a client's id is set that has no secret: half a credential.
    pub lone_client_id: Option<Origin>,
    /// Whether there is no credential here, but one that systemd hands to the service.
    pub service_has_credential: bool,
    pub store: Store,
    pub http: Http,
    pub log: Log,
    pub queries: Vec<Query>,
    /// Those of files.
    pub feeds: Vec<Feed>,
    /// The feeds that are tables of a database.
    pub warehouses: Vec<Warehouse>,
    /// The configuration file, complete, where a flag or a variable named it: elsewhere it is found by itself.
    pub named_file: Option<PathBuf>,
    /// Since when the configuration file says what it says, where that can be told.
    pub unchanged_since: Option<Timestamp>,
}

impl Settings {
    /// The command line by which a person gives a command under these settings.
    #[must_use]
    pub fn command(&self, command: &str) -> String {
        match &self.named_file {
            Some(file) => format!("vainu-sync --config {} {command}", shell_word(&file.to_string_lossy())),
            None => format!("vainu-sync {command}"),
        }
    }

    /// Whether both ask the same API in the same way: one client serves either.
    #[must_use]
    pub fn asks_like(&self, other: &Self) -> bool {
        let credentials = self.credential.as_ref().zip(other.credential.as_ref());
        self.api == other.api && credentials.is_some_and(|(one, other)| one.is_same(other))
    }

    /// The names of all queries, in the order of the file.
    #[must_use]
    pub fn query_names(&self) -> Vec<&str> {
        self.queries.iter().map(|query| query.name.as_str()).collect()
    }

    /// The names of all feeds, those of files first.
    #[must_use]
    pub fn feed_names(&self) -> Vec<&str> {
        let files = self.feeds.iter().map(|feed| feed.name.as_str());
        files.chain(self.warehouses.iter().map(|feed| feed.name.as_str())).collect()
    }
}

/// `[api]`: where Vainu's API is and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// Without a slash at its end; https, or http to a loopback address.
    pub base_url: String,
    /// `Accept-Language`: `en`, `fi` or `sv`.
    pub language: String,
    /// Rows asked for a page, 2 and more.
    pub page_size: u32,
    /// Requests under way at once, all queries together.
    pub concurrency: u32,
    /// 0: no limit of our own.
    pub requests_per_second: u32,
    /// How long one request may take, its body included.
    pub timeout: Duration,
    /// How long one request is tried again before its run fails.
    pub retry_for: Duration,
    /// How long a run waits for a count.
    pub count_timeout: Duration,
    /// How long a run waits for an export job.
    pub export_timeout: Duration,
    /// PEM certificates trusted beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// How an access token is got.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A refresh token from Vainu's user interface.
    RefreshToken(Secret),
    /// OAuth 2.0 client credentials.
    Client { id: String, secret: Secret },
}

impl Credential {
    /// Whether both name the same secret, in the same place.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::RefreshToken(one), Self::RefreshToken(other)) => one.is_same(other),
            (Self::Client { id, secret }, Self::Client { id: other_id, secret: other }) => {
                id == other_id && secret.is_same(other)
            }
            _ => false,
        }
    }
}

/// A secret, or the file that holds it and is read anew at each use.
#[derive(Debug, Clone)]
pub enum Secret {
    Value(SecretString),
    File(PathBuf),
}

impl Secret {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value(one), Self::Value(other)) => one.expose_secret() == other.expose_secret(),
            (Self::File(one), Self::File(other)) => one == other,
            _ => false,
        }
    }
}

/// `[store]`
#[derive(Debug, Clone)]
pub struct Store {
    pub path: PathBuf,
    pub keep_changes: Duration,
    pub keep_runs: Duration,
    /// `None`: organizations that no query holds are kept for ever.
    pub keep_departed: Option<Duration>,
}

/// `[http]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// `None`: no listener.
    pub listen: Option<std::net::SocketAddr>,
    /// Names that it answers to beside those that nobody else can have.
    pub hosts: Vec<String>,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// A level, or directives as `tracing_subscriber::EnvFilter` takes them.
    pub level: String,
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Pretty on a terminal, to the journal under systemd, JSON lines otherwise.
    Auto,
    Pretty,
    Json,
    Journald,
}

/// One `[[queries]]` table.
#[derive(Debug, Clone)]
pub struct Query {
    /// `[a-z0-9-]`, unique.
    pub name: String,
    pub database: Database,
    pub ask: Ask,
    /// Where that begins: the first character of the VQL.
    pub asked_at: Origin,
    /// Paths as configured, with `business_id` first and no path twice; `?id` is an aggregation's result.
    pub fields: Vec<String>,
    pub fields_at: Origin,
    /// No two of one id.
    pub aggregations: Vec<Aggregation>,
    /// Top-level keys whose changes are stored but not logged.
    pub quiet: Vec<String>,
    pub schedule: Schedule,
    /// The zone's name as configured.
    pub timezone_name: String,
    pub timezone: TimeZone,
    /// `None`: every run is full.
    pub full_every: Option<Duration>,
    pub fetch: Fetch,
    pub jitter: Duration,
    pub catch_up: bool,
    pub retry_run_after: Duration,
    /// Percent of the members, 0 to 100.
    pub max_departures: f64,
    /// Percent of the members, 0 and more.
    pub max_arrivals: f64,
    /// Whoever knows it can report in this program's place.
    pub ping_url: Option<SecretString>,
}

/// What a query asks Vainu for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A VQL filter object as JSON text, exactly as configured.
    Query(String),
    /// The id of a list saved in Vainu.
    List(String),
}

/// One element of a request's `aggregation`. Its result is the field `?id`, or, where the id is a field, that
/// field filtered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregation {
    pub id: String,
    /// The whole element as JSON text, exactly as configured.
    pub json: String,
}

/// How the rows of a query are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    Auto,
    Pages,
    Export,
}
