//! From a document to the columns of a row, and to what tells whether the row would differ.

use crate::config::settings::Warehouse;
use crate::feed::hash::hash;
use crate::organization::Found;
use crate::organization::compact::{canonical, compact, without_nul};
use crate::organization::json::{members, object, text_of, without_lone_surrogates};

/// What a row says of an organization.
pub struct Content {
    /// In the order of the columns; `None`: NULL.
    pub cells: Vec<Option<String>>,
    pub hash: [u8; 16],
}

impl Content {
    /// Of a document. A text that is no JSON object, as a hand may have left it, counts as an empty one.
    pub fn of(feed: &Warehouse, document: &str) -> Self {
        if feed.columns.is_empty() {
            let exact = without_nul(document).into_owned();
            let hash = hash(["document", &exact]);
            return Self { cells: vec![jsonb(document), Some(exact)], hash };
        }
        let members = members(document).unwrap_or_default();
        let (mut cells, mut compared) = (Vec::new(), Vec::new());
        for column in &feed.columns {
            let (cell, tree) = cell(&column.path.find(&members));
            compared.extend(tree.or_else(|| cell.clone()).map(|text| (column.header.as_str(), text)));
            cells.push(cell);
        }
        compared.sort();
        let hash = hash(compared.iter().flat_map(|(header, text)| [*header, text.as_str()]));
        Self { cells, hash }
    }
}

/// The text of what was found, and what is compared instead where one value has several texts.
fn cell(found: &Found<'_>) -> (Option<String>, Option<String>) {
    let Some(json) = found.json() else { return (None, None) };
    match json.as_bytes().first() {
        Some(b'"') => (text_of(&json).map(|text| without_nul(&text).into_owned()), None),
        Some(b'{' | b'[') => (Some(compact(&json)), Some(canonical(&json))),
        _ => (Some(json.into_owned()), None),
    }
}

/// `document` as PostgreSQL's jsonb takes it: NUL, which it can't hold, is U+FFFD. `None` where it would refuse it; its
/// exact text stands beside it.
pub fn jsonb(document: &str) -> Option<String> {
    members(document)?;
    let text = compact(&without_lone_surrogates(document));
    numbers_fit(&text).then_some(text)
}

/// Whether all numbers are within what `numeric` holds for certain: its bounds are at 131,072 digits before the
/// point and 16,383 behind it.
fn numbers_fit(json: &str) -> bool {
    const MOST: usize = 8_000;
    let bytes = json.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = after_text(bytes, at),
            b'-' | b'0'..=b'9' => {
                let length = bytes[at..]
                    .iter()
                    .take_while(|byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
                    .count();
                let number = &json[at..at + length];
                let exponent = number.find(['e', 'E']).map_or("0", |at| &number[at + 1..]);
                let reach = exponent.trim_start_matches(['+', '-']).parse::<usize>().unwrap_or(usize::MAX);
                if length > MOST || reach > MOST {
                    return false;
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    true
}

/// Where the text that begins at `at` has ended.
fn after_text(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// What an entry of the change log tells within the mapped columns: `None` where that is nothing.
pub fn within_columns(feed: &Warehouse, json: &str) -> Option<String> {
    if feed.columns.is_empty() {
        return Some(without_nul(json).into_owned());
    }
    let members = members(json)?.texts();
    let is_mapped =
        |key: &str| feed.columns.iter().any(|column| column.path.top() == key.trim_start_matches('?'));
    let mapped: Vec<_> =
        members.iter().map(|(key, value)| (key.as_ref(), value)).filter(|(key, _)| is_mapped(key)).collect();
    if mapped.is_empty() { None } else { Some(without_nul(&object(mapped)).into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_no_database_holds_are_told() {
        for fits in ["{\"a\":1}", "{\"a\":-1.5e308,\"b\":\"1e999999\\\"\"}", "{\"a\":[0.1,2E-7000]}"] {
            assert!(numbers_fit(fits), "{fits}");
        }
        for wide in ["{\"a\":1e99999}", "{\"a\":[1,1E-20000]}", "{\"e\":1e99999999999999999999999}"] {
            assert!(!numbers_fit(wide), "{wide}");
        }
        assert!(!numbers_fit(&format!("{{\"a\":{}}}", "9".repeat(9_000))));
    }

    #[test]
    fn what_jsonb_can_not_hold_is_replaced() {
        assert_eq!(jsonb(r#"{"a":"x\u0000","b\u0000":1}"#).unwrap(), "{\"a\":\"x\u{FFFD}\",\"b\u{FFFD}\":1}");
        assert_eq!(jsonb("no JSON"), None);
        assert_eq!(jsonb("[1]"), None);
    }
}
