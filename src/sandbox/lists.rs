//! `GET /v3/lists/organizations/` and `…/{id}/`: the lists saved in Vainu.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::state::Shared;

/// The lists by id.
pub(super) type Lists = BTreeMap<String, SavedList>;

/// A list saved in Vainu.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedList {
    /// 24 hexadecimal digits.
    pub id: String,
    pub name: String,
    /// The code of its database.
    pub country: String,
    pub members: Members,
}

/// Who is in a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Members {
    /// Organizations picked by hand, by `business_id`.
    Static(Vec<String>),
    /// Whoever satisfies this VQL query.
    Dynamic(Value),
}

impl SavedList {
    /// The query that a request for the list stands for.
    pub(super) fn as_query(&self) -> Value {
        match &self.members {
            Members::Static(ids) => json!({ "?IN": { "business_id": ids } }),
            Members::Dynamic(query) => query.clone(),
        }
    }

    fn summary(&self) -> Value {
        let kind = match self.members {
            Members::Static(_) => "static",
            Members::Dynamic(_) => "dynamic",
        };
        json!({ "id": self.id, "name": self.name, "type": kind, "country": self.country })
    }
}

/// All lists.
pub(super) async fn all(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.lock().lists.values().map(SavedList::summary).collect())
}

/// One list.
pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    shared.lock().lists.get(&id).map(|list| Json(list.summary())).ok_or_else(Refusal::not_found)
}

/// The lists of a made-up world: in each database one of either kind.
pub(super) fn made_up<'a>(databases: impl Iterator<Item = (&'a str, Vec<String>)>) -> Lists {
    let revenue = json!({ "?GTE": { "financial_data.revenue": 1_000_000 } });
    let lists = (0_u8..).zip(databases).flat_map(|(number, (country, ids))| {
        let list = |kind: u8, name: &str, members| SavedList {
            id: format!("69b029b1febae898f87e4{number:x}{kind:02x}"),
            name: name.to_owned(),
            country: country.to_owned(),
            members,
        };
        [
            list(1, "Picked by hand", Members::Static(ids)),
            list(2, "Revenue of a million and more", Members::Dynamic(revenue.clone())),
        ]
    });
    lists.map(|list| (list.id.clone(), list)).collect()
}
