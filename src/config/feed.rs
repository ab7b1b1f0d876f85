//! `[[feeds]]`.

mod format;
mod handing;
mod limits;

use std::path::PathBuf;

use figment::value::{Dict, Value};

use super::column::columns;
use super::environment::Environment;
use super::layers::Layers;
use super::parse::{choice, positive_duration};
use super::problem::{Origin, Problem};
use super::query::fitting_name;
use super::report::{Report, Reported};
use super::settings::{Content, Feed, Query, Warehouse};
use super::suggest::{did_you_mean, nearest};
use super::table::{Table, tables};
use super::value::{Given, path};
use super::warehouse::{OF_WAREHOUSE, is_warehouse, refuse, warehouse};
use format::format;

/// What all feeds are read with.
pub(super) struct All<'a> {
    /// The queries of the file, those that are wrong by themselves among them.
    pub names: Vec<&'a str>,
    /// Those that are right.
    pub right: &'a [Query],
    environment: &'a Environment,
}

/// All feeds that are right; what is wrong with the others is in the report.
pub(super) fn feeds(
    layers: &Layers,
    environment: &Environment,
    report: &mut Report,
    right: &[Query],
) -> Result<(Vec<Feed>, Vec<Warehouse>), Reported> {
    let names = layers.top("queries").and_then(Value::as_array).unwrap_or_default().iter();
    let names = names.filter_map(|keys| keys.as_dict()?.get("name")?.as_str()).collect();
    let all = All { names, right, environment };
    let tables = tables(layers, report, "feeds")?;
    let (mut feeds, mut warehouses) = (Vec::new(), Vec::new());
    let mut taken: Vec<(String, Origin)> = Vec::new();
    for (index, keys) in tables.iter().enumerate() {
        let path = format!("feeds[{index}]");
        let (name, place) = if is_warehouse(keys) {
            let Ok((found, place)) = warehouse(layers, report, &path, keys, &all) else { continue };
            if let Some(other) = warehouses.iter().find(|other| found.is_beside(other)) {
                note_one_table(report, &found, other, place);
                continue;
            }
            let name = found.name.clone();
            warehouses.push(found);
            (name, place)
        } else {
            let Ok((found, place)) = feed(layers, report, &path, keys, &all) else { continue };
            let name = found.name.clone();
            feeds.push(found);
            (name, place)
        };
        if let Some((_, earlier)) = taken.iter().find(|(earlier, _)| *earlier == name) {
            let message =
                format!("the name {name:?} is taken by the feed at {earlier}; give one of them another");
            let key = Some(format!("feeds.{name}.name"));
            report.problem(Problem { key, message, origin: Some(place) });
            continue;
        }
        taken.push((name, place));
    }
    Ok((feeds, warehouses))
}

/// A feed takes out of its table what is none of its own.
fn note_one_table(report: &mut Report, feed: &Warehouse, other: &Warehouse, place: Origin) {
    let message = format!(
        "writes the same table as the feed {:?}; give all queries to one of them, or another table to this one",
        other.name
    );
    report.problem(Problem { key: Some(format!("feeds.{}", feed.name)), message, origin: Some(place) });
}

fn feed(
    layers: &Layers,
    report: &mut Report,
    path: &str,
    keys: &Dict,
    all: &All<'_>,
) -> Result<(Feed, Origin), Reported> {
    let mut table = table(layers, report, path, keys);
    let (name, queries) = (name(&mut table), queries(&mut table, all));
    let format = format(&mut table);
    let directory = table.required("directory", directory);
    let content = table.required("content", content);
    let keep_files = table.required("keep_files", positive_duration);
    let columns = columns(&mut table, queries.as_deref().unwrap_or_default(), all.right);
    let limits = limits::limits(&mut table);
    let removals = limits::removals(&mut table);
    let is_fit = match content {
        Ok(content) => limits::refuse_with_snapshot(&mut table, content),
        Err(reported) => Err(reported),
    };
    let after = handing::after(&mut table, all.environment);
    let webhook = handing::webhook(&mut table, all.environment);
    let idle =
        refuse(&mut table, &OF_WAREHOUSE, "belongs to format = \"postgres\", and this feed writes files");
    let place = table.origin_of("name");
    table.finish();
    is_fit?;
    idle?;
    let feed = Feed {
        name: name?,
        queries: queries?,
        format: format?,
        directory: directory?,
        content: content?,
        keep_files: keep_files?,
        limits: limits?,
        removals: removals?,
        after: after?,
        webhook: webhook?,
        columns: columns?,
    };
    Ok((feed, place))
}

/// The table of one feed, called by its name where that is right.
pub(super) fn table<'a>(layers: &'a Layers, report: &'a mut Report, path: &str, keys: &'a Dict) -> Table<'a> {
    let mut table = Table::feed(layers, report, path, keys);
    if let Some(Ok(name)) = keys.get("name").and_then(Value::as_str).map(feed_name) {
        table.rename(format!("feeds.{name}"));
    }
    table
}

pub(super) fn name(table: &mut Table<'_>) -> Result<String, Reported> {
    table.required("name", |given| feed_name(given.text()?))
}

pub(super) fn queries(table: &mut Table<'_>, all: &All<'_>) -> Result<Vec<String>, Reported> {
    table.required("queries", |given| known_queries(given, all))
}

fn feed_name(name: &str) -> Result<String, String> {
    fitting_name(name, "feed", "crm")
}

/// Each query once, in the order of the list.
fn known_queries(given: &Given<'_>, all: &All<'_>) -> Result<Vec<String>, String> {
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
