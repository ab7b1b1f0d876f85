//! `changes`: the change log, ascending.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Exit, Failure, Output, Surroundings, configured};
use crate::config::{Flags, Settings};
use crate::observe::logging::Bars;
use crate::organization::json::members;
use crate::store::{Change, Filter, Store};

/// Entries read at once.
const PAGE: u32 = 1000;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only entries after this one
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    since: i64,
    /// Only what this query saw
    #[arg(long, value_name = "NAME")]
    query: Option<String>,
    /// Only this organization
    #[arg(long, value_name = "ID")]
    business_id: Option<String>,
    /// Print one JSON object per entry
    #[arg(long)]
    json: bool,
    /// At most so many entries
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

/// Prints the entries.
///
/// # Errors
/// If the store can't be read or stdout not be written.
pub async fn execute(args: &Args, flags: &Flags, around: &mut Surroundings<'_>) -> Result<Exit, Failure> {
    let settings = configured(flags, &around.environment, Bars::Hidden)?.settings;
    let mut store = Store::open_to_read(&settings.store.path).await?;
    known(args.query.as_deref(), &settings, &mut store).await?;
    let filter =
        Filter { since: args.since, query: args.query.clone(), business_id: args.business_id.clone() };
    let line = if args.json { as_json } else { as_text };
    print(&mut store, filter, args.limit.unwrap_or(u64::MAX), line, around.output).await?;
    Ok(Exit::Done)
}

/// Prints up to `limit` entries that `filter` picks, each as `line` has it.
///
/// # Errors
/// If the store can't be read or `output` not be written.
pub async fn print(
    store: &mut Store,
    mut filter: Filter,
    limit: u64,
    line: fn(&Change) -> String,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut wanted = limit;
    while wanted > 0 {
        let changes = store.changes(&filter, PAGE.min(u32::try_from(wanted).unwrap_or(PAGE))).await?;
        let Some(last) = changes.last() else { break };
        filter.since = last.seq;
        wanted -= changes.len() as u64;
        for change in &changes {
            writeln!(output, "{}", line(change))?;
        }
    }
    output.flush()?;
    Ok(())
}

/// A misspelt name must not read as "no changes".
async fn known(query: Option<&str>, settings: &Settings, store: &mut Store) -> Result<(), Failure> {
    let Some(query) = query else { return Ok(()) };
    let configured = settings.queries.iter().map(|query| query.name.clone());
    let mut names: Vec<String> =
        store.queries().await?.into_iter().map(|query| query.name).chain(configured).collect();
    names.sort();
    names.dedup();
    if names.iter().any(|name| name == query) {
        return Ok(());
    }
    let names = names.join(", ");
    Err(Failure::Usage(format!(
        "neither the configuration nor the store has a query \"{query}\"; there are: {names}"
    )))
}

/// One line for people.
pub fn as_text(change: &Change) -> String {
    let Change { seq, at, query, business_id, kind, .. } = change;
    format!("{seq}\t{at}\t{query}\t{business_id}\t{kind}\t{}", details(change))
}

/// Which keys changed: values may be long, and are in the JSON.
fn details(change: &Change) -> String {
    if change.kind != "updated" {
        return String::new();
    }
    let both = [change.before.as_deref(), change.after.as_deref()];
    let keys = both.into_iter().flatten().filter_map(members).flatten();
    let keys: BTreeSet<String> = keys.map(|(key, _)| key.into_owned()).collect();
    keys.into_iter().collect::<Vec<_>>().join(",")
}

/// A change for programs. `before` and `after` go through as text: no digit of theirs may change.
#[derive(Serialize)]
struct Entry<'a> {
    seq: i64,
    at: &'a str,
    run_id: Option<i64>,
    query: &'a str,
    business_id: &'a str,
    kind: &'a str,
    before: Option<&'a RawValue>,
    after: Option<&'a RawValue>,
}

/// One JSON object.
pub fn as_json(change: &Change) -> String {
    let entry = Entry {
        seq: change.seq,
        at: &change.at,
        run_id: change.run_id,
        query: &change.query,
        business_id: &change.business_id,
        kind: &change.kind,
        before: change.before.as_deref().and_then(raw),
        after: change.after.as_deref().and_then(raw),
    };
    serde_json::to_string(&entry).expect("text, numbers and JSON are always JSON")
}

fn raw(json: &str) -> Option<&RawValue> {
    serde_json::from_str(json).ok()
}
