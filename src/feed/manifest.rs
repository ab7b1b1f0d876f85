//! `NAME-latest.json`: which file is the last, and how far it can be trusted.

use serde::Serialize;

use super::file::NewFile;
use super::folder::Folder;
use super::{FeedError, names};
use crate::store::{FeedState, Store, StoreError};

/// What the manifest tells.
#[derive(Debug, Serialize)]
pub struct Manifest<'a> {
    feed: &'a str,
    sequence: i64,
    file: Option<&'a str>,
    rows: Option<i64>,
    /// The headers of the mapped columns, in their order.
    columns: Vec<String>,
    sha256: Option<&'a str>,
    written_at: Option<&'a str>,
    checked_at: Option<&'a str>,
    queries: Vec<OfQuery>,
}

/// How a query of the feed stands.
#[derive(Debug, Serialize)]
struct OfQuery {
    name: String,
    last_success_at: Option<String>,
    /// How its last run ended.
    status: Option<String>,
}

/// Writes the manifest of a feed that has written a file.
pub async fn write(
    state: &FeedState,
    queries: &[String],
    folder: Folder<'_>,
    store: &mut Store,
    now: &str,
) -> Result<(), FeedError> {
    let manifest = Manifest {
        feed: &state.name,
        sequence: state.sequence,
        file: state.file.as_deref(),
        rows: state.rows,
        columns: state
            .columns
            .as_deref()
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default(),
        sha256: state.sha256.as_deref(),
        written_at: state.written_at.as_deref(),
        checked_at: state.checked_at.as_deref(),
        queries: of_queries(queries, store, now).await?,
    };
    let json = serde_json::to_string_pretty(&manifest).expect("text and numbers are always JSON");
    let name = names::manifest(&state.name);
    NewFile::begin(folder, &name, &format!("{json}\n"))?.finish()?;
    folder.replace(&name)
}

async fn of_queries(queries: &[String], store: &mut Store, now: &str) -> Result<Vec<OfQuery>, StoreError> {
    let remembered = store.queries().await?;
    let mut all = Vec::new();
    for name in queries {
        let success = match remembered.iter().find(|known| known.name == *name) {
            Some(known) => store.last_success(known, now).await?,
            None => None,
        };
        let last = store.latest_runs(name, 1).await?.into_iter().next();
        all.push(OfQuery {
            name: name.clone(),
            last_success_at: success.map(|run| run.started_at),
            status: last.map(|run| run.status),
        });
    }
    Ok(all)
}
