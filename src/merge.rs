//! Stored document and incoming row → new document and what changed. Pure.

use std::collections::BTreeSet;

use crate::config::top_key;
use crate::organization::json::{self, Members, Texts};

/// To be raised with every change by which the same row would be stored otherwise than before: rows that came last
/// time, too, are passed over only where they were stored by the same rules.
pub const RULES: u32 = 1;

/// Top-level keys of a document.
pub type Keys = BTreeSet<String>;

/// The top-level keys that are `quiet`. The result of an aggregation comes as `id` or as `?id`.
#[must_use]
pub fn quiet_keys(quiet: &[String]) -> Keys {
    let id = |key: &String| key.strip_prefix('?').unwrap_or(key).to_owned();
    quiet.iter().flat_map(|key| [id(key), format!("?{}", id(key))]).collect()
}

/// The top-level keys that a query with these `fields` owns. `?id`, the result of an aggregation, owns
/// `id` and `?id`; `business_id` is always asked for.
#[must_use]
pub fn owned_keys(fields: &[String]) -> Keys {
    let mut keys = Keys::from(["business_id".to_owned()]);
    for field in fields {
        let key = top_key(field);
        if field.starts_with('?') {
            keys.insert(format!("?{key}"));
        }
        keys.insert(key.to_owned());
    }
    keys
}

/// What a document becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// The same JSON tree: nothing to write.
    Same,
    /// Changed under quiet keys alone: stored, not logged.
    Quiet { document: String },
    /// Changed. `before` and `after` are objects of the changed keys only; a key that was or is absent
    /// is left out, and so are quiet ones.
    Updated { document: String, before: String, after: String },
    /// What is stored is no JSON object: it was damaged.
    Unreadable,
}

/// Who may write which keys of a document.
#[derive(Debug, Clone, Copy)]
pub struct Owners<'a> {
    /// The keys of the query whose row this is.
    pub own: &'a Keys,
    /// The keys of the other queries that hold the organization.
    pub others: &'a Keys,
    /// The query's keys whose changes are not logged.
    pub quiet: &'a Keys,
}

/// The document of an organization that is new to the store: what the row says of the owned keys.
#[must_use]
pub fn first_document(row: &Texts, own: &Keys) -> String {
    json::object(row.iter().map(|(key, value)| (key.as_ref(), value)).filter(|(key, _)| own.contains(*key)))
}

/// Replaces each owned key of `stored` by what `row` says, removes it where the row lacks it, keeps the
/// keys of other holders, and drops those that nobody owns.
#[must_use]
pub fn merge(stored: &str, row: &Texts, owners: Owners) -> Merged {
    let Some(old) = json::members(stored).map(Members::texts) else { return Merged::Unreadable };
    let kept = old
        .iter()
        .filter(|(key, _)| !owners.own.contains(key.as_ref()) && owners.others.contains(key.as_ref()));
    let replaced = row.iter().filter(|(key, _)| owners.own.contains(key.as_ref()));
    let new: Texts = kept.chain(replaced).map(|(key, value)| (key.clone(), value)).collect();
    compare(&old, &new, owners.quiet)
}

/// Drops the keys of `stored` that none of the remaining holders owns.
#[must_use]
pub fn release(stored: &str, holders: &Keys, quiet: &Keys) -> Merged {
    let Some(old) = json::members(stored).map(Members::texts) else { return Merged::Unreadable };
    let new: Texts = old
        .iter()
        .filter(|(key, _)| holders.contains(key.as_ref()))
        .map(|(key, value)| (key.clone(), value))
        .collect();
    compare(&old, &new, quiet)
}

fn compare(old: &Texts, new: &Texts, quiet: &Keys) -> Merged {
    let changed: BTreeSet<&str> = old
        .keys()
        .chain(new.keys())
        .filter(|key| !json::same_or_absent(old.get(key), new.get(key)))
        .collect();
    if changed.is_empty() {
        return Merged::Same;
    }
    let document = json::object(new.iter().map(|(key, value)| (key.as_ref(), value)));
    let logged: Vec<&str> = changed.into_iter().filter(|key| !quiet.contains(*key)).collect();
    if logged.is_empty() {
        return Merged::Quiet { document };
    }
    let part = |from: &Texts| json::object(logged.iter().filter_map(|key| Some((*key, from.get(key)?))));
    Merged::Updated { before: part(old), after: part(new), document }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&str]) -> Keys {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn merged(stored: &str, row: &str, own: &[&str], others: &[&str], quiet: &[&str]) -> Merged {
        let (own, others, quiet) = (keys(own), keys(others), keys(quiet));
        merge(
            stored,
            &json::members(row).unwrap().texts(),
            Owners { own: &own, others: &others, quiet: &quiet },
        )
    }

    fn updated(document: &str, before: &str, after: &str) -> Merged {
        Merged::Updated { document: document.into(), before: before.into(), after: after.into() }
    }

    #[test]
    fn a_key_that_the_row_lacks_is_removed() {
        let result = merged(r#"{"a":1,"b":2}"#, r#"{"a":1}"#, &["a", "b"], &[], &[]);
        assert_eq!(result, updated(r#"{"a":1}"#, r#"{"b":2}"#, "{}"));
    }

    #[test]
    fn keys_of_other_holders_stay() {
        let result = merged(r#"{"a":1,"b":2}"#, r#"{"a":3}"#, &["a"], &["b"], &[]);
        assert_eq!(result, updated(r#"{"a":3,"b":2}"#, r#"{"a":1}"#, r#"{"a":3}"#));
    }

    #[test]
    fn a_row_can_not_write_what_its_query_does_not_own() {
        assert_eq!(merged(r#"{"a":1,"b":2}"#, r#"{"a":1,"b":9}"#, &["a"], &["b"], &[]), Merged::Same);
    }

    #[test]
    fn keys_that_nobody_owns_go_and_are_logged() {
        let result = merged(r#"{"a":1,"b":2}"#, r#"{"a":1}"#, &["a"], &[], &[]);
        assert_eq!(result, updated(r#"{"a":1}"#, r#"{"b":2}"#, "{}"));
    }

    #[test]
    fn null_and_absent_are_no_change_either_way() {
        assert_eq!(merged(r#"{"a":null}"#, "{}", &["a"], &[], &[]), Merged::Same);
        assert_eq!(merged("{}", r#"{"a":null}"#, &["a"], &[], &[]), Merged::Same);
    }

    #[test]
    fn quiet_keys_are_stored_but_not_logged() {
        let own = ["a", "q"];
        let quiet = merged(r#"{"a":1,"q":1}"#, r#"{"a":1,"q":2}"#, &own, &[], &["q"]);
        assert_eq!(quiet, Merged::Quiet { document: r#"{"a":1,"q":2}"#.into() });
        let both = merged(r#"{"a":1,"q":1}"#, r#"{"a":2,"q":2}"#, &own, &[], &["q"]);
        assert_eq!(both, updated(r#"{"a":2,"q":2}"#, r#"{"a":1}"#, r#"{"a":2}"#));
    }

    #[test]
    fn numbers_keep_their_digits() {
        let row = r#"{"a":12345678901234567890,"b":0.1000000000000000055511151231257827}"#;
        assert_eq!(first_document(&json::members(row).unwrap().texts(), &keys(&["a", "b"])), row);
    }

    #[test]
    fn an_aggregation_owns_its_id_with_and_without_the_mark() {
        let fields = ["?offices".to_owned(), "financial_data.revenue".to_owned()];
        assert_eq!(owned_keys(&fields), keys(&["?offices", "business_id", "financial_data", "offices"]));
    }

    #[test]
    fn what_a_holder_lets_go_goes_unless_another_owns_it() {
        let result = release(r#"{"a":1,"b":2}"#, &keys(&["a"]), &keys(&[]));
        assert_eq!(result, updated(r#"{"a":1}"#, r#"{"b":2}"#, "{}"));
    }
}
