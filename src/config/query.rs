//! `[[queries]]` and the `[defaults]` below them.

use std::time::Duration;

use figment::value::{Dict, Value};
use jiff::tz::TimeZone;
use secrecy::SecretString;

use super::ask::{Asked, ask};
use super::conflict::{Placed, refuse_conflicts};
use super::field::{fields, quiet_keys, top_key};
use super::incremental::gaps;
use super::layers::Layers;
use super::parse::{self, duration, positive_duration};
use super::payload::Payload;
use super::ping::{note_open_ping, note_shared_pings};
use super::problem::{Origin, Problem};
use super::report::{Report, Reported};
use super::settings::{Aggregation, Ask, Fetch, Query};
use super::suggest::{did_you_mean, nearest};
use super::table::{Table, tables};
use super::value::{Given, boolean};
use super::zone::zone;
use crate::organization::Database;
use crate::schedule::Schedule;

/// The keys that `[defaults]` may have too.
struct Shared {
    database: Database,
    fields: Vec<String>,
    quiet: Vec<String>,
    schedule: Schedule,
    timezone: (String, TimeZone),
    full_every: Option<Duration>,
    fetch: Fetch,
    jitter: Duration,
    catch_up: bool,
    retry_run_after: Duration,
    max_departures: f64,
    max_arrivals: f64,
    ping_url: Option<SecretString>,
}

/// All queries that are right by themselves; what is wrong with the others is in the report.
pub(super) fn queries(layers: &Layers, report: &mut Report) -> Result<Vec<Query>, Reported> {
    check_defaults(layers, report);
    let tables = tables(layers, report, "queries")?;
    if tables.is_empty() {
        report.notes.push("no [[queries]] table: there is nothing to sync".into());
    }
    let mut placed = Vec::new();
    for (index, keys) in tables.iter().enumerate() {
        placed.extend(query(layers, report, &format!("queries[{index}]"), keys));
    }
    refuse_conflicts(&placed, report);
    note_shared_pings(&placed, report);
    Ok(placed.into_iter().map(|placed| placed.query).collect())
}

/// So that a mistake there is found even if every query overrides it.
fn check_defaults(layers: &Layers, report: &mut Report) {
    let mut table = Table::single(layers, report, "defaults").partial();
    let _ = shared(&mut table, None);
    table.finish();
}

fn query(layers: &Layers, report: &mut Report, path: &str, keys: &Dict) -> Result<Placed, Reported> {
    let mut table = Table::query(layers, report, path, keys);
    let name = name_of(keys, &mut table);
    let asked = ask(&mut table);
    if asked.is_err() && table.has("payload_file") {
        // What the table lacks may stand in the payload that could not be read.
        table = table.partial();
    }
    let payload = asked.as_ref().ok().and_then(|asked| asked.payload.as_ref());
    let shared = shared(&mut table, payload);
    if let (Ok(Asked { ask: Ask::List(_), .. }), Ok(Shared { full_every: Some(_), .. })) = (&asked, &shared) {
        let message = "a list can't be read incrementally; leave full_every out, so that every run is full";
        table.contradiction("full_every", message.into());
    }
    if let (Ok(Asked { ask: Ask::Query(vql), .. }), Ok(Shared { full_every: Some(_), .. })) =
        (&asked, &shared)
    {
        let place = table.origin_of("full_every");
        table.report().notes.extend(gaps(vql).into_iter().map(|gap| format!("{place}: full_every: {gap}")));
    }
    if let Ok(Shared { ping_url: Some(url), .. }) = &shared {
        note_open_ping(url, &mut table);
    }
    let fields_place = payload.and_then(|payload| Some(payload.fields.as_ref()?.1.clone()));
    let fields_place = fields_place.unwrap_or_else(|| table.origin_of("fields"));
    let name_place = table.origin_of("name");
    if let Ok(Shared { fields, quiet, .. }) = &shared {
        check_results(fields, payload, &fields_place, &mut table);
        note_idle_quiet(fields, quiet, &mut table);
    }
    table.finish();
    let (name, asked, shared) = (name?, asked?, shared?);
    Ok(Placed { query: assemble(name, asked, fields_place, shared), name_place })
}

/// Each result that is asked for needs its aggregation, and each aggregation somebody who asks for its result.
fn check_results(fields: &[String], payload: Option<&Payload>, place: &Origin, table: &mut Table<'_>) {
    let aggregations = payload.map_or(&[][..], |payload| &payload.aggregations);
    for id in fields.iter().filter_map(|field| field.strip_prefix('?')) {
        if aggregations.iter().all(|aggregation| aggregation.id != id) {
            let message = format!(
                "asks for \"?{id}\", the result of an aggregation, but no aggregation has the id {id:?}; a payload_file can hold one"
            );
            let key = Some(table.path_of("fields"));
            table.report().problem(Problem { key, message, origin: Some(place.clone()) });
        }
    }
    for Aggregation { id, .. } in aggregations {
        if fields.iter().all(|field| top_key(field) != id) {
            let note = format!(
                "{place}: the aggregation {id:?} has no effect: no field is named \"?{id}\" or {id:?}"
            );
            table.report().notes.push(note);
        }
    }
}

/// A key in the query's own `quiet` that it does not ask for is a slip; in `[defaults]` it may mean others.
fn note_idle_quiet(fields: &[String], quiet: &[String], table: &mut Table<'_>) {
    if !table.has("quiet") {
        return;
    }
    let asked = || fields.iter().map(|field| top_key(field));
    for key in quiet.iter().filter(|key| asked().all(|asked| asked != **key)) {
        let (place, path) = (table.origin_of("quiet"), table.path_of("quiet"));
        let advice = did_you_mean(nearest(key, asked()));
        table.report().notes.push(format!(
            "{place}: {path}: {key:?} is the top-level key of no field here, so it quiets nothing{advice}"
        ));
    }
}

fn name_of(keys: &Dict, table: &mut Table<'_>) -> Result<String, Reported> {
    if let Some(Ok(name)) = keys.get("name").and_then(Value::as_str).map(query_name) {
        table.rename(format!("queries.{name}"));
    }
    table.required_here("name", |given| query_name(given.text()?))
}

/// A name that a query may have.
///
/// # Errors
/// What is right, where `name` is not.
pub fn query_name(name: &str) -> Result<String, String> {
    fitting_name(name, "query", "finnish-software")
}

/// The same of any `thing` that is named like a query, with a name that one might have.
pub(super) fn fitting_name(name: &str, thing: &str, example: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if !name.is_empty() && name.chars().all(fits) {
        return Ok(name.to_owned());
    }
    let fitting: String =
        name.to_lowercase().chars().map(|letter| if fits(letter) { letter } else { '-' }).collect();
    let fitting = Some(fitting.trim_matches('-')).filter(|name| !name.is_empty()).unwrap_or(example);
    Err(format!("is no name for a {thing}; use the letters a to z, digits and hyphens, as {fitting:?}"))
}

fn shared(table: &mut Table<'_>, payload: Option<&Payload>) -> Result<Shared, Reported> {
    const FETCHES: [(&str, Fetch); 3] =
        [("auto", Fetch::Auto), ("pages", Fetch::Pages), ("export", Fetch::Export)];
    let database = match payload.and_then(|payload| payload.database.as_ref()) {
        Some((database, origin)) => {
            table.given_by_payload("database", database, &format!("{:?}", database.code()), origin)
        }
        None => table.required("database", parse::database),
    };
    let fields = fields(table, payload);
    let quiet = table.required("quiet", quiet_keys);
    let schedule = table.required("schedule", schedule);
    let timezone = table.required("timezone", zone);
    let full_every = table.optional("full_every", positive_duration);
    let fetch = table.required("fetch", |given| parse::choice(given, &FETCHES));
    let jitter = table.required("jitter", duration);
    let catch_up = table.required("catch_up", boolean);
    let retry_run_after = table.required("retry_run_after", positive_duration);
    let max_departures = table.required("max_departures", parse::share);
    let max_arrivals = table.required("max_arrivals", parse::percentage);
    let ping_url = table.optional("ping_url", parse::ping_url);
    Ok(Shared {
        database: database?,
        fields: fields?,
        quiet: quiet?,
        schedule: schedule?,
        timezone: timezone?,
        full_every: full_every?,
        fetch: fetch?,
        jitter: jitter?,
        catch_up: catch_up?,
        retry_run_after: retry_run_after?,
        max_departures: max_departures?,
        max_arrivals: max_arrivals?,
        ping_url: ping_url?,
    })
}

fn schedule(given: &Given<'_>) -> Result<Schedule, String> {
    given.text()?.parse().map_err(|error| format!("is no schedule: {error}"))
}

fn assemble(name: String, asked: Asked, fields_at: Origin, shared: Shared) -> Query {
    let (timezone_name, timezone) = shared.timezone;
    Query {
        name,
        database: shared.database,
        ask: asked.ask,
        asked_at: asked.place,
        fields: shared.fields,
        fields_at,
        aggregations: asked.payload.map_or(vec![], |payload| payload.aggregations),
        quiet: shared.quiet,
        schedule: shared.schedule,
        timezone_name,
        timezone,
        full_every: shared.full_every,
        fetch: shared.fetch,
        jitter: shared.jitter,
        catch_up: shared.catch_up,
        retry_run_after: shared.retry_run_after,
        max_departures: shared.max_departures,
        max_arrivals: shared.max_arrivals,
        ping_url: shared.ping_url,
    }
}
