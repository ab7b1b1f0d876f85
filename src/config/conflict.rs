//! Queries that are right by themselves but not together.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use serde_json::value::RawValue;

use super::field::{asked_below, top_key, view_name};
use super::problem::{Origin, Problem};
use super::report::Report;
use super::settings::Query;
use super::value::brief;
use crate::organization::json::same_or_absent;

/// A query and where its parts stand.
pub(super) struct Placed {
    pub query: Query,
    pub name_place: Origin,
}

/// Reports each pair that can't live in one store.
pub(super) fn refuse_conflicts(queries: &[Placed], report: &mut Report) {
    refuse_meeting_names(queries, report);
    for (index, later) in queries.iter().enumerate() {
        for earlier in &queries[..index] {
            if earlier.query.database == later.query.database && earlier.query.name != later.query.name {
                refuse_other_parts(earlier, later, report);
            }
        }
    }
}

fn refuse_meeting_names(queries: &[Placed], report: &mut Report) {
    let mut views: HashMap<String, &Placed> = HashMap::new();
    for later in queries {
        let view = view_name(&later.query.name).to_lowercase();
        if let Some(earlier) = views.get(&view) {
            let name = &later.query.name;
            let message = if earlier.query.name == *name {
                format!(
                    "the name {name:?} is taken by the query at {}; give one of them another",
                    earlier.name_place
                )
            } else {
                format!(
                    "{name:?} and {:?} ({}) would share the view {view}; give one of them another name",
                    earlier.query.name, earlier.name_place
                )
            };
            let origin = Some(later.name_place.clone());
            report.problem(Problem { key: Some(format!("queries.{name}.name")), message, origin });
        }
        views.entry(view).or_insert(later);
    }
}

/// Each run replaces the keys that its query owns: two that ask for other parts of one key would undo each
/// other's work every night.
fn refuse_other_parts(earlier: &Placed, later: &Placed, report: &mut Report) {
    for key in top_keys(&earlier.query).intersection(&top_keys(&later.query)) {
        let (ours, theirs) = (Parts::of(&later.query, key), Parts::of(&earlier.query, key));
        if ours.differ(&theirs) {
            let message = format!(
                "asks {} for {ours}, but query {:?} ({}) asks for {theirs}; queries of one database must ask the same parts of {key}, through the same aggregation",
                later.query.database, earlier.query.name, earlier.query.fields_at,
            );
            let key = Some(format!("queries.{}.fields", later.query.name));
            report.problem(Problem { key, message, origin: Some(later.query.fields_at.clone()) });
        }
    }
}

fn top_keys(query: &Query) -> BTreeSet<&str> {
    query.fields.iter().map(|field| top_key(field)).collect()
}

/// What a query asks for below one top-level key.
struct Parts<'a> {
    paths: Vec<&'a str>,
    aggregation: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(query: &'a Query, key: &str) -> Self {
        let aggregation = query.aggregations.iter().find(|aggregation| aggregation.id == key);
        Self {
            paths: asked_below(&query.fields, key),
            aggregation: aggregation.map(|aggregation| aggregation.json.as_str()),
        }
    }

    fn differ(&self, other: &Self) -> bool {
        let tree = |json: Option<&'a str>| {
            json.and_then(|json| serde_json::from_str::<&RawValue>(json).ok().map(RawValue::get))
        };
        self.paths != other.paths || !same_or_absent(tree(self.aggregation), tree(other.aggregation))
    }
}

impl fmt::Display for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.paths.join(", "))?;
        match self.aggregation {
            Some(json) => write!(f, " through the aggregation {}", brief(json)),
            None => Ok(()),
        }
    }
}
