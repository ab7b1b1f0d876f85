//! The paths of a new or edited query that Vainu does not know. It ignores a filter on such a path, which widens
//! what the query selects.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use tracing::warn;

use super::held::Holding;
use crate::config::settings::Ask;
use crate::vainu::{Client, Meter};
use crate::vql;

/// For how long a run waits for the catalogue.
const PATIENCE: Duration = Duration::from_secs(30);

/// A path that the catalogue does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    pub path: String,
    /// The one that was probably meant.
    pub suggestion: Option<String>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.path)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, " (did you mean {suggestion:?}?)"),
            None => Ok(()),
        }
    }
}

/// The unknown paths that nobody has let through. The catalogue is asked only for a query that no full run has
/// proved yet; where it can't be read, what held the query before still does.
pub async fn unknown(holding: &Holding<'_>, client: &Client, meter: &Meter) -> Vec<Unknown> {
    let paths = if holding.is_proved() { BTreeSet::new() } else { doubtful(holding) };
    if paths.is_empty() {
        return Vec::new();
    }
    match client.catalogue(PATIENCE, meter).await {
        Ok(catalogue) => paths
            .into_iter()
            .filter(|path| !catalogue.knows(path))
            .map(|path| Unknown { suggestion: catalogue.suggestion(&path).map(str::to_owned), path })
            .collect(),
        Err(reason) => {
            let held = holding.held_paths();
            let known_before = paths.into_iter().filter(|path| held.contains(path));
            let unknown: Vec<Unknown> = known_before.map(|path| Unknown { path, suggestion: None }).collect();
            if unknown.is_empty() {
                warn!(%reason, "no catalogue: a misspelt path in this new query would not be noticed, and widen it");
            }
            unknown
        }
    }
}

/// The paths that are neither documented nor let through.
fn doubtful(holding: &Holding<'_>) -> BTreeSet<String> {
    let Ask::Query(vql) = &holding.query.ask else { return BTreeSet::new() };
    let accepted = holding.accepted_paths();
    let paths = vql::filtered(vql).into_iter().map(|filtered| filtered.path);
    paths.filter(|path| path != "business_id" && !accepted.contains(path)).collect()
}
