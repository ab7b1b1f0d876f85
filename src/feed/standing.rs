//! How each feed stands, for whoever shows it.

use jiff::Timestamp;
use serde::Serialize;

use super::scope;
use super::warehouse::Told;
use crate::config::Settings;
use crate::config::settings::Feed;
use crate::store::{FeedState, Handover, Remembered, Store, StoreError, time};

/// How one feed stands.
#[derive(Debug, Clone, Serialize)]
pub struct Standing {
    pub feed: String,
    /// Whether the configuration still has it.
    pub configured: bool,
    /// The table that it writes, where it writes no files.
    pub table: Option<String>,
    /// Where its files are; `None`: nowhere yet.
    pub directory: Option<String>,
    pub sequence: i64,
    /// Its last file.
    pub file: Option<String>,
    pub rows: Option<i64>,
    pub written_at: Option<String>,
    /// When its files were last right.
    pub checked_at: Option<String>,
    /// Seconds since then.
    pub age: Option<i64>,
    /// What keeps it from being written.
    pub error: Option<String>,
    /// Queries that never succeeded: until they do, removals are held back, and all of a snapshot.
    pub waits_for: Vec<String>,
    /// How far its files are handed over, for each way that the configuration has.
    pub handing: Vec<Handover>,
}

/// How each feed stands, those of the configuration first, in its order.
///
/// # Errors
/// If the store can't be read.
pub async fn standings(
    settings: &Settings,
    store: Option<&mut Store>,
    now: Timestamp,
) -> Result<Vec<Standing>, StoreError> {
    let (mut states, remembered, handed) = match store {
        Some(store) => (store.feeds().await?, store.queries().await?, store.handovers().await?),
        None => (Vec::new(), Vec::new(), Vec::new()),
    };
    let mut standings = Vec::new();
    for feed in &settings.feeds {
        let state = taken_out(&mut states, &feed.name);
        let waits_for = unproved(&feed.queries, &remembered);
        let directory = Some(feed.directory.display().to_string());
        let standing = Standing::of(state, true, now);
        let handing = handing(feed, &handed);
        standings.push(Standing { feed: feed.name.clone(), waits_for, directory, handing, ..standing });
    }
    for feed in &settings.warehouses {
        let state = taken_out(&mut states, &feed.name);
        let waits_for = unproved(&feed.queries, &remembered);
        standings.push(Standing {
            feed: feed.name.clone(),
            waits_for,
            ..Standing::of_tables(&feed.place(), &state, now)
        });
    }
    standings.extend(states.into_iter().map(|state| Standing::of(state, false, now)));
    Ok(standings)
}

/// What the store knows of this feed, which is taken out of `states`.
fn taken_out(states: &mut Vec<FeedState>, feed: &str) -> FeedState {
    let at = states.iter().position(|state| state.name == feed);
    at.map(|at| states.remove(at)).unwrap_or_default()
}

/// Of these queries those that never succeeded.
fn unproved(queries: &[String], remembered: &[Remembered]) -> Vec<String> {
    let queries = scope::queries(queries, remembered).into_iter();
    queries.filter(|query| !query.is_proved).map(|query| query.name).collect()
}

/// How far `feed` is handed over by each way that the configuration has for it.
fn handing(feed: &Feed, known: &[Handover]) -> Vec<Handover> {
    let of_way = |way: &'static str| {
        let known = known.iter().find(|known| known.feed == feed.name && known.way == way).cloned();
        known.unwrap_or_else(|| Handover { way: way.to_owned(), ..Handover::default() })
    };
    feed.ways().into_iter().map(of_way).collect()
}

impl Standing {
    /// Of a feed that writes `table`; what it may have written elsewhere before is not told.
    fn of_tables(table: &str, state: &FeedState, now: Timestamp) -> Self {
        let told = state.warehouse.as_deref().and_then(|told| serde_json::from_str::<Told>(told).ok());
        let told = told.filter(|told| told.table == table).unwrap_or_default();
        let checked = told.checked_at.as_deref().and_then(time::from_text);
        Self {
            feed: state.name.clone(),
            configured: true,
            table: Some(table.to_owned()),
            directory: None,
            sequence: 0,
            file: None,
            rows: told.rows,
            written_at: told.written_at,
            checked_at: told.checked_at,
            age: checked.map(|at| now.duration_since(at).as_secs()),
            error: state.error.clone(),
            waits_for: Vec::new(),
            handing: Vec::new(),
        }
    }

    fn of(state: FeedState, configured: bool, now: Timestamp) -> Self {
        let checked = state.checked_at.as_deref().and_then(time::from_text);
        Self {
            feed: state.name,
            configured,
            table: None,
            directory: state.directory,
            sequence: state.sequence,
            file: state.file,
            rows: state.rows,
            written_at: state.written_at,
            checked_at: state.checked_at,
            age: checked.map(|at| now.duration_since(at).as_secs()),
            error: state.error,
            waits_for: Vec::new(),
            handing: Vec::new(),
        }
    }
}
