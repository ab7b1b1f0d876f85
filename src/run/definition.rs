//! What makes a query the same query from run to run.

use serde_json::{Value, json};

use crate::config::settings::{Api, Ask, Query};

/// The definition of a query as text: another one makes the next run a full one, with nobody missing yet.
#[must_use]
pub fn definition(query: &Query, api: &Api) -> String {
    let mut fields = query.fields.clone();
    fields.sort();
    let mut definition = json!({
        "database": query.database.code(),
        "fields": fields,
        "language": api.language,
    });
    let (kind, asked) = match &query.ask {
        Ask::Query(vql) => ("query", vql),
        Ask::List(id) => ("list", id),
    };
    definition[kind] = Value::from(asked.as_str());
    if !query.aggregations.is_empty() {
        definition["aggregation"] = query.aggregations.iter().map(|part| part.json.as_str()).collect();
    }
    definition.to_string()
}
