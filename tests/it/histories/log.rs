//! The change log against the store: entries never change, only the beginning of the log goes, and what is left,
//! replayed onto what had been before it, gives members and documents.

use std::collections::BTreeSet;

use crate::replay::{Entry, Replayed};

/// A key whose changes need not be logged.
const QUIET: &str = "modifications";

/// An entry: its number, its time, and what it says.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Line {
    pub seq: i64,
    at: String,
    query: String,
    business_id: String,
    kind: String,
    before: Option<String>,
    after: Option<String>,
}

pub const LINES: &str = "SELECT seq, at, query, business_id, kind, before, after FROM changes ORDER BY seq";

impl Line {
    fn entry(&self) -> Entry {
        let quietly = |text: &Option<String>| text.as_deref().map(without_quiet);
        let (query, id, kind) = (self.query.clone(), self.business_id.clone(), self.kind.clone());
        (query, id, kind, quietly(&self.before), quietly(&self.after))
    }
}

fn without_quiet(text: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
    value.as_object_mut().unwrap().remove(QUIET);
    value.to_string()
}

/// The log as it was last seen.
#[derive(Debug, Default)]
pub struct Log {
    /// What was true before its first line.
    before: Replayed,
    lines: Vec<Line>,
}

impl Log {
    /// Looks at the log anew, and at the ids that the store knows. What is gone may be from before `old`, where
    /// something may have gone at all.
    pub fn advance(&mut self, now: Vec<Line>, known: &BTreeSet<String>, old: Option<&str>) {
        if old.is_some() {
            self.assert_no_member_is_forgotten(known);
        }
        let seqs: BTreeSet<i64> = now.iter().map(|line| line.seq).collect();
        let (kept, gone): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.lines).into_iter().partition(|line| seqs.contains(&line.seq));
        assert_eq!(kept[..], now[..kept.len()], "an entry of the log never changes");
        for line in gone {
            assert!(old.is_some(), "only what is old is let go: {line:?}");
            if known.contains(&line.business_id) {
                let is_beginning = seqs.first().is_none_or(|first| line.seq < *first);
                assert!(is_beginning, "of the log only the beginning goes: {line:?}");
                assert!(old.is_some_and(|old| *line.at < *old), "{line:?} is not old");
                self.before.apply(&line.entry());
            }
        }
        self.before.documents.retain(|id, _| known.contains(id));
        for members in self.before.members.values_mut() {
            members.retain(|id| known.contains(id));
        }
        self.lines = now;
    }

    fn assert_no_member_is_forgotten(&self, known: &BTreeSet<String>) {
        for (query, members) in self.replayed().members {
            let forgotten: Vec<&String> = members.difference(known).collect();
            assert!(forgotten.is_empty(), "{forgotten:?} were members of {query}");
        }
    }

    /// What the log says.
    pub fn replayed(&self) -> Replayed {
        let mut replayed = self.before.clone();
        self.lines.iter().for_each(|line| replayed.apply(&line.entry()));
        replayed.without_empty()
    }
}

/// The same as the log tells it: without what is quiet.
pub fn as_logged(mut stored: Replayed) -> Replayed {
    stored.documents.values_mut().for_each(|document| drop(document.remove(QUIET)));
    stored.without_empty()
}
