//! `[feeds.columns]`: headers and the paths below them.

use std::collections::BTreeMap;

use super::field::top_key;
use super::problem::{Origin, Problem};
use super::report::Reported;
use super::settings::{Column, Query};
use super::suggest::nearest;
use super::table::{Below, Table};
use super::warehouse::LONGEST_NAME;
use crate::organization::JsonPath;

/// The columns that every file of a feed has.
const FIXED: [&str; 3] = ["change", "business_id", "changed_at"];

/// The columns that every table of a feed has, may come to have, or has without showing them.
const FIXED_IN_TABLE: [&str; 13] = [
    "business_id",
    "changed_at",
    "gone_at",
    "document",
    "document_text",
    "_store",
    "_hash",
    "tableoid",
    "xmin",
    "cmin",
    "xmax",
    "cmax",
    "ctid",
];

const SHAPE: &str = r#"write [feeds.columns] below the feed, and there "Header" = "path" for each column"#;

/// The columns, in the order of the file.
pub(super) fn columns(
    table: &mut Table<'_>,
    queries: &[String],
    all: &[Query],
) -> Result<Vec<Column>, Reported> {
    let Some(entries) = table.table_below("columns", SHAPE)? else {
        table.missing(&format!("columns are missing; {SHAPE}"));
        return Err(Reported);
    };
    if entries.is_empty() {
        table.contradiction("columns", format!("names no column; {SHAPE}"));
        return Err(Reported);
    }
    read(table, &entries, &FIXED, queries, all)
}

/// The columns of a table, in the order of the file; none: whole documents.
pub(super) fn warehouse_columns(
    table: &mut Table<'_>,
    queries: &[String],
    all: &[Query],
) -> Result<Vec<Column>, Reported> {
    let Some(entries) = table.table_below("columns", SHAPE)? else { return Ok(Vec::new()) };
    if entries.is_empty() {
        let message = format!("names no column; {SHAPE}, or leave it out for whole documents");
        table.contradiction("columns", message);
        return Err(Reported);
    }
    let columns = read(table, &entries, &FIXED_IN_TABLE, queries, all);
    for entry in entries.iter().filter(|entry| entry.key.len() > LONGEST_NAME) {
        let message = format!(
            "is longer than the {LONGEST_NAME} bytes of a column's name in PostgreSQL; write a shorter one"
        );
        tell(table, entry, message);
    }
    columns
}

fn read<'a>(
    table: &mut Table<'a>,
    entries: &[Below<'a>],
    fixed: &[&'static str],
    queries: &[String],
    all: &[Query],
) -> Result<Vec<Column>, Reported> {
    let mut columns = Vec::new();
    let mut headers: BTreeMap<String, (&str, Option<Origin>)> =
        fixed.iter().map(|fixed| ((*fixed).to_owned(), (*fixed, None))).collect();
    for entry in entries {
        let header = header(entry, &mut headers).map_err(|message| tell(table, entry, message));
        let path = table
            .value_below(entry, |given| given.text()?.parse::<JsonPath>().map_err(|error| error.to_string()));
        let (Ok(header), Ok(path)) = (header, path) else { continue };
        match out_of_reach(&path, queries, all) {
            Some(reason) => {
                tell(table, entry, format!("{:?} {reason}", path.to_string()));
            }
            None => columns.push(Column { header, path }),
        }
    }
    if columns.len() == entries.len() { Ok(columns) } else { Err(Reported) }
}

fn tell(table: &mut Table<'_>, entry: &Below<'_>, message: String) {
    let (key, origin) = (Some(entry.shown.clone()), Some(entry.origin.clone()));
    table.report().problem(Problem { key, message, origin });
}

/// The header, if no other meets it: importers compare them without case.
fn header<'a>(
    entry: &Below<'a>,
    headers: &mut BTreeMap<String, (&'a str, Option<Origin>)>,
) -> Result<String, String> {
    if entry.key.trim().is_empty() {
        return Err("is no header; give the column a name".into());
    }
    if entry.key.contains('\0') {
        return Err("holds a NUL character, which no file may have".into());
    }
    match headers.get(&entry.key.to_lowercase()) {
        Some((fixed, None)) => Err(format!(
            "would meet the column {fixed:?} that every feed has; case does not count; give it another name"
        )),
        Some((other, Some(place))) => Err(format!(
            "would meet {other:?} ({place}), where case does not count; give one of them another name"
        )),
        None => {
            headers.insert(entry.key.to_lowercase(), (entry.key, Some(entry.origin.clone())));
            Ok(entry.key.to_owned())
        }
    }
}

/// Why the column would be empty, or stale without a word, for members of some of these queries.
fn out_of_reach(path: &JsonPath, queries: &[String], all: &[Query]) -> Option<String> {
    let of_feed: Vec<&Query> = all.iter().filter(|query| queries.contains(&query.name)).collect();
    of_feed.iter().find_map(|query| not_asked(path, query)).or_else(|| {
        // A change that any of them stores without an entry in the log is one that no other sees.
        let shares = |query: &&Query| of_feed.iter().any(|ours| ours.database == query.database);
        all.iter().filter(shares).find_map(|query| quieted(path, query))
    })
}

fn not_asked(path: &JsonPath, query: &Query) -> Option<String> {
    let column = path.field();
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if query.fields.iter().any(|field| within(&column, field) || within(field, &column)) {
        return None;
    }
    let meant = nearest(&column, query.fields.iter().map(String::as_str));
    let advice = meant.map_or_else(
        || "ask for it there, or leave the column out".to_owned(),
        |field| format!("did you mean {field}?"),
    );
    Some(format!("is not in the fields of query {:?} ({}); {advice}", query.name, query.fields_at))
}

fn quieted(path: &JsonPath, query: &Query) -> Option<String> {
    let is_quiet = query.quiet.iter().any(|key| top_key(key) == path.top());
    let is_asked = query.fields.iter().any(|field| top_key(field) == path.top());
    (is_quiet && is_asked).then(|| {
        format!(
            "is under {:?}, whose changes query {:?} keeps quiet, so that the feed would not see them; take it out of \
             that query's quiet keys, or leave the column out",
            path.top(),
            query.name
        )
    })
}
