//! `[[feeds]]`.

use std::path::PathBuf;
use std::time::Duration;

use figment::value::{Dict, Value};

use super::column::columns;
use super::layers::Layers;
use super::parse::{choice, positive_duration};
use super::problem::{Origin, Problem};
use super::query::fitting_name;
use super::report::{Report, Reported};
use super::settings::{Column, Content, Csv, Feed, Format, Query};
use super::suggest::{did_you_mean, nearest};
use super::table::{Table, tables};
use super::value::{Given, boolean, path};

/// The keys that say how CSV is written.
const OF_CSV: [&str; 6] = ["delimiter", "line_ending", "bom", "null", "join", "spreadsheet_safe"];

/// The queries that a feed can be of.
struct Queries<'a> {
    /// Of the file, those that are wrong by themselves among them.
    names: Vec<&'a str>,
    /// Those that are right.
    right: &'a [Query],
}

/// All feeds that are right; what is wrong with the others is in the report.
pub(super) fn feeds(layers: &Layers, report: &mut Report, right: &[Query]) -> Result<Vec<Feed>, Reported> {
    let names = layers.top("queries").and_then(Value::as_array).unwrap_or_default().iter();
    let names = names.filter_map(|keys| keys.as_dict()?.get("name")?.as_str()).collect();
    let queries = Queries { names, right };
    let tables = tables(layers, report, "feeds")?;
    let mut feeds: Vec<(Feed, Origin)> = Vec::new();
    for (index, keys) in tables.iter().enumerate() {
        let Ok((feed, place)) = feed(layers, report, &format!("feeds[{index}]"), keys, &queries) else {
            continue;
        };
        if let Some((_, earlier)) = feeds.iter().find(|(earlier, _)| earlier.name == feed.name) {
            let message = format!(
                "the name {:?} is taken by the feed at {earlier}; give one of them another",
                feed.name
            );
            let key = Some(format!("feeds.{}.name", feed.name));
            report.problem(Problem { key, message, origin: Some(place) });
            continue;
        }
        feeds.push((feed, place));
    }
    Ok(feeds.into_iter().map(|(feed, _)| feed).collect())
}

fn feed(
    layers: &Layers,
    report: &mut Report,
    path: &str,
    keys: &Dict,
    all: &Queries<'_>,
) -> Result<(Feed, Origin), Reported> {
    let mut table = Table::feed(layers, report, path, keys);
    if let Some(Ok(name)) = keys.get("name").and_then(Value::as_str).map(feed_name) {
        table.rename(format!("feeds.{name}"));
    }
    let name = table.required("name", |given| feed_name(given.text()?));
    let queries = table.required("queries", |given| queries(given, all));
    let format = format(&mut table);
    let directory = table.required("directory", directory);
    let content = table.required("content", content);
    let keep_files = table.required("keep_files", positive_duration);
    let columns = columns(&mut table, queries.as_deref().unwrap_or_default(), all.right);
    let after = refuse_after(&mut table);
    let place = table.origin_of("name");
    table.finish();
    after?;
    Ok((assemble(name?, queries?, format?, directory?, content?, keep_files?, columns?), place))
}

fn assemble(
    name: String,
    queries: Vec<String>,
    format: Format,
    directory: PathBuf,
    content: Content,
    keep_files: Duration,
    columns: Vec<Column>,
) -> Feed {
    Feed { name, queries, format, directory, content, keep_files, columns }
}

fn feed_name(name: &str) -> Result<String, String> {
    fitting_name(name, "feed", "crm")
}

fn refuse_after(table: &mut Table<'_>) -> Result<(), Reported> {
    table.know("after");
    if !table.has("after") {
        return Ok(());
    }
    table.contradiction("after", "is not available in this version; remove it".into());
    Err(Reported)
}

/// Each query once, in the order of the list.
fn queries(given: &Given<'_>, all: &Queries<'_>) -> Result<Vec<String>, String> {
    let names = given
        .texts()
        .map_err(|reason| reason.replace(r#"["name", "website"]"#, r#"["finnish-software"]"#))?;
    if names.is_empty() {
        return Err("names no query; a feed tells of the members of one at least".into());
    }
    let mut queries = Vec::new();
    for name in names {
        if !all.names.contains(&name.as_str()) {
            let meant = did_you_mean(nearest(&name, all.names.iter().copied()));
            let known = match all.names.as_slice() {
                [] => "it has none".to_owned(),
                names => format!("it has {}", names.join(", ")),
            };
            return Err(format!("holds {name:?}, but the file has no query of that name; {known}{meant}"));
        }
        if !queries.contains(&name) {
            queries.push(name);
        }
    }
    Ok(queries)
}

fn directory(given: &Given<'_>) -> Result<PathBuf, String> {
    match given.text()? {
        "" => Err("is empty; name a folder".into()),
        _ => path(given),
    }
}

fn content(given: &Given<'_>) -> Result<Content, String> {
    choice(given, &[Content::Delta, Content::Snapshot].map(|content| (content.as_str(), content)))
}

fn format(table: &mut Table<'_>) -> Result<Format, Reported> {
    let is_csv = table.required("format", |given| choice(given, &[("csv", true), ("jsonl", false)]));
    match is_csv {
        Ok(true) => csv(table).map(Format::Csv),
        Ok(false) => jsonl(table),
        Err(reported) => {
            for key in OF_CSV {
                table.know(key);
            }
            Err(reported)
        }
    }
}

fn csv(table: &mut Table<'_>) -> Result<Csv, Reported> {
    let delimiter = table.required("delimiter", delimiter);
    let crlf = table.required("line_ending", |given| choice(given, &[("crlf", true), ("lf", false)]));
    let bom = table.required("bom", boolean);
    let null = table.required("null", text_without_nul);
    let join = table.required("join", text_without_nul);
    let spreadsheet_safe = table.required("spreadsheet_safe", boolean);
    Ok(Csv {
        delimiter: delimiter?,
        crlf: crlf?,
        bom: bom?,
        null: null?,
        join: join?,
        spreadsheet_safe: spreadsheet_safe?,
    })
}

/// Who writes an option of CSV there expects something of it.
fn jsonl(table: &mut Table<'_>) -> Result<Format, Reported> {
    let mut idle = Vec::new();
    for key in OF_CSV {
        table.know(key);
        if table.has(key) {
            idle.push(key);
        }
    }
    for key in &idle {
        let message = "is an option of CSV, and this feed has format = \"jsonl\"; leave one of the two out";
        table.contradiction(key, message.into());
    }
    if idle.is_empty() { Ok(Format::Jsonl) } else { Err(Reported) }
}

fn delimiter(given: &Given<'_>) -> Result<char, String> {
    let text = given.text()?;
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some('"' | '\r' | '\n' | '\0'), None) => {
            Err("has another meaning in CSV; write another character, as \",\" or \";\"".into())
        }
        (Some(letter), None) => Ok(letter),
        (None, _) => Err("is empty; write one character, as \",\" or \";\"".into()),
        _ if text == "\\t" || text.eq_ignore_ascii_case("tab") => {
            Err(r#"is more than one character; a tab is "\t", in double quotes"#.into())
        }
        _ => Err("is more than one character; write one, as \",\" or \";\"".into()),
    }
}

fn text_without_nul(given: &Given<'_>) -> Result<String, String> {
    match given.text()? {
        text if text.contains('\0') => Err("holds a NUL character, which no CSV file may have".into()),
        text => Ok(text.to_owned()),
    }
}
