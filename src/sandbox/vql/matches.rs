//! A filter asked of a row.

use std::borrow::Cow;

use super::Filter;
use crate::sandbox::json;

/// What a filter needs of a row: the text of one top-level key at a time, so that a world may make it up on
/// the spot.
pub trait Row {
    /// The JSON text under a top-level key, if the row has it.
    fn value(&self, key: &str) -> Option<Cow<'_, str>>;
}

/// A row, or a subdocument, that is there as text.
pub struct TextRow<'a>(pub &'a str);

impl Row for TextRow<'_> {
    fn value(&self, key: &str) -> Option<Cow<'_, str>> {
        json::member(self.0, key).map(Cow::Borrowed)
    }
}

impl Filter {
    /// Whether `row` satisfies the filter.
    pub fn matches(&self, row: &impl Row) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.matches(row)),
            Self::Any(filters) => filters.iter().any(|filter| filter.matches(row)),
            Self::Compare { path, test } => any_at(row, path, &|value| test.passes(value)),
            Self::Match { path, inner } => any_at(row, path, &|value| inner.matches_one_of(value)),
        }
    }

    fn matches_one_of(&self, value: &str) -> bool {
        match json::elements(value) {
            Some(elements) => elements.into_iter().any(|element| self.matches(&TextRow(element))),
            None => self.matches(&TextRow(value)),
        }
    }
}

fn any_at(row: &impl Row, path: &[String], passes: &dyn Fn(&str) -> bool) -> bool {
    let Some((key, below)) = path.split_first() else { return false };
    row.value(key).is_some_and(|value| any_below(&value, below, passes))
}

/// A list on the way to the end of a path stands for each of its elements.
fn any_below(value: &str, path: &[String], passes: &dyn Fn(&str) -> bool) -> bool {
    let Some((key, below)) = path.split_first() else { return passes(value) };
    match json::elements(value) {
        Some(elements) => elements.into_iter().any(|element| any_below(element, path, passes)),
        None => json::member(value, key).is_some_and(|value| any_below(value, below, passes)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::vql::{Rules, parse};

    const ROW: &str = r#"{"business_id":"FI1","name":"Koivu Oy","revenue":12345678901234567890,"founded":"2001-05-02",
        "active":true,"website":null,"units":[{"city":"Oulu","at":[25.47,65.01]},{"city":"Espoo","at":[24.65,60.2]}],
        "vehicles":[{"make":"SKODA","year":2019},{"make":"VOLVO","year":2021}]}"#;

    fn matches(query: &serde_json::Value) -> bool {
        let rules =
            Rules { known: &|path| path != "typo" && path != "vehicles.typo", ids_heeded: Some(usize::MAX) };
        parse(query, &rules).unwrap().matches(&TextRow(ROW))
    }

    #[test]
    fn every_comparison_can_pass_and_fail() {
        for (passing, failing) in [
            (json!({"?EQ": {"name": "Koivu Oy"}}), json!({"?EQ": {"name": "koivu oy"}})),
            (json!({"?EQ": {"active": true}}), json!({"?EQ": {"active": false}})),
            (json!({"?GT": {"revenue": 1}}), json!({"?GT": {"revenue": 1e30}})),
            (json!({"?GTE": {"founded": "2001-05-02"}}), json!({"?GTE": {"founded": "2001-05-03"}})),
            (json!({"?LT": {"founded": "2002"}}), json!({"?LT": {"founded": "2001"}})),
            (json!({"?LTE": {"founded": "2001-05-02"}}), json!({"?LTE": {"founded": "2001-05-01"}})),
            (json!({"?IN": {"business_id": ["FI0", "FI1"]}}), json!({"?IN": {"business_id": ["FI0"]}})),
            (json!({"?IN": {"business_ids": ["FI0", "FI1"]}}), json!({"?IN": {"business_ids": ["FI0"]}})),
            (
                json!({"?RANGE": {"founded": ["2001", "2002"]}}),
                json!({"?RANGE": {"founded": ["2002", "2003"]}}),
            ),
            (json!({"?STARTSWITH": {"name": "Koi"}}), json!({"?STARTSWITH": {"name": "oivu"}})),
            (json!({"?ICONTAINS": {"name": "VU O"}}), json!({"?ICONTAINS": {"name": "vuo"}})),
            (json!({"?EQ": {"units.city": "Espoo"}}), json!({"?EQ": {"units.city": "Turku"}})),
        ] {
            assert!(matches(&passing), "{passing} should match");
            assert!(!matches(&failing), "{failing} should not match");
        }
    }

    #[test]
    fn a_subdocument_must_satisfy_the_whole_inner_query() {
        let inner = |make: &str| json!({"?MATCH": {"vehicles": {"?ALL": [{"?EQ": {"make": make}}, {"?GT": {"year": 2020}}]}}});
        assert!(matches(&inner("VOLVO")));
        assert!(!matches(&inner("SKODA")));
    }

    #[test]
    fn a_sphere_holds_what_is_near_its_centre() {
        let within = |radius: f64| json!({"?GEO_WITHIN_SPHERE": {"units.at": {"coordinates": [24.94, 60.17], "radius": radius}}});
        assert!(matches(&within(20_000.0 / 6_371_000.0)));
        assert!(!matches(&within(5_000.0 / 6_371_000.0)));
    }

    #[test]
    fn a_comparison_on_an_unknown_path_is_as_if_it_were_not_there() {
        assert!(matches(&json!({"?EQ": {"typo": 1}})));
        assert!(matches(&json!({"?ALL": [{"?EQ": {"typo": 1}}, {"?EQ": {"name": "Koivu Oy"}}]})));
        assert!(!matches(&json!({"?ANY": [{"?EQ": {"typo": 1}}, {"?EQ": {"name": "x"}}]})));
        assert!(matches(&json!({"?MATCH": {"vehicles": {"?EQ": {"typo": 1}}}})));
    }

    #[test]
    fn a_null_or_absent_value_satisfies_no_comparison() {
        assert!(!matches(&json!({"?GTE": {"website": ""}})));
        assert!(!matches(&json!({"?LT": {"absent": 1}})));
    }

    #[test]
    fn an_in_filter_that_is_not_honoured_widens_the_query() {
        let query = json!({"?ALL": [{"?IN": {"business_id": ["FI0"]}}, {"?EQ": {"name": "Koivu Oy"}}]});
        let rules = Rules { known: &|_| true, ids_heeded: Some(0) };
        assert!(parse(&query, &rules).unwrap().matches(&TextRow(ROW)));
        let alone = json!({"?IN": {"business_id": ["FI0"]}});
        assert!(!parse(&alone, &rules).unwrap().matches(&TextRow(ROW)));
    }
}
