//! What the client wrote, as rows.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The rows of a download by id, each as its text.
pub type Rows = BTreeMap<String, Box<RawValue>>;

/// The rows of an array, of an object that holds one, or of JSON lines.
pub fn rows(download: &str) -> Rows {
    let rows: Vec<Box<RawValue>> = match download.trim_start().chars().next() {
        Some('[') => serde_json::from_str(download).unwrap(),
        Some('{') => within(download).unwrap_or_else(|| download.lines().map(raw).collect()),
        _ => Vec::new(),
    };
    let count = rows.len();
    let by_id: Rows = rows.into_iter().map(|row| (id_of(&row), row)).collect();
    assert_eq!(by_id.len(), count, "an id comes twice");
    by_id
}

fn within(download: &str) -> Option<Vec<Box<RawValue>>> {
    let object: BTreeMap<String, Box<RawValue>> = serde_json::from_str(download).ok()?;
    let list = object.get("result").or(object.get("results"))?;
    serde_json::from_str(list.get()).ok()
}

fn id_of(row: &RawValue) -> String {
    let row: BTreeMap<String, &RawValue> = serde_json::from_str(row.get()).unwrap();
    serde_json::from_str(row["business_id"].get()).unwrap()
}

pub fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}
