//! What a query that is read incrementally can miss until its next full run.

use std::collections::BTreeSet;

use super::field::top_key;
use crate::vql::filtered;

/// What is taken to belong to Vainu's basic data and financial statements, whose changes an incremental run
/// asks for. No source lists it; whatever else a filter names is noted.
const COVERED: [&str; 9] = [
    "business_id",
    "business_units",
    "financial_data",
    "founded",
    "legal_entity",
    "modifications",
    "name",
    "official_industries",
    "website",
];

/// Notes about `vql` where `full_every` is set.
pub(super) fn gaps(vql: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if has_relative_date(vql) {
        notes.push(
            "the query has a relative date: who comes under it as time goes by changes in nothing, and is found by \
             the next full run only"
                .to_owned(),
        );
    }
    let paths: Vec<String> = filtered(vql).into_iter().map(|filtered| filtered.path).collect();
    let beyond: BTreeSet<&str> =
        paths.iter().map(|path| top_key(path)).filter(|key| !COVERED.contains(key)).collect();
    if !beyond.is_empty() {
        let keys = beyond.into_iter().collect::<Vec<_>>().join(", ");
        notes.push(format!(
            "the query filters by {keys}: incremental runs ask for changes of basic data and financial statements, \
             so a change of these alone may be found by the next full run only"
        ));
    }
    notes
}

/// `"30 days ago"`
fn has_relative_date(vql: &str) -> bool {
    vql.split('"').any(|text| {
        let words: Vec<&str> = text.split_whitespace().collect();
        matches!(words[..], [number, _, "ago"] if number.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_window_can_miss_is_noted() {
        assert!(
            gaps(r#"{"?ALL":[{"?GTE":{"financial_data.revenue":1}},{"?EQ":{"name":"30 days"}}]}"#).is_empty()
        );
        let notes = gaps(
            r#"{"?ALL":[{"?GTE":{"founded":"30 days ago"}},{"?MATCH":{"vehicles":{"?EQ":{"make":"X"}}}}]}"#,
        );
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].contains("relative date") && notes[1].contains("filters by vehicles:"), "{notes:?}");
    }
}
