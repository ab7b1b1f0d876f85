//! What becomes of organizations that a query lets go.

use std::collections::HashMap;

use super::batch::name_of;
use crate::merge::{Keys, Merged, release};
use crate::organization::{BusinessId, ChangeKind};
use crate::store::{Departures, Known, Member, NewChange, Store, StoreError, Written};

/// The query that lets go.
#[derive(Debug, Clone, Copy)]
pub struct Leaving<'a> {
    pub query: i64,
    /// The keys of every query, by its number in the store.
    pub keys: &'a HashMap<i64, Keys>,
    /// The query's keys whose changes are not logged.
    pub quiet: &'a Keys,
    pub now: &'a str,
}

impl Leaving<'_> {
    /// What the store writes when these leave: whom nobody holds any more is gone, and the documents of the
    /// others lose the keys that none of their holders owns.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn plan(&self, members: &[Member], store: &mut Store) -> Result<Departures, StoreError> {
        let left: Vec<i64> = members.iter().map(|member| member.organization).collect();
        let holders = store.other_holders(self.query, &left).await?;
        let held = members.iter().filter(|member| holders.contains_key(&member.organization));
        let held: Vec<BusinessId> =
            held.filter_map(|member| BusinessId::new(member.business_id.clone()).ok()).collect();
        let known = store.look_up(self.query, &held.iter().collect::<Vec<_>>()).await?;
        let mut known: Vec<Known> = known.into_values().collect();
        // In the order in which the store came to know them, whatever the map's is.
        known.sort_unstable_by_key(|known| known.id);
        let mut departures = Departures {
            gone: left.iter().copied().filter(|id| !holders.contains_key(id)).collect(),
            left,
            ..Departures::default()
        };
        for known in known {
            let keys = keys_of(self.keys, holders.get(&known.id));
            let id = known.business_id.to_string();
            if !self.release(known, &keys, &mut departures) {
                return Err(store.found_damaged(no_object(&id)));
            }
        }
        Ok(departures)
    }

    /// Whether the document could be read.
    fn release(&self, known: Known, holders: &Keys, departures: &mut Departures) -> bool {
        let (document, changed_at) = match release(&known.document, holders, self.quiet) {
            Merged::Unreadable => return false,
            Merged::Same => return true,
            Merged::Quiet { document } => (document, known.changed_at),
            Merged::Updated { document, before, after } => {
                let (organization, kind) = (known.id, ChangeKind::Updated);
                let (before, after) = (Some(before), Some(after));
                departures.updates.push(NewChange { organization, kind, before, after });
                (document, self.now.to_owned())
            }
        };
        departures.released.push(Written {
            id: known.id,
            name: name_of(&document),
            business_id: known.business_id,
            database: known.database,
            first_seen_at: known.first_seen_at,
            changed_at,
            document,
        });
        true
    }
}

/// What is wrong with a stored document that is unreadable.
#[must_use]
pub fn no_object(id: &str) -> String {
    format!("the document of {id} is no JSON object")
}

/// The keys that these queries own together.
#[must_use]
pub fn keys_of(keys: &HashMap<i64, Keys>, queries: Option<&Vec<i64>>) -> Keys {
    let queries = queries.into_iter().flatten();
    queries.filter_map(|query| keys.get(query)).flatten().cloned().collect()
}
