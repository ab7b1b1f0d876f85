//! Which rows a request selects, in the order in which it sees them: found once for all pages of a listing.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;

use super::asked::{Asked, OrderBy};
use super::catalogue;
use super::json;
use super::refusal::Refusal;
use super::state::{Inner, Shared};
use super::switches::InFilters;
use super::vql::{self, Filter, Row, Rules};
use super::world::Snapshot;

/// Selections kept at once.
const KEPT: usize = 32;

/// The rows of a database that a request selects.
#[derive(Clone)]
pub struct Selected {
    pub snapshot: Snapshot,
    /// Positions in the snapshot, in listing order.
    pub positions: Arc<Vec<u32>>,
}

/// Selections found before, the latest at the back.
#[derive(Default)]
pub struct Matches {
    found: VecDeque<(Key, Arc<Vec<u32>>)>,
}

#[derive(Debug, Clone, PartialEq)]
struct Key {
    edition: u64,
    database: String,
    query: Value,
    order: Option<OrderBy>,
    in_filters: InFilters,
}

impl Matches {
    fn get(&self, key: &Key) -> Option<Arc<Vec<u32>>> {
        self.found.iter().find(|(found, _)| found == key).map(|(_, positions)| Arc::clone(positions))
    }

    fn keep(&mut self, key: Key, positions: Arc<Vec<u32>>) {
        if self.found.len() == KEPT {
            self.found.pop_front();
        }
        self.found.push_back((key, positions));
    }
}

/// The rows that `asked` selects.
///
/// # Errors
/// 400 if its query breaks VQL's grammar.
pub fn select(shared: &Shared, asked: &Asked) -> Result<Selected, Refusal> {
    let (key, snapshot, found) = look_up(&shared.lock(), asked)?;
    if let Some(positions) = found {
        return Ok(Selected { snapshot, positions });
    }
    let rules = Rules { known: &catalogue::knows, ids_heeded: key.in_filters.ids_heeded() };
    let filter = vql::parse(&asked.query, &rules).map_err(|error| Refusal::bad_request(error.to_string()))?;
    let positions = Arc::new(matching(&snapshot, &filter, asked.order.as_ref()));
    shared.lock().matches.keep(key, Arc::clone(&positions));
    Ok(Selected { snapshot, positions })
}

type LookedUp = (Key, Snapshot, Option<Arc<Vec<u32>>>);

fn look_up(inner: &Inner, asked: &Asked) -> Result<LookedUp, Refusal> {
    let unknown = || Refusal::bad_request("Database not supported permission");
    let snapshot = inner.worlds.snapshot(&asked.database).ok_or_else(unknown)?;
    let key = Key {
        edition: inner.worlds.edition(),
        database: asked.database.clone(),
        query: asked.query.clone(),
        order: asked.order.clone(),
        in_filters: inner.switches.in_filters,
    };
    let found = inner.matches.get(&key);
    Ok((key, snapshot, found))
}

fn matching(snapshot: &Snapshot, filter: &Filter, order: Option<&OrderBy>) -> Vec<u32> {
    let mut positions = snapshot.positions();
    if *filter != Filter::everything() {
        positions.retain(|position| filter.matches(&snapshot.filterable(*position)));
    }
    if let Some(order) = order {
        positions.sort_by_cached_key(|position| SortKey::of(&snapshot.filterable(*position), &order.path));
        if order.descending {
            positions.reverse();
        }
    }
    positions
}

/// Numbers before texts before what has no value.
#[derive(Debug, PartialEq)]
enum SortKey {
    Number(f64),
    Text(String),
    Nothing,
}

impl SortKey {
    fn of(row: &impl Row, path: &str) -> Self {
        let mut keys = path.split('.');
        let mut value = keys.next().and_then(|key| row.value(key));
        for key in keys {
            value =
                value.and_then(|value| json::member(&value, key).map(|inner| Cow::Owned(inner.to_owned())));
        }
        match value.and_then(|value| serde_json::from_str(&value).ok()) {
            Some(Value::Number(number)) => number.as_f64().map_or(Self::Nothing, Self::Number),
            Some(Value::String(text)) => Self::Text(text),
            _ => Self::Nothing,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::Nothing => 2,
        }
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for SortKey {}
