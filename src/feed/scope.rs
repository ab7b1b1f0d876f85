//! What a pass has to look at: what changed, all there is, or all as if nothing had been written. Pure.

use serde_json::json;

use super::folder::Seen;
use crate::config::settings::{Feed, Format};
use crate::store::{FeedState, Remembered};

/// What a pass looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The organizations that the log names after this entry.
    Changed(i64),
    /// Every member, and everybody that the feed has a row for.
    All,
    /// The same; and every member is written, whatever was written before.
    Anew,
}

/// A query of a feed, and its place in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfFeed {
    pub name: String,
    /// `None`: it never ran.
    pub id: Option<i64>,
    /// A full run of it has succeeded: who is not among its members is proved to be none.
    pub is_proved: bool,
}

/// The queries of these names, as the store remembers them.
pub fn queries(names: &[String], remembered: &[Remembered]) -> Vec<OfFeed> {
    let of_feed = |name: &String| {
        let known = remembered.iter().find(|known| known.name == *name);
        let is_proved = known.is_some_and(|known| known.definition.is_some());
        OfFeed { name: name.clone(), id: known.map(|known| known.id), is_proved }
    };
    names.iter().map(of_feed).collect()
}

/// What rows are compared by, as text: another one makes the next pass look at everything.
pub fn definition(feed: &Feed, queries: &[OfFeed]) -> String {
    let columns: Vec<_> =
        feed.columns.iter().map(|column| json!([column.header, column.path.to_string()])).collect();
    let format = match &feed.format {
        Format::Csv(csv) => json!({
            "delimiter": csv.delimiter, "crlf": csv.crlf, "bom": csv.bom, "null": csv.null, "join": csv.join,
            "spreadsheet_safe": csv.spreadsheet_safe,
        }),
        Format::Jsonl => json!("jsonl"),
    };
    let queries: Vec<_> = queries.iter().map(|query| json!([query.name, query.id])).collect();
    let content = feed.content.as_str();
    json!({ "queries": queries, "columns": columns, "format": format, "content": content }).to_string()
}

/// Why everything is written as if nothing had been.
#[derive(Debug, Clone, Copy)]
pub struct Anew {
    /// A person asked for it.
    pub asked: bool,
    /// The last file is lost.
    pub lost: bool,
}

/// Whether the folder lacks the last files that were written, and the manifest that told of them: it came back from a
/// backup, or files went into another one of that name, while this one was not mounted.
pub fn is_behind(state: &FeedState, seen: &Seen) -> bool {
    !state.unplaced && seen.highest() < state.sequence
}

/// What to look at. `log` is the first entry that is left of the change log, and the last that was ever written.
pub fn scope(
    state: &FeedState,
    seen: &Seen,
    anew: Anew,
    definition: &str,
    directory: &str,
    log: (Option<i64>, i64),
) -> Scope {
    let is_elsewhere = state.directory.as_deref().is_some_and(|known| known != directory);
    if anew.asked || anew.lost || is_elsewhere || seen.highest() > state.sequence || is_behind(state, seen) {
        return Scope::Anew;
    }
    let (first, last) = log;
    // What was let go of the log may have been of it.
    let is_whole = match first {
        Some(first) => first <= state.cursor.saturating_add(1),
        None => state.cursor == last,
    };
    if state.definition.as_deref() == Some(definition) && is_whole && state.cursor <= last {
        Scope::Changed(state.cursor)
    } else {
        Scope::All
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> FeedState {
        FeedState {
            definition: Some("same".into()),
            cursor: 10,
            directory: Some("here".into()),
            sequence: 3,
            ..FeedState::default()
        }
    }

    const NOTHING: Anew = Anew { asked: false, lost: false };

    fn seen() -> Seen {
        Seen { manifest: Some(3), ..Seen::default() }
    }

    fn scope_of(state: &FeedState, log: (Option<i64>, i64)) -> Scope {
        scope(state, &seen(), NOTHING, "same", "here", log)
    }

    #[test]
    fn what_changed_is_enough_where_the_log_reaches_back_to_it() {
        for log in [(Some(1), 20), (Some(11), 20), (Some(1), 10), (None, 10)] {
            assert_eq!(scope_of(&state(), log), Scope::Changed(10), "{log:?}");
        }
        for log in [(Some(12), 20), (None, 11), (None, 0), (Some(1), 9)] {
            assert_eq!(scope_of(&state(), log), Scope::All, "{log:?}");
        }
        assert_eq!(scope_of(&FeedState { definition: None, ..state() }, (Some(1), 20)), Scope::All);
        let edited = scope(&state(), &seen(), NOTHING, "edited", "here", (Some(1), 20));
        assert_eq!(edited, Scope::All);
    }

    #[test]
    fn everything_is_written_where_a_reader_may_lack_it() {
        let log = (Some(1), 20);
        let of =
            |seen: &Seen, anew: Anew, directory: &str| scope(&state(), seen, anew, "same", directory, log);
        assert_eq!(of(&seen(), Anew { asked: true, lost: false }, "here"), Scope::Anew);
        assert_eq!(of(&seen(), Anew { asked: false, lost: true }, "here"), Scope::Anew);
        assert_eq!(of(&seen(), NOTHING, "there"), Scope::Anew);
        for (file, manifest, expected) in
            [(3, None, Scope::Changed(10)), (4, None, Scope::Anew), (2, Some(4), Scope::Anew)]
        {
            let files = [(file, String::new())].into();
            let seen = Seen { files, manifest, ..Seen::default() };
            assert_eq!(of(&seen, NOTHING, "here"), expected, "{file} {manifest:?}");
        }
        let behind = Seen { manifest: Some(2), ..Seen::default() };
        assert_eq!(of(&behind, NOTHING, "here"), Scope::Anew, "the last file is not there, nor told of");
        let unplaced = FeedState { unplaced: true, ..state() };
        assert_eq!(scope(&unplaced, &behind, NOTHING, "same", "here", log), Scope::Changed(10));
    }
}
