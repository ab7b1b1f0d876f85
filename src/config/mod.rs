//! The configuration: layers in, validated settings out, each with its provenance.
//!
//! The path: `find` the file, read it as a `document` that knows its lines, merge it with the other `layers`,
//! read each `table` of the result by type, and `report` all that is wrong at once.

mod problem;
pub mod settings;
mod suggest;
mod syntax;
mod environment;
mod find;
pub(crate) mod ca_file;
mod document;
mod report;
mod layers;
mod value;
mod warehouse;
mod table;
mod parse;
mod zone;
mod sections;
mod credential;
mod field;
mod payload;
mod ask;
mod conflict;
mod ping;
mod incremental;
mod query;
mod column;
mod feed;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use credential::{NoCredential, SecretError};
pub use environment::{Environment, Flags};
pub use field::{column_name, top_key, view_name};
pub use find::place;
pub use parse::database_called;
pub(crate) use parse::is_loopback;
pub use problem::{ConfigError, Origin, Problem};
pub use query::query_name;
pub use report::Setting;
pub use settings::Settings;
pub(crate) use suggest::nearest;

use credential::Given;
use document::Document;
use find::Found;
use layers::Layers;
use report::{Report, Reported, UnknownKey};

const TABLES: [&str; 8] = ["api", "auth", "store", "http", "log", "defaults", "queries", "feeds"];

/// A configuration that can be used.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub settings: Settings,
    /// The configuration file.
    pub path: PathBuf,
    /// Each setting with where it came from, in the order of the example file; no secret among them.
    pub origins: Vec<Setting>,
    /// What is no error but should be known.
    pub notes: Vec<String>,
}

/// Finds, reads and checks the configuration. Reads no secret file.
///
/// # Errors
/// If there is no file, or anything in file, environment or flags is wrong: as much of it as can be told.
pub fn load(flags: &Flags, environment: &Environment) -> Result<Loaded, ConfigError> {
    read(find::file(flags, environment)?, flags, environment)
}

/// What [`load`] would give if the file at `path`, which need not be there, held `text`.
///
/// # Errors
/// If anything in `text`, environment or flags is wrong.
pub fn load_text(
    path: &Path,
    text: &str,
    flags: &Flags,
    environment: &Environment,
) -> Result<Loaded, ConfigError> {
    let (path, text) = (path.to_owned(), text.to_owned());
    let file = Found { shown: path.clone(), path, text, is_named: true, unchanged_since: None };
    read(file, flags, environment)
}

fn read(file: Found, flags: &Flags, environment: &Environment) -> Result<Loaded, ConfigError> {
    let document = Document::parse(&file.text).map_err(|faults| ConfigError {
        problems: faults
            .into_iter()
            .map(|fault| Problem {
                key: None,
                message: fault.message,
                origin: Some(Origin::File { path: file.shown.clone(), line: Some(fault.line) }),
            })
            .collect(),
    })?;
    let mut report = Report::default();
    let named_file = file.is_named.then(|| file.path.clone());
    let unchanged_since = file.unchanged_since;
    let layers = Layers::merge(file, document, environment, flags, &mut report);
    let settings = settings(&layers, environment, &mut report);
    match (settings, report.conclude()) {
        (Ok(settings), problems) if problems.is_empty() => Ok(Loaded {
            settings: Settings { named_file, unchanged_since, ..settings },
            path: layers.path().to_owned(),
            origins: report.settings,
            notes: report.notes,
        }),
        (_, problems) => Err(ConfigError { problems }),
    }
}

fn settings(layers: &Layers, environment: &Environment, report: &mut Report) -> Result<Settings, Reported> {
    check_tables(layers, report);
    let api = sections::api(layers, report);
    let credential = credential::credential(layers, environment, report);
    let store = sections::store(layers, report);
    let http = sections::http(layers, report);
    let log = sections::log(layers, report);
    let queries = query::queries(layers, report);
    let feeds = feed::feeds(layers, environment, report, queries.as_deref().unwrap_or_default());
    let Given { credential, lone_client_id, service_has_one } = credential?;
    let (feeds, warehouses) = feeds?;
    Ok(Settings {
        api: api?,
        credential,
        lone_client_id,
        service_has_credential: service_has_one,
        store: store?,
        http: http?,
        log: log?,
        queries: queries?,
        feeds,
        warehouses,
        named_file: None,
        unchanged_since: None,
    })
}

fn check_tables(layers: &Layers, report: &mut Report) {
    for table in TABLES {
        report.know("", table);
    }
    for (key, value) in layers.top_keys() {
        if !TABLES.contains(&key) {
            let origin = layers.origin(value, key);
            let is_table = value::is_table(value);
            report.unknown_key(UnknownKey {
                table: "",
                key: key.into(),
                shown: key.into(),
                origin,
                is_table,
            });
        }
    }
}
