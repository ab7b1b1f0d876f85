//! What has to hold after a run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use vainu_sync::sandbox::InFilters;
use vainu_sync::store::Status;

use super::asked::NAMES;
use super::model::Model;
use super::oracle::Oracle;
use super::program::Program;
use super::ran::Ran;
use super::world::{Company, Key, id_of};
use crate::replay::{Replayed, stored};

/// What holds of every run, whatever happened around it.
pub async fn check_run(program: &mut Program, model: &Model, ran: &Ran) {
    check_standing(ran);
    check_mode(model, ran);
    check_numbers(program, ran).await;
    check_quiet(program, model, ran).await;
    check_remembered_counts(program, ran).await;
    let left = usize::try_from(ran.report.numbers.left).unwrap();
    assert!(Oracle { model, ran }.lets_leave(left), "{left} left unheld: {ran:?}");
    if ran.report.status == Status::Succeeded && ran.is_full() {
        program.is_deceived[ran.query] = model.account.can_deceive();
    }
}

/// A query advances if and only if its run succeeds, and then to what the run proved.
fn check_standing(ran: &Ran) {
    let Ran { before, after, line, .. } = ran;
    if ran.report.status != Status::Succeeded {
        assert_eq!(
            (&before.definition, &before.last_full_at),
            (&after.definition, &after.last_full_at),
            "{ran:?}"
        );
        let is_edited = before.definition.as_ref() != Some(&ran.definition);
        assert!(after.watermark == before.watermark || is_edited && after.watermark.is_none(), "{ran:?}");
        return;
    }
    assert_eq!((after.definition.as_ref(), &after.held), (Some(&ran.definition), &None), "{ran:?}");
    if ran.is_full() {
        assert_eq!(after.last_full_at.as_ref(), Some(&line.started_at), "{ran:?}");
        assert!(after.watermark.is_some() && after.export.is_none(), "{ran:?}");
    } else {
        assert_eq!(
            (&after.last_full_at, &after.watermark),
            (&before.last_full_at, &line.window_end),
            "{ran:?}"
        );
    }
}

/// A run is incremental only where everything is proved up to its window.
fn check_mode(model: &Model, ran: &Ran) {
    let may_be_incremental = model.asked[ran.query].is_incremental()
        && !ran.order.full
        && Oracle { model, ran }.is_proved()
        && ran.before.watermark.is_some();
    assert!(ran.is_full() || may_be_incremental, "{ran:?}");
}

/// What the run says of itself is what the log says of it.
async fn check_numbers(program: &Program, ran: &Ran) {
    let sql = format!("SELECT kind, count(*) FROM changes WHERE run_id = {} GROUP BY kind", ran.line.id);
    let logged: BTreeMap<String, i64> = program.rows_of::<(String, i64)>(&sql).await.into_iter().collect();
    let logged = |kind: &str| logged.get(kind).map_or(0, |number| number.unsigned_abs());
    let numbers = ran.report.numbers;
    assert_eq!(
        (numbers.created, numbers.entered, numbers.left),
        (logged("created"), logged("entered"), logged("left")),
        "{ran:?}"
    );
    assert!(numbers.updated <= logged("updated"), "{ran:?}");
    let is_held_before = ran.report.status == Status::Held && numbers.fetched == 0;
    assert!(!is_held_before || numbers.created + numbers.updated + numbers.entered == 0, "{ran:?}");
}

/// What is remembered of how many members there are is what counting them gives.
async fn check_remembered_counts(program: &Program, ran: &Ran) {
    let wrong = program
        .number(
            "SELECT count(*) FROM _queries q \
             WHERE members_as_of >= coalesce((SELECT max(seq) FROM changes WHERE query = q.name), 0) \
             AND members <> (SELECT count(*) FROM memberships WHERE query = q.name AND left_at IS NULL)",
        )
        .await;
    assert_eq!(wrong, 0, "{ran:?}");
}

async fn check_quiet(program: &Program, model: &Model, ran: &Ran) {
    if model.asked[ran.query].is_quiet() {
        let sql =
            "SELECT count(*) FROM changes WHERE kind = 'updated' AND before || after LIKE '%modifications%'";
        let told = program.number(&format!("{sql} AND run_id = {}", ran.line.id)).await;
        assert_eq!(told, 0, "what is quiet is not logged");
    }
}

/// What holds of a run of a world that stood still.
pub async fn check_still(program: &Program, model: &Model, ran: &Ran) {
    let allowed = Oracle { model, ran }.statuses();
    assert!(allowed.contains(&ran.report.status), "{allowed:?}: {ran:?}");
    if ran.report.status != Status::Succeeded || ran.may_be_outdated() || model.account.can_deceive() {
        return;
    }
    if ran.is_full() {
        check_whole(program, model, ran).await;
    } else if !program.is_deceived[ran.query] {
        check_window(program, model, ran).await;
    }
}

/// A full run knows everybody.
async fn check_whole(program: &Program, model: &Model, ran: &Ran) {
    let (members, listed) = (program.members(ran.query).await, model.ids(ran.query, &model.world));
    assert!(listed.is_subset(&members), "{listed:?} are there, and {members:?} are members: {ran:?}");
    let is_asked = model.can_be_asked(ran.query) && model.account.in_filters == InFilters::Honoured;
    if is_asked && !listed.is_empty() {
        assert_eq!(members, listed, "whoever is not there leaves: {ran:?}");
    }
    let numbers = ran.report.numbers;
    let waiting = (members.len() - listed.len()) as u64;
    assert_eq!(numbers.candidates - numbers.left, waiting, "{ran:?}");
    assert_eq!(numbers.created + numbers.updated + numbers.unchanged, listed.len() as u64, "{ran:?}");
    let stored = stored(&program.bench).await;
    let owned = owned_keys(program).await;
    for (key, company) in model.selected(ran.query, &model.world) {
        check_document(program, model, ran.query, &stored, (*key, *company), &BTreeSet::new());
        check_owned(&stored, &owned, &id_of(*key));
    }
}

/// An incremental run knows everything up to the end of its window, but who is no longer there. Keys of both
/// queries may since have been written by the other one's older export.
async fn check_window(program: &Program, model: &Model, ran: &Ran) {
    let stored = stored(&program.bench).await;
    let end: jiff::Timestamp = ran.line.window_end.as_ref().unwrap().parse().unwrap();
    let owned = owned_keys(program).await;
    let shared = owned.get(NAMES[1 - ran.query]).cloned().unwrap_or_default();
    for (key, company) in model.selected(ran.query, &model.world) {
        if program.stamps[key] <= end {
            let is_member =
                stored.members.get(NAMES[ran.query]).is_some_and(|members| members.contains(&id_of(*key)));
            assert!(is_member, "{key:?} is there since {}, before {end}: {ran:?}", program.stamps[key]);
            check_document(program, model, ran.query, &stored, (*key, *company), &shared);
        }
    }
}

/// The document says what the row says, under the query's own keys but `shared` ones.
fn check_document(
    program: &Program,
    model: &Model,
    query: usize,
    stored: &Replayed,
    (key, company): (Key, Company),
    shared: &BTreeSet<String>,
) {
    let document = &stored.documents[&id_of(key)];
    for field in &model.asked[query].fields {
        if shared.contains(field.key()) {
            continue;
        }
        let value = company.value(*field, program.stamps[&key]);
        assert_eq!(document.get(field.key()), value.as_ref(), "{} of {key:?} in {document:?}", field.key());
    }
}

/// A document has no key that none of its holders owns.
fn check_owned(stored: &Replayed, owned: &BTreeMap<String, BTreeSet<String>>, id: &str) {
    let holders = stored.members.iter().filter(|(_, members)| members.contains(id));
    let keys: BTreeSet<&String> = holders.filter_map(|(query, _)| owned.get(query)).flatten().collect();
    for key in stored.documents[id].keys() {
        assert!(keys.contains(key), "nobody owns {key} of {id}: {:?}", stored.documents[id]);
    }
}

async fn owned_keys(program: &Program) -> BTreeMap<String, BTreeSet<String>> {
    let rows = program.rows_of::<(String, String)>("SELECT name, owned_keys FROM _queries").await;
    rows.into_iter().map(|(name, keys)| (name, serde_json::from_str(&keys).unwrap())).collect()
}

/// What holds in every store: who left was let go by a full run that succeeded, or by hand.
pub async fn check_departures(program: &Program) {
    let wrong = "SELECT c.query || ' ' || c.business_id || ' ' || r.mode || ' ' || r.status FROM changes c \
                 JOIN runs r ON r.id = c.run_id \
                 WHERE c.kind = 'left' AND (r.status <> 'succeeded' OR r.mode <> 'full')";
    assert_eq!(program.texts(wrong).await, [""; 0], "only a full run that succeeded lets go");
    let last = "SELECT q.name || ': ' || q.last_full_at FROM _queries q WHERE q.last_full_at IS NOT (SELECT \
                max(started_at) FROM runs WHERE query = q.name AND status = 'succeeded' AND mode = 'full' \
                AND started_at >= q.first_seen_at)";
    assert_eq!(program.texts(last).await, [""; 0], "the last full run that succeeded is remembered");
}

/// The whole store, as text.
pub async fn dump(program: &Program) -> Vec<Value> {
    let mut dump = Vec::new();
    for (table, columns) in [
        ("organizations", "business_id, document, gone_at"),
        ("memberships", "query, business_id, left_at"),
        ("_queries", "name, definition, watermark, last_full_at, held, export, next_fetch, owned_keys"),
        ("runs", "id, status"),
        ("changes", "seq, kind"),
    ] {
        let sql = format!("SELECT json_array({columns}) FROM {table} ORDER BY 1");
        dump.extend(program.texts(&sql).await.into_iter().map(Value::from));
    }
    dump
}
