//! What tells that a row is the one that came last time, so that nothing stored has to be read for it.

use std::collections::{BTreeSet, HashMap};

use sha2::{Digest as _, Sha256};

use super::batch::Incoming;
use crate::listing::Read;
use crate::merge::{Keys, RULES};
use crate::organization::Row;
use crate::store::Fingerprint;

/// Takes the fingerprints of a query's rows.
#[derive(Debug, Clone)]
pub struct Fingerprints {
    /// Has seen all that a row is merged by beside what is stored.
    salt: Sha256,
}

impl Fingerprints {
    /// For the query of this number and definition. The keys that other queries own say what a document may keep:
    /// with others, every row is looked at anew.
    #[must_use]
    pub fn new(query: i64, definition: &str, keys: &HashMap<i64, Keys>) -> Self {
        Self::by(RULES, query, definition, keys)
    }

    fn by(rules: u32, query: i64, definition: &str, keys: &HashMap<i64, Keys>) -> Self {
        let others = keys.iter().filter(|(other, _)| **other != query);
        let others: BTreeSet<&Keys> = others.map(|(_, keys)| keys).collect();
        let mut salt = Sha256::new();
        salt.update(format!("{rules}\n{definition}\n{others:?}\n"));
        Self { salt }
    }

    /// The row with its fingerprint.
    pub(super) fn with(&self, row: Read) -> Incoming {
        row.map(|row| {
            let fingerprint = self.of(&row);
            (row, fingerprint)
        })
    }

    /// The fingerprint of the row's bytes.
    #[must_use]
    pub fn of(&self, row: &Row) -> Fingerprint {
        let mut hasher = self.salt.clone();
        hasher.update(row.text());
        let hash = hasher.finalize();
        Fingerprint::from_first_of(&hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: i64, definition: &str, keys: &[(i64, &str)], row: &str) -> Fingerprint {
        let keys = keys.iter().map(|(query, key)| (*query, Keys::from([(*key).to_owned()]))).collect();
        Fingerprints::new(query, definition, &keys).of(&Row::parse(row).unwrap())
    }

    #[test]
    fn the_same_row_of_the_same_query_has_the_same_fingerprint_and_no_other() {
        let row = r#"{"business_id":"FI1","name":"a"}"#;
        let known = of(1, "d", &[(1, "name"), (2, "website")], row);
        assert_eq!(
            known,
            of(3, "d", &[(3, "staff"), (7, "website")], row),
            "its own keys are in its definition"
        );
        for other in [
            of(1, "e", &[(1, "name"), (2, "website")], row),
            of(1, "d", &[(1, "name")], row),
            of(1, "d", &[(1, "name"), (2, "web")], row),
            of(1, "d", &[(1, "name"), (2, "website")], r#"{"business_id":"FI1","name":"b"}"#),
            of(1, "d", &[(1, "name"), (2, "website")], r#"{"business_id":"FI1", "name":"a"}"#),
        ] {
            assert_ne!(known, other);
        }
    }

    /// Or what an earlier version stored wrongly would stay so for as long as the row stays the same.
    #[test]
    fn a_row_that_other_rules_stored_is_looked_at_again() {
        let row = Row::parse(r#"{"business_id":"FI1"}"#).unwrap();
        let by = |rules| Fingerprints::by(rules, 1, "d", &HashMap::new()).of(&row);
        assert_eq!(by(RULES), Fingerprints::new(1, "d", &HashMap::new()).of(&row));
        assert_ne!(by(RULES), by(RULES + 1));
    }
}
