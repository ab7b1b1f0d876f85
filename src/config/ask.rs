//! What a query asks Vainu for: VQL, from the table or a file, the id of a list, or a payload with either.

use std::path::Path;

use serde_json::value::RawValue;

use super::find::{read_text, without_mark};
use super::payload::{Payload, payload};
use super::problem::{Origin, Problem};
use super::report::Reported;
use super::settings::Ask;
use super::table::Table;
use super::value::{Given, path};

const WAYS: [&str; 4] = ["query", "query_file", "list", "payload_file"];

/// What VQL looks like in TOML.
const EXAMPLE: &str = r#"as '{"?EQ": {"name": "Acme"}}'"#;

/// What is asked, and the payload that says so, if one does.
pub(super) struct Asked {
    pub ask: Ask,
    /// Where that begins.
    pub place: Origin,
    pub payload: Option<Payload>,
}

pub(super) fn ask(table: &mut Table<'_>) -> Result<Asked, Reported> {
    let given: Vec<&'static str> = WAYS.into_iter().filter(|way| table.has(way)).collect();
    let query = table.optional_here("query", |given| {
        vql(given.text().map_err(|reason| format!("{reason}, {EXAMPLE}"))?)
    });
    let file = table.optional_here("query_file", path);
    let list = table.optional_here("list", list_id);
    let payload_file = table.optional_here("payload_file", path);
    match given[..] {
        [] => {
            let ways = "write query = '…' with VQL, query_file, list or payload_file";
            table.missing(&format!("says nothing to ask; {ways}"));
        }
        [_] => {
            let (ask, place) = match (query?, file?, list?, payload_file?) {
                (Some(text), ..) => (Ask::Query(text), table.origin_of_text("query")),
                (_, Some(path), ..) => {
                    (Ask::Query(read_vql(&path, table)?), Origin::File { path, line: Some(1) })
                }
                (_, _, Some(id), _) => (Ask::List(id), table.origin_of("list")),
                (.., Some(path)) => {
                    let payload = payload(&path, table)?;
                    let (ask, place) = payload.ask.clone();
                    return Ok(Asked { ask, place, payload: Some(payload) });
                }
                _ => return Err(Reported),
            };
            return Ok(Asked { ask, place, payload: None });
        }
        [first, second, ..] => {
            let other = table.origin_of(second);
            table.contradiction(first, format!("this and {second} ({other}) both say what to ask; keep one"));
        }
    }
    Err(Reported)
}

/// The text unread, if it is one JSON object without gaps to fill.
fn vql(text: &str) -> Result<String, String> {
    let text = vql_of(text)?;
    match placeholder(text) {
        Some(reason) => Err(reason),
        None => Ok(text.to_owned()),
    }
}

/// `text` if it is one JSON object.
pub(super) fn vql_of(text: &str) -> Result<&str, String> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(json) if json.get().starts_with('{') => Ok(text),
        Ok(_) => Err(format!("is JSON but no object; VQL is one object, {EXAMPLE}")),
        Err(error) => Err(format!("is not JSON: {error} of this text; VQL is one JSON object, {EXAMPLE}")),
    }
}

/// What is to be said of a gap that an example leaves for its reader to fill: `<LIST_ID>`, `CHANGEME`. Sent as
/// it stands it would select something else, or nothing.
pub(super) fn placeholder(json: &str) -> Option<String> {
    let is_gap = |text: &str| {
        let name = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or_default();
        let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        text.contains("CHANGEME") || (!name.is_empty() && name.bytes().all(is_name))
    };
    let gap = json.split('"').find(|text| is_gap(text))?;
    let window = if json.contains("modifications.") {
        ", or leave the window over modifications out and set full_every, which reads what changed"
    } else {
        ""
    };
    Some(format!("holds the placeholder {gap:?}; put a value in its place{window}"))
}

fn read_vql(path: &Path, table: &mut Table<'_>) -> Result<String, Reported> {
    let text = read_text(path).map_err(|reason| {
        table.contradiction("query_file", format!("{}: {reason}", path.display()));
        Reported
    })?;
    let text = without_mark(&text);
    vql(text).map_err(|reason| {
        let line = serde_json::from_str::<&RawValue>(text).err().map(|error| error.line());
        let origin = Some(Origin::File { path: path.to_owned(), line });
        table.report().problem(Problem { key: None, message: format!("the text {reason}"), origin });
        Reported
    })
}

fn list_id(given: &Given<'_>) -> Result<String, String> {
    match given.text()? {
        id if !is_list_id(id) => {
            Err("is no id of a list saved in Vainu; write one as \"0123456789abcdef01234567\"".into())
        }
        id => placeholder(id).map_or_else(|| Ok(id.to_owned()), Err),
    }
}

pub(super) fn is_list_id(id: &str) -> bool {
    !id.is_empty() && !id.contains(char::is_whitespace)
}
