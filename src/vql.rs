//! The field paths in a query's VQL. Pure; the query itself is passed on unread.

use serde_json::value::RawValue;

use crate::organization::json::{members, too_deep};

/// A field path that a query filters by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filtered {
    /// From the top of a document: `vehicles.make` also where it stands as `make` in a `?MATCH` over `vehicles`.
    pub path: String,
    /// Where what it is compared with begins, in bytes of the VQL.
    pub offset: usize,
}

/// The paths that `vql` filters by, in the order of the text, each as often as it stands there. An operator is
/// a key that begins with `?`, known or not; any other key is a path. What can't be read is left out, and what
/// nests deeper than any row may is not read.
#[must_use]
pub fn filtered(vql: &str) -> Vec<Filtered> {
    let mut walk = Walk { vql, found: Vec::new() };
    if !too_deep(vql) {
        walk.query("", vql, "");
    }
    walk.found.sort_by_key(|filtered| filtered.offset);
    walk.found
}

struct Walk<'a> {
    vql: &'a str,
    found: Vec<Filtered>,
}

impl<'a> Walk<'a> {
    /// A query or the operand of `operator`; its paths are relative to `prefix`.
    fn query(&mut self, operator: &str, json: &'a str, prefix: &str) {
        for element in elements(json) {
            self.query(operator, element.get(), prefix);
        }
        for (key, value) in members(json).into_iter().flatten() {
            if key.starts_with('?') {
                self.query(&key, value.get(), prefix);
            } else {
                let path = join(prefix, renamed(operator, &key, prefix));
                self.below(value, &path);
                self.found.push(Filtered { path, offset: self.offset(value) });
            }
        }
    }

    /// What stands below a path: only a query, which an operator begins, has paths. A value has none.
    fn below(&mut self, value: &'a RawValue, path: &str) {
        for element in elements(value.get()) {
            self.below(element, path);
        }
        for (key, operand) in members(value.get()).into_iter().flatten() {
            if key.starts_with('?') {
                self.query(&key, operand.get(), path);
            }
        }
    }

    fn offset(&self, value: &RawValue) -> usize {
        value.get().as_ptr().addr() - self.vql.as_ptr().addr()
    }
}

fn elements(json: &str) -> Vec<&RawValue> {
    serde_json::from_str(json).unwrap_or_default()
}

/// Vainu's recipe for changed companies calls the ids of an `?IN` `business_ids`.
fn renamed<'a>(operator: &str, key: &'a str, prefix: &str) -> &'a str {
    if (operator, key, prefix) == ("?IN", "business_ids", "") { "business_id" } else { key }
}

fn join(prefix: &str, path: &str) -> String {
    if prefix.is_empty() { path.to_owned() } else { format!("{prefix}.{path}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn paths(vql: &str) -> Vec<String> {
        filtered(vql).into_iter().map(|filtered| filtered.path).collect()
    }

    #[test]
    fn vainus_own_examples_filter_by_these_paths() {
        for (vql, expected) in [
            (r#"{"?ALL": []}"#, vec![]),
            (r#"{"?EQ": {"business_id": "FI25578642"}}"#, vec!["business_id"]),
            (r#"{"?STARTSWITH": {"technology_data.name": "shopify"}}"#, vec!["technology_data.name"]),
            (
                r#"{"?MATCH": {"vehicles": {"?ALL": [{"?EQ": {"make": "SKODA"}}, {"?GT": {"first_registered": "2020-01-01"}}]}}}"#,
                vec!["vehicles", "vehicles.make", "vehicles.first_registered"],
            ),
            (
                r#"{"?ALL": [{"?GEO_WITHIN_SPHERE": {"business_units.visiting_address.coordinates": {"coordinates": [17.634966, 59.853642], "radius": 0.0001569612305760477}}}]}"#,
                vec!["business_units.visiting_address.coordinates"],
            ),
            (
                r#"{"?ALL": [{"?ANY": [{"?RANGE": {"modifications.basic": ["2026-03-20T06:48:00.323028", "2026-03-21T00:00:00"]}}, {"?RANGE": {"modifications.financial_statements": ["2026-03-20T06:48:00.323028", "2026-03-21T00:00:00"]}}]}, {"?IN": {"business_ids": ["FI05381340"]}}]}"#,
                vec!["modifications.basic", "modifications.financial_statements", "business_id"],
            ),
            (
                r#"{"?ALL": [{"?IN": {"countries": ["FI"]}}, {"?NOT": {"?IN": {"tags": [43535]}}}, {"?EXISTS": {"tags": true}}, {"?GTE": {"vainu_date": "7 days ago"}}]}"#,
                vec!["countries", "tags", "tags", "vainu_date"],
            ),
        ] {
            assert_eq!(paths(vql), expected, "{vql}");
        }
    }

    #[test]
    fn an_operator_that_nobody_knows_yet_is_walked_too() {
        let vql =
            r#"{"?NONE": {"?MATCH_ALL": {"contacts": [{"?LIKE": {"titles.title": {"value": "CEO"}}}]}}}"#;
        assert_eq!(paths(vql), ["contacts", "contacts.titles.title"]);
        assert_eq!(
            paths(r#"{"?ALL": [{"name": "x"}], "?EQ": {"website": {"?NOT": null}}}"#),
            ["name", "website"]
        );
    }

    #[test]
    fn business_ids_are_the_id_in_an_in_alone() {
        assert_eq!(paths(r#"{"?EQ": {"business_ids": "FI1"}}"#), ["business_ids"]);
        assert_eq!(paths(r#"{"?MATCH": {"units": {"?IN": {"business_ids": []}}}}"#)[1], "units.business_ids");
    }

    #[test]
    fn a_path_is_told_by_the_place_of_what_it_is_compared_with() {
        let vql = "{\"?ALL\": [\n{\"?EQ\": {\"nmae\": \"Acme\"}},\n{\"?GT\": {\"a\": 1, \"a\":\n7}}]}";
        let places: Vec<_> =
            filtered(vql).into_iter().map(|found| (found.path, &vql[found.offset..])).collect();
        assert_eq!((places[0].0.as_str(), &places[0].1[..6]), ("nmae", "\"Acme\""));
        assert_eq!((places[1].0.as_str(), &places[1].1[..1], places.len()), ("a", "7", 2));
    }

    #[test]
    fn what_is_no_query_has_no_paths() {
        let deep = format!("{}{}", r#"{"?NOT":"#.repeat(100_000), "}".repeat(100_000));
        for vql in ["", "7", "null", "\"name\"", "{", r#"{"?EXISTS": "name"}"#, "[[[]]]", deep.as_str()] {
            assert_eq!(paths(vql), Vec::<String>::new());
        }
    }

    /// A query in text, and the paths in it.
    fn any_query() -> impl Strategy<Value = (String, Vec<String>)> {
        let path = prop::sample::select(vec!["name", "a.b", "vehicles", "modifications.basic"]);
        let value =
            prop::sample::select(vec!["1", "\"x\"", "[1,2]", r#"{"radius":2}"#, "null", r#"["a{b"]"#]);
        let comparison = (prop::sample::select(vec!["?EQ", "?GEO", "?NEW"]), path.clone(), value).prop_map(
            |(operator, path, value)| {
                (format!(r#"{{"{operator}":{{"{path}":{value}}}}}"#), vec![path.to_owned()])
            },
        );
        comparison.prop_recursive(4, 24, 4, move |inner| {
            let list =
                (prop::sample::select(vec!["?ALL", "?ANY"]), prop::collection::vec(inner.clone(), 0..4));
            let matched = (path.clone(), inner.clone()).prop_map(|(path, (inner, below))| {
                let below = below.into_iter().map(|inner| format!("{path}.{inner}"));
                let paths = std::iter::once(path.to_owned()).chain(below).collect();
                (format!(r#"{{"?MATCH":{{"{path}":{inner}}}}}"#), paths)
            });
            prop_oneof![
                list.prop_map(|(operator, queries)| {
                    let (texts, paths): (Vec<_>, Vec<_>) = queries.into_iter().unzip();
                    (format!(r#"{{"{operator}":[{}]}}"#, texts.join(", ")), paths.concat())
                }),
                inner.prop_map(|(query, paths)| (format!(r#"{{"?NOT":{query}}}"#), paths)),
                matched,
            ]
        })
    }

    proptest! {
        #[test]
        fn every_path_of_a_query_is_found_once_and_in_its_order((vql, expected) in any_query()) {
            prop_assert_eq!(paths(&vql), expected);
        }

        #[test]
        fn no_text_is_too_wrong_to_be_walked(vql in r#"(\{|\}|\[|\]|"|:|,|\?|a|\.|\\|1| ){0,40}"#) {
            let _ = filtered(&vql);
        }
    }
}
