//! Replaying the change log, by its documentation alone: it must give members and documents.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::bench::Bench;
use crate::program::vainu_sync;

#[derive(Debug, Default, Clone, PartialEq)]
pub struct Replayed {
    pub members: BTreeMap<String, BTreeSet<String>>,
    pub documents: BTreeMap<String, Map<String, Value>>,
}

/// An entry of the log: query, id, kind, before, after.
pub type Entry = (String, String, String, Option<String>, Option<String>);

/// The log, applied entry by entry.
pub async fn replay(bench: &Bench) -> Replayed {
    replay_onto(Replayed::default(), bench, "").await
}

/// The entries of the log for which `condition` holds, applied to what was before them.
pub async fn replay_onto(mut before: Replayed, bench: &Bench, condition: &str) -> Replayed {
    let sql = format!("SELECT query, business_id, kind, before, after FROM changes {condition} ORDER BY seq");
    for entry in bench.rows::<Entry>(&sql).await {
        before.apply(&entry);
    }
    before
}

impl Replayed {
    pub fn apply(&mut self, (query, id, kind, before, after): &Entry) {
        let members = self.members.entry(query.clone()).or_default();
        match kind.as_str() {
            "created" => {
                assert!(members.insert(id.clone()), "{id} was created as a member");
                let first = self.documents.insert(id.clone(), object(after.as_ref()));
                assert!(first.is_none(), "{id} was created twice");
            }
            "entered" => assert!(members.insert(id.clone()), "{id} entered {query} while in it"),
            "left" => assert!(members.remove(id), "{id} left {query} without being in it"),
            _ => {
                let document = self.documents.get_mut(id).expect("an update of what was created");
                let (before, after) = (object(before.as_ref()), object(after.as_ref()));
                for (key, value) in &before {
                    let old = document.remove(key);
                    assert_eq!(old.unwrap_or(Value::Null), *value, "{id}: {key} was another before");
                }
                document.extend(after);
            }
        }
    }
}

/// What the store says, in the same form.
pub async fn stored(bench: &Bench) -> Replayed {
    let mut stored = Replayed::default();
    let members: Vec<(String, String)> =
        bench.rows("SELECT query, business_id FROM memberships WHERE left_at IS NULL").await;
    for (query, id) in members {
        stored.members.entry(query).or_default().insert(id);
    }
    let documents: Vec<(String, String)> =
        bench.rows("SELECT business_id, document FROM organizations").await;
    stored.documents = documents.into_iter().map(|(id, document)| (id, object(Some(&document)))).collect();
    stored
}

impl Replayed {
    /// Without what is the same as nothing at all.
    pub fn without_empty(mut self) -> Self {
        self.members.retain(|_, members| !members.is_empty());
        self
    }
}

/// Asserts that the log tells the whole truth.
pub async fn assert_log_is_true(bench: &Bench) {
    assert_eq!(replay(bench).await.without_empty(), stored(bench).await);
    assert_eq!(bench.texts("PRAGMA integrity_check").await, ["ok"]);
}

/// A fresh store of the same day has the same members and documents, but for null against absent.
pub async fn assert_equals_listing(bench: &Bench) {
    let fresh = bench.folder.path().join("fresh.db");
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", fresh.display()));
    }
    let made = vainu_sync(bench, &["--store", "fresh.db", "sync"]).await;
    assert_eq!(made.code, Some(0), "{}{}", made.out, made.err);
    let mut connection = bench.reader().await;
    let attach = format!("ATTACH '{}' AS fresh", fresh.display());
    sqlx::query(sqlx::AssertSqlSafe(attach)).execute(&mut connection).await.unwrap();
    let held = "SELECT m.query, o.business_id, json_patch(json_object(), o.document) FROM {}.memberships m \
                JOIN {}.organizations o USING (business_id) WHERE m.left_at IS NULL";
    let (ours, theirs) = (held.replace("{}", "main"), held.replace("{}", "fresh"));
    let sql =
        format!("SELECT * FROM ({ours} EXCEPT {theirs}) UNION ALL SELECT * FROM ({theirs} EXCEPT {ours})");
    let different: Vec<(String, String, String)> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
    assert!(different.is_empty(), "{} differ: {:?}", different.len(), &different[..different.len().min(4)]);
}

/// The members of a JSON object but for nulls, which are the same as absent.
fn object(text: Option<&String>) -> Map<String, Value> {
    let value = text.map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
    let mut object = value.as_object().cloned().unwrap_or_default();
    object.retain(|_, value| !value.is_null());
    object
}
