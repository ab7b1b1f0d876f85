//! What a query asks Vainu for: VQL, from the table or a file, or the id of a list.

use std::path::Path;

use serde_json::value::RawValue;

use super::find::{unreadable, without_mark};
use super::problem::{Origin, Problem};
use super::report::Reported;
use super::settings::Ask;
use super::table::Table;
use super::value::{Given, path};

const WAYS: [&str; 3] = ["query", "query_file", "list"];

pub(super) fn ask(table: &mut Table<'_>) -> Result<Ask, Reported> {
    if table.has("payload_file") {
        let message = "payload_file is not available in this version; write query, query_file or list".into();
        table.contradiction("payload_file", message);
        return Err(Reported);
    }
    let given: Vec<&'static str> = WAYS.into_iter().filter(|way| table.has(way)).collect();
    let query = table.optional_here("query", |given| vql(given.text()?));
    let file = table.optional_here("query_file", path);
    let list = table.optional_here("list", list_id);
    match given[..] {
        [] => table.missing("says nothing to ask; write query = '…' with VQL, query_file or list"),
        [_] => {
            return match (query?, file?, list?) {
                (Some(text), _, _) => Ok(Ask::Query(text)),
                (_, Some(path), _) => read_vql(&path, table).map(Ask::Query),
                (_, _, list) => list.map(Ask::List).ok_or(Reported),
            };
        }
        [first, second, ..] => {
            let other = table.origin_of(second);
            table.contradiction(first, format!("this and {second} ({other}) both say what to ask; keep one"));
        }
    }
    Err(Reported)
}

/// The text unread, if it is one JSON object.
fn vql(text: &str) -> Result<String, String> {
    let example = r#"as '{"?EQ": {"name": "Acme"}}'"#;
    match serde_json::from_str::<&RawValue>(text) {
        Ok(json) if json.get().starts_with('{') => Ok(text.to_owned()),
        Ok(_) => Err(format!("is JSON but no object; VQL is one object, {example}")),
        Err(error) => Err(format!("is not JSON: {error} of this text; VQL is one JSON object, {example}")),
    }
}

fn read_vql(path: &Path, table: &mut Table<'_>) -> Result<String, Reported> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            table.contradiction("query_file", format!("{} is not UTF-8 text", path.display()));
            return Err(Reported);
        }
        Err(error) => {
            table.contradiction("query_file", format!("{}: {}", path.display(), unreadable(&error)));
            return Err(Reported);
        }
    };
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
        id if id.is_empty() || id.contains(char::is_whitespace) => {
            Err("is no id of a list saved in Vainu; write one as \"0123456789abcdef01234567\"".into())
        }
        id => Ok(id.to_owned()),
    }
}
