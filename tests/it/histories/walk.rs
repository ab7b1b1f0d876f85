//! One step of a history, done to the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::Connection;
use tokio_util::sync::CancellationToken;
use vainu_sync::run::Order;
use vainu_sync::sandbox::{Endpoint, Fault, InFilters};
use vainu_sync::store::Status;
use vainu_sync::upkeep::{Pruning, UpkeepError, let_go, prune, rename};

use super::asked::NAMES;
use super::checks::{check_departures, check_run, check_still, dump};
use super::ends::until_death;
use super::model::Model;
use super::program::Program;
use super::ran::Ran;
use super::step::{How, Step};
use super::world::World;

/// Takes `step`, of which `model` knows already, and looks whether the store is true.
pub async fn take_step(program: &mut Program, model: &Model, step: &Step) {
    let seq = program.last_change().await;
    let world = program.shown.clone();
    let is_changing = matches!(step, Step::SyncWhileChanging { .. });
    if !is_changing {
        program.show(model);
    }
    match step {
        Step::Account(account) => program.behave(account),
        Step::Wait(hours) => program.wait(Duration::from_hours(*hours)),
        _ => {}
    }
    program.configure(model, &model.account, None);
    Box::pin(act(program, model, step)).await;
    check_departures(program).await;
    let moved = if is_changing { &world } else { &model.world };
    nobody_is_lost(program, model, moved, seq).await;
    program.check_log(matches!(step, Step::LetGo { .. })).await;
}

async fn act(program: &mut Program, model: &Model, step: &Step) {
    match step {
        Step::Sync(How { full, accept }) => {
            let order = Order { full: *full, accept: *accept, ..Order::default() };
            sync(program, model, order).await;
        }
        Step::SyncWhileChanging { at, .. } => sync_while_changing(program, model, *at).await,
        Step::SyncWithoutApi { after } => sync_without_api(program, model, *after).await,
        Step::SyncTogether => Box::pin(sync_together(program, model)).await,
        Step::Rehearse => rehearse(program, model).await,
        Step::Crash { after } => {
            program.sync_until_death(*after).await;
            program.forget();
        }
        Step::Signal { after } => {
            let ran = program.sync_with_signal(*after).await;
            check_runs(program, model, &ran).await;
            let unended = "SELECT count(*) FROM runs WHERE finished_at IS NULL OR status = 'running'";
            assert_eq!(program.number(unended).await, 0, "whoever is told to stop says so in the store");
        }
        Step::Prune { query, after } => forget_query(program, NAMES[*query], *after).await,
        Step::Rename(query) => rename_and_back(program, *query).await,
        Step::LetGo { after } => {
            let (_lock, mut store) = program.open().await;
            let (kept, now, signal) =
                (&program.bench.settings.store, program.now(), CancellationToken::new());
            let ended = until_death(Box::pin(let_go(&mut store, kept, now, &signal)), *after).await;
            store.close().await.unwrap();
            assert!(matches!(ended, None | Some(Ok(_))), "{ended:?}");
        }
        Step::Settle => {
            let healed = Model { account: model.account.healed(), ..model.clone() };
            program.behave(&healed.account);
            program.configure(model, &healed.account, None);
            settle(program, &healed).await;
            program.behave(&model.account);
        }
        _ => {}
    }
}

async fn check_runs(program: &mut Program, model: &Model, ran: &[Ran]) {
    for ran in ran {
        check_run(program, model, ran).await;
    }
}

/// A sync of a world that stands still.
async fn sync(program: &mut Program, model: &Model, order: Order) -> Vec<Ran> {
    let ran = program.sync(order).await;
    check_runs(program, model, &ran).await;
    // The second run may have written what the first one has, too.
    let (last, earlier) = ran.split_last().expect("there is a query");
    for ran in earlier {
        if program.bench.settings.queries.len() == 1 || !shares(model) {
            check_still(program, model, ran).await;
        }
    }
    check_still(program, model, last).await;
    ran
}

/// Whether both queries write one key.
fn shares(model: &Model) -> bool {
    !model.asked[0].fields.is_disjoint(&model.asked[1].fields)
}

async fn sync_while_changing(program: &mut Program, model: &Model, (endpoint, nth): (Endpoint, u64)) {
    let rows = program.rows(model);
    let reading = Arc::new(AtomicBool::new(true));
    let still_reading = reading.clone();
    program.bench.control.on_request(endpoint, nth, move |control| {
        if still_reading.load(Ordering::SeqCst) {
            for (database, rows) in rows {
                control.set_rows(database, rows);
            }
        }
    });
    let ran = program.sync(Order::default()).await;
    reading.store(false, Ordering::SeqCst);
    check_runs(program, model, &ran).await;
    for ran in &ran {
        let is_true = ran.report.status == Status::Succeeded && ran.is_full() && !ran.may_be_outdated();
        if is_true && !model.account.can_deceive() {
            let (before, after) = (model.ids(ran.query, &program.shown), model.ids(ran.query, &model.world));
            let members = program.members(ran.query).await;
            for id in before.intersection(&after) {
                assert!(members.contains(id), "{id} was there all the time: {ran:?}");
            }
        }
    }
    program.show(model);
}

async fn sync_without_api(program: &mut Program, model: &Model, after: u64) {
    let control = program.bench.control.clone();
    let of_exports = [Endpoint::ExportSubmit, Endpoint::ExportPoll, Endpoint::Download];
    for endpoint in of_exports.into_iter().chain([Endpoint::Organizations, Endpoint::Count]) {
        control.fail_after(endpoint, after / 2, Fault::status(503), 10_000);
    }
    program.configure(model, &model.account, Some("20ms"));
    let ran = program.sync(Order::default()).await;
    check_runs(program, model, &ran).await;
    program.behave(&model.account);
    program.configure(model, &model.account, None);
}

/// Two processes sync, one after the other: no run of theirs overlaps, and who reads meanwhile sees one state.
async fn sync_together(program: &mut Program, model: &Model) {
    let mut reader = program.bench.reader().await;
    let mut reading = reader.begin().await.unwrap();
    let count = "SELECT count(*) || ' ' || (SELECT count(*) FROM changes) FROM organizations";
    let before: String = sqlx::query_scalar(count).fetch_one(&mut *reading).await.unwrap();
    let first_run = program.number("SELECT coalesce(max(id), 0) FROM runs").await;
    let (one, other) = tokio::join!(program.sync(Order::default()), program.sync(Order::default()));
    let after: String = sqlx::query_scalar(count).fetch_one(&mut *reading).await.unwrap();
    assert_eq!(before, after, "a reader sees one state");
    let order = format!("SELECT query FROM runs WHERE id > {first_run} ORDER BY id");
    let names = program.bench.settings.query_names();
    assert_eq!(program.texts(&order).await, [&names[..], &names[..]].concat());
    check_runs(program, model, &one).await;
    check_runs(program, model, &other).await;
}

/// A dry run changes nothing, and says what the run does.
async fn rehearse(program: &mut Program, model: &Model) {
    let before = dump(program).await;
    let rehearsed = program.rehearse().await;
    assert_eq!(dump(program).await, before, "a dry run leaves the store as it was");
    let ran = sync(program, model, Order::default()).await;
    for (rehearsed, ran) in rehearsed.iter().zip(&ran) {
        let done = &ran.report;
        let told = |report: &vainu_sync::run::Report| {
            let n = report.numbers;
            (report.status, [n.created, n.updated, n.unchanged, n.entered, n.left, n.candidates, n.rejected])
        };
        // A window of seconds later may hold more.
        if ran.is_full() && !model.account.paging.is_unstable() {
            assert_eq!(told(rehearsed), told(done), "{rehearsed:?}\n{ran:?}");
        }
    }
}

async fn forget_query(program: &Program, name: &str, polls: u64) {
    let (_lock, mut store) = program.open().await;
    let (mut settings, now, stop) = (program.bench.settings.clone(), program.now(), CancellationToken::new());
    settings.queries.retain(|query| query.name != name);
    let pruning = Pruning { settings: &settings, now, stop: &stop, batch_members: 3 };
    let ended = until_death(Box::pin(prune(&mut store, name, pruning)), polls).await;
    store.close().await.unwrap();
    assert!(matches!(ended, None | Some(Ok(_) | Err(UpkeepError::Unknown { .. }))), "{ended:?}");
    if let Some(Ok(_)) = ended {
        assert!(program.bench.members(name).await.is_empty());
    }
}

async fn rename_and_back(program: &Program, query: usize) {
    let name = NAMES[query];
    let (_lock, mut store) = program.open().await;
    let members = program.bench.members(name).await;
    if rename(&mut store, name, "renamed", program.now()).await.is_ok() {
        assert_eq!(program.bench.members("renamed").await, members);
        rename(&mut store, "renamed", name, program.now()).await.unwrap();
    }
    store.close().await.unwrap();
}

/// Whatever was before: once the API tells the truth and a person lets it through, the store equals the world.
async fn settle(program: &mut Program, model: &Model) {
    let anyway = Order { full: true, accept: true, ..Order::default() };
    let mut successes = 0;
    for _ in 0..7 {
        let ran = sync(program, model, anyway).await;
        let has_succeeded = ran.iter().all(|ran| ran.report.status == Status::Succeeded);
        successes = if has_succeeded { successes + 1 } else { 0 };
        if successes == 3 {
            break;
        }
    }
    if (0..NAMES.len()).any(|query| is_without_ids(model, query)) {
        return;
    }
    assert_eq!(successes, 3, "the API tells the truth, and a person lets it through");
    equals_world(program, model).await;
    let seq = program.last_change().await;
    let ran = sync(program, model, Order::default()).await;
    assert!(ran.iter().all(|ran| ran.report.status == Status::Succeeded), "{ran:?}");
    assert_eq!(program.last_change().await, seq, "the same again changes nothing");
}

/// Whether a listing has rows, but none with an id: held without end, since nobody may leave while they might be
/// anyone.
fn is_without_ids(model: &Model, query: usize) -> bool {
    model.asked[query].present && model.broken(query) > 0 && model.ids(query, &model.world).is_empty()
}

async fn equals_world(program: &Program, model: &Model) {
    for (query, name) in NAMES.iter().enumerate() {
        let (listed, members) = (model.ids(query, &model.world), program.members(query).await);
        let is_asked = model.can_be_asked(query) && model.account.in_filters == InFilters::Honoured;
        let is_known = model.broken(query) == 0 || (is_asked && !listed.is_empty());
        if model.asked[query].present && is_known {
            assert_eq!(members, listed, "{name}");
        }
    }
}

/// Whoever left since `seq` was not there, in one of two worlds at least.
async fn nobody_is_lost(program: &Program, model: &Model, other: &World, seq: i64) {
    let left = "SELECT query, business_id FROM changes WHERE kind = 'left' AND run_id IS NOT NULL";
    for (query, id) in program.rows_of::<(String, String)>(&format!("{left} AND seq > {seq}")).await {
        let query = NAMES.iter().position(|name| *name == query).unwrap();
        let is_there = [&model.world, other].iter().all(|world| model.ids(query, world).contains(&id));
        let may_be_lost = model.account.can_lose(model.can_be_asked(query));
        if is_there && !may_be_lost {
            let run =
                "json_array(id, query, mode, fetch, status, expected, fetched, candidates, \"left\", error)";
            let runs = program.texts(&format!("SELECT {run} FROM runs ORDER BY id")).await;
            panic!("{id} left {}, but it is there: {runs:#?}", NAMES[query]);
        }
    }
}
