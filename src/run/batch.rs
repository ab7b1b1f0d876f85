//! One batch of rows: what it means for the store. Pure: rows and what the store knows in, writes out.

use std::collections::{HashMap, HashSet};

use roaring::RoaringTreemap;

use super::leaving::keys_of;
use crate::merge::{Keys, Merged, Owners, first_document, merge};
use crate::organization::json;
use crate::organization::{BusinessId, ChangeKind, Database, Reject, Rejected, Row};
use crate::store::{
    Created, Fingerprint, Fingerprinted, Known, NewChange, Numbers, REJECTS_KEPT_A_RUN, Writes, Written,
};

/// The query whose rows come in, and who else owns keys.
#[derive(Debug)]
pub struct Standing {
    pub database: Database,
    pub own: Keys,
    pub quiet: Keys,
    /// The keys of every query, by its number in the store.
    pub keys: HashMap<i64, Keys>,
}

impl Standing {
    /// The keys that these queries own together.
    #[must_use]
    pub fn keys_of(&self, queries: Option<&Vec<i64>>) -> Keys {
        keys_of(&self.keys, queries)
    }
}

/// What a run has seen so far.
#[derive(Debug, Default)]
pub struct Seen {
    /// Organizations, by their numbers in the store: tells repeated rows, and in the end who was missing.
    pub organizations: RoaringTreemap,
    /// Ids of rows that were set aside: there, though unusable.
    pub rejected: HashSet<String>,
    /// Rows that were set aside without an id: they might be anyone.
    pub rejected_without_id: u64,
}

/// A row that is to be stored with its fingerprint, or one that was set aside.
pub type Incoming = Result<(Row, Fingerprint), Rejected>;

/// What the store knows of the organizations in a batch.
#[derive(Debug, Default)]
pub struct Knowledge {
    pub organizations: HashMap<String, Known>,
    /// The other queries that hold each of them.
    pub holders: HashMap<i64, Vec<i64>>,
    /// The number that the next new organization gets.
    pub next: i64,
}

/// Plans one batch. The first row of an id wins; later ones change nothing.
pub struct Batch<'a> {
    pub standing: &'a Standing,
    pub knowledge: Knowledge,
    pub seen: &'a mut Seen,
    pub numbers: &'a mut Numbers,
    pub now: &'a str,
    pub writes: Writes,
    /// Whose stored document can't be read.
    pub unreadable: Option<BusinessId>,
}

impl Batch<'_> {
    /// Plans all rows, in listing order.
    pub fn plan(&mut self, rows: Vec<Incoming>) {
        let known = std::mem::take(&mut self.knowledge.organizations);
        let mut new = HashSet::new();
        for row in rows {
            match row {
                Err(rejected) => self.set_aside(rejected),
                Ok((row, fingerprint)) => match known.get(row.id().as_str()) {
                    Some(known) => self.known(row, fingerprint, known),
                    None if new.insert(row.id().clone()) => self.create(&row, fingerprint),
                    None => {}
                },
            }
        }
    }

    fn known(&mut self, row: Row, fingerprint: Fingerprint, known: &Known) {
        if known.is_held_elsewhere(self.standing.database) {
            self.set_aside(row.reject(Reject::HeldElsewhere(known.database.to_string())));
        } else if self.seen.organizations.insert(known.id.unsigned_abs()) {
            self.look_at(&row, fingerprint, known);
        }
    }

    fn create(&mut self, row: &Row, fingerprint: Fingerprint) {
        let id = self.knowledge.next;
        self.knowledge.next += 1;
        self.seen.organizations.insert(id.unsigned_abs());
        let members = row.members();
        let name = members.get("name").filter(|_| self.standing.own.contains("name"));
        self.writes.created.push(Created {
            id,
            business_id: row.id().clone(),
            name: name.and_then(json::text_of),
            document: first_document(&members, &self.standing.own),
        });
        self.writes.entered.push(Fingerprinted { organization: id, fingerprint });
        // The document stands in the organization itself.
        self.log(id, ChangeKind::Created, None, None);
        self.numbers.created += 1;
    }

    fn look_at(&mut self, row: &Row, fingerprint: Fingerprint, known: &Known) {
        let looked_at = Fingerprinted { organization: known.id, fingerprint };
        if known.is_member() {
            self.writes.looked_at.push(looked_at);
            if known.missing_since.is_some() {
                self.writes.found_again.push(known.id);
            }
        } else {
            self.numbers.entered += 1;
            self.writes.entered.push(looked_at);
            self.log(known.id, ChangeKind::Entered, None, None);
        }
        let others = self.standing.keys_of(self.knowledge.holders.get(&known.id));
        let owners = Owners { own: &self.standing.own, others: &others, quiet: &self.standing.quiet };
        match merge(&known.document, &row.members(), owners) {
            Merged::Unreadable => self.unreadable = Some(known.business_id.clone()),
            Merged::Same => {
                self.numbers.unchanged += 1;
                if known.gone_at.is_some() {
                    self.write(known, row.id(), known.document.clone(), known.changed_at.clone());
                }
            }
            Merged::Quiet { document } => {
                self.numbers.unchanged += 1;
                self.write(known, row.id(), document, known.changed_at.clone());
            }
            Merged::Updated { document, before, after } => {
                self.numbers.updated += 1;
                self.write(known, row.id(), document, self.now.to_owned());
                self.log(known.id, ChangeKind::Updated, Some(before), Some(after));
            }
        }
    }

    fn write(&mut self, known: &Known, id: &BusinessId, document: String, changed_at: String) {
        if self.knowledge.holders.contains_key(&known.id) {
            self.writes.shared.push(known.id);
        }
        self.writes.altered.push(Written {
            id: known.id,
            business_id: id.clone(),
            database: self.standing.database,
            name: name_of(&document),
            first_seen_at: known.first_seen_at.clone(),
            changed_at,
            document,
        });
    }

    fn log(&mut self, organization: i64, kind: ChangeKind, before: Option<String>, after: Option<String>) {
        self.writes.changes.push(NewChange { organization, kind, before, after });
    }

    fn set_aside(&mut self, rejected: Rejected) {
        self.numbers.rejected += 1;
        match &rejected.id {
            Some(id) => {
                self.seen.rejected.insert(id.to_string());
            }
            None => self.seen.rejected_without_id += 1,
        }
        if self.numbers.rejected <= REJECTS_KEPT_A_RUN {
            self.writes.rejects.push(rejected);
        }
    }
}

/// The ids of those rows that can be stored.
#[must_use]
pub fn ids(rows: &[Incoming]) -> Vec<&BusinessId> {
    rows.iter().flatten().map(|(row, _)| row.id()).collect()
}

/// The `name` of a document, where it has one that is text.
#[must_use]
pub fn name_of(document: &str) -> Option<String> {
    json::text_of(json::members(document)?.get("name")?.get())
}
