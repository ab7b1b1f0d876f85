//! `aggregation`: a key of the row made of its subdocuments.

use serde_json::{Map, Value};

use super::catalogue;
use super::json;
use super::refusal::Refusal;
use super::switches::AggregationKey;
use super::vql::{self, Filter, Rules, TextRow};

/// One element of `aggregation`.
#[derive(Debug, Clone)]
pub struct Aggregation {
    /// The key of the row that carries the result.
    key: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    /// Keeps the subdocuments at a key that satisfy a query, whose paths are relative to them.
    Filter {
        path: String,
        query: Filter,
    },
    Count {
        path: String,
    },
    Select {
        path: String,
    },
}

/// The aggregations of a request's body.
///
/// # Errors
/// 400 if one is not of the documented form.
pub fn parse(body: &Map<String, Value>, switch: AggregationKey) -> Result<Vec<Aggregation>, Refusal> {
    let Some(given) = body.get("aggregation").filter(|given| !given.is_null()) else { return Ok(Vec::new()) };
    let elements = given.as_array().ok_or_else(|| refuse(given))?;
    elements.iter().map(|element| aggregation(element, switch)).collect()
}

fn aggregation(element: &Value, switch: AggregationKey) -> Result<Aggregation, Refusal> {
    let id = element.get("id").and_then(Value::as_str).ok_or_else(|| refuse(element))?;
    let steps = element.get("?AGGREGATE").and_then(Value::as_array).ok_or_else(|| refuse(element))?;
    let is_field = catalogue::knows(id);
    let key = if is_field || switch == AggregationKey::Id { id.to_owned() } else { format!("?{id}") };
    Ok(Aggregation { key, steps: steps.iter().map(step).collect::<Result<_, _>>()? })
}

fn step(step: &Value) -> Result<Step, Refusal> {
    let object = step.as_object().ok_or_else(|| refuse(step))?;
    let (operator, operand) = object.iter().next().ok_or_else(|| refuse(step))?;
    let path = operand.get("path").and_then(Value::as_str).ok_or_else(|| refuse(step))?.to_owned();
    match operator.as_str() {
        "?FILTER_SUBDOCUMENTS" => {
            let known = |below: &str| catalogue::knows(&format!("{path}.{below}"));
            let rules = Rules { known: &known, ids_heeded: Some(usize::MAX) };
            let query = operand.get("query").ok_or_else(|| refuse(step))?;
            let query = vql::parse(query, &rules).map_err(|error| Refusal::bad_request(error.to_string()))?;
            Ok(Step::Filter { path, query })
        }
        "?COUNT" => Ok(Step::Count { path }),
        "?SELECT" => Ok(Step::Select { path }),
        _ => Err(refuse(step)),
    }
}

fn refuse(what: &Value) -> Refusal {
    Refusal::bad_request(format!("aggregation: not understood: {what}"))
}

impl Aggregation {
    /// `row` with the result under its key, in the place of what stood there.
    pub fn apply(&self, row: &str) -> String {
        let Some(members) = json::members(row) else { return row.to_owned() };
        let key = Value::from(self.key.as_str()).to_string();
        let kept = members.iter().filter(|member| member.key() != self.key);
        let mut parts: Vec<String> =
            kept.map(|member| format!("{}:{}", member.raw_key, member.value)).collect();
        parts.push(format!("{key}:{}", self.result(row)));
        format!("{{{}}}", parts.join(","))
    }

    fn result(&self, row: &str) -> String {
        let mut filtered: Option<(&str, Vec<&str>)> = None;
        for step in &self.steps {
            match step {
                Step::Filter { path, query } => {
                    let kept =
                        subdocuments(row, path).into_iter().filter(|text| query.matches(&TextRow(text)));
                    filtered = Some((path, kept.collect()));
                }
                Step::Count { path } => return current(row, path, filtered).len().to_string(),
                Step::Select { path } => return format!("[{}]", current(row, path, filtered).join(",")),
            }
        }
        "null".to_owned()
    }
}

fn current<'a>(row: &'a str, path: &str, filtered: Option<(&str, Vec<&'a str>)>) -> Vec<&'a str> {
    match filtered {
        Some((of, kept)) if of == path => kept,
        _ => subdocuments(row, path),
    }
}

fn subdocuments<'a>(row: &'a str, key: &str) -> Vec<&'a str> {
    json::member(row, key).and_then(json::elements).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROW: &str =
        r#"{"business_id":"FI1","vehicles":[{"make":"SKODA"},{"make":"VOLVO"},{"make":"SKODA"}]}"#;

    fn applied(id: &str, last: &Value, switch: AggregationKey) -> String {
        let filter =
            json!({"?FILTER_SUBDOCUMENTS": {"path": "vehicles", "query": {"?EQ": {"make": "SKODA"}}}});
        let body = json!({"aggregation": [{"id": id, "?AGGREGATE": [filter, last]}]});
        parse(body.as_object().unwrap(), switch).unwrap()[0].apply(ROW)
    }

    #[test]
    fn a_count_stands_under_either_key() {
        let count = json!({"?COUNT": {"path": "vehicles"}});
        let vehicles = &ROW[..ROW.len() - 1];
        assert_eq!(applied("skodas", &count, AggregationKey::Id), format!(r#"{vehicles},"skodas":2}}"#));
        assert_eq!(
            applied("skodas", &count, AggregationKey::Question),
            format!(r#"{vehicles},"?skodas":2}}"#)
        );
    }

    #[test]
    fn one_whose_id_is_a_field_filters_that_field() {
        let select = json!({"?SELECT": {"path": "vehicles"}});
        assert_eq!(
            applied("vehicles", &select, AggregationKey::Question),
            r#"{"business_id":"FI1","vehicles":[{"make":"SKODA"},{"make":"SKODA"}]}"#
        );
    }
}
