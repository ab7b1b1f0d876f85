//! What Vainu would know: the companies of two databases.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::asked::Field;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Database {
    Fi,
    Se,
}

impl Database {
    pub const BOTH: [Self; 2] = [Self::Fi, Self::Se];

    pub fn code(self) -> &'static str {
        match self {
            Self::Fi => "FI",
            Self::Se => "SE",
        }
    }
}

/// Which company: its database and its number there.
pub type Key = (Database, u8);

pub type World = BTreeMap<Key, Company>;

/// When each company last changed, by the server's clock.
pub type Stamps = BTreeMap<Key, Timestamp>;

/// A company: a number for each of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Company {
    pub name: u8,
    pub website: Option<u8>,
    pub founded: u8,
    pub is_oy: bool,
    /// Rises with changes that show in `modifications` alone.
    pub touched: u8,
}

impl Company {
    /// The value under a key of a row.
    pub fn value(self, field: Field, changed: Timestamp) -> Option<Value> {
        match field {
            Field::Name => Some(json!(format!("name {}", self.name))),
            Field::Website => self.website.map(|site| json!(format!("{site}.example"))),
            Field::Founded => Some(json!(format!("200{}", self.founded))),
            Field::Modifications => {
                let at = changed.to_string();
                Some(json!({ "basic": at, "financial_statements": at }))
            }
        }
    }

    /// The row as JSON text; what has no value is null, or missing.
    pub fn row(self, key: Key, changed: Timestamp, drops_nulls: bool) -> String {
        let mut row =
            json!({ "business_id": id_of(key), "legal_entity": if self.is_oy { "OY" } else { "KY" } });
        for field in Field::ALL {
            match self.value(field, changed) {
                None if drops_nulls => {}
                value => row[field.key()] = value.unwrap_or(Value::Null),
            }
        }
        row.to_string()
    }
}

pub fn id_of((database, number): Key) -> String {
    format!("{}{number:02}", database.code())
}

pub fn company() -> impl Strategy<Value = Company> {
    (0..3_u8, proptest::option::of(0..3_u8), 0..3_u8, any::<bool>())
        .prop_map(|(name, website, founded, is_oy)| Company { name, website, founded, is_oy, touched: 0 })
}

pub fn key() -> impl Strategy<Value = Key> {
    (prop_oneof![5 => Just(Database::Fi), 1 => Just(Database::Se)], 0..40_u8)
}

pub fn world() -> impl Strategy<Value = World> {
    proptest::collection::btree_map(key(), company(), 1..30)
}
