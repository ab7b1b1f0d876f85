//! Random histories against a small model: worlds that change, pages that are capped and shift, repeated
//! and broken rows, exports, two queries that share a key, prunes and renames, failures, two processes, a death or
//! a signal at any await.
//!
//! More of them: `PROPTEST_CASES=2000 cargo test --test it histories`. A failure prints its history.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use sqlx::Connection;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use vainu_sync::config::settings::{Fetch, Query};
use vainu_sync::run::{Order, Tools, run};
use vainu_sync::sandbox::{Endpoint, Fault, InFilters, Shape};
use vainu_sync::store::{Lock, Status, Store};
use vainu_sync::upkeep::{Pruning, UpkeepError, prune, rename};

use crate::bench::Bench;
use crate::replay::{assert_log_is_true, stored};

const QUERIES: &str = r#"
[defaults]
database = "FI"
schedule = "@daily"
max_departures = "100%"
max_arrivals = "100000%"

[[queries]]
name = "everyone"
query = '{"?ALL": []}'
fields = ["name", "website"]

[[queries]]
name = "companies"
query = '{"?EQ": {"legal_entity": "OY"}}'
fields = ["name", "founded"]
"#;

/// A company of the model: a number for each of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Company {
    name: u8,
    website: Option<u8>,
    founded: u8,
    is_oy: bool,
}

type World = BTreeMap<u8, Company>;

#[derive(Debug, Clone)]
struct Model {
    world: World,
    /// Ids whose row comes twice, the second time with another name.
    repeated: BTreeSet<u8>,
    broken_rows: u8,
}

#[derive(Debug, Clone)]
enum Step {
    Put(u8, Company),
    Remove(u8),
    Repeat(u8),
    Break(u8),
    Account {
        cap: u32,
        shape: u8,
        asks_for_departures: bool,
        fetch: Fetch,
        /// Answers come in any order.
        jitter: bool,
    },
    Sync,
    /// The world changes while it is read: at this page, this company vanishes.
    SyncWhileVanishing {
        page: u64,
        id: u8,
    },
    /// From this request on the API is down.
    SyncWithoutApi {
        after: u64,
    },
    /// The process dies after so many polls.
    Crash {
        after: u64,
    },
    /// It is told to stop after so many polls.
    Signal {
        after: u64,
    },
    /// Two processes want the store at once, and a third one reads it all the while.
    SyncTogether,
    /// `companies` is taken out and forgotten, by a process that dies after so many polls, and put in again.
    Prune {
        after: u64,
    },
    /// `everyone` is renamed, and back.
    Rename,
}

fn company() -> impl Strategy<Value = Company> {
    (0..3_u8, proptest::option::of(0..3_u8), 0..3_u8, any::<bool>())
        .prop_map(|(name, website, founded, is_oy)| Company { name, website, founded, is_oy })
}

fn account() -> impl Strategy<Value = Step> {
    let fetch = prop_oneof![1 => Just(Fetch::Auto), 1 => Just(Fetch::Pages), 2 => Just(Fetch::Export)];
    (2..12_u32, 0..3_u8, any::<bool>(), fetch, any::<bool>()).prop_map(
        |(cap, shape, asks_for_departures, fetch, jitter)| Step::Account {
            cap,
            shape,
            asks_for_departures,
            fetch,
            jitter,
        },
    )
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        proptest::collection::btree_map(0..40_u8, company(), 1..25)
            .prop_map(|world| Self { world, repeated: BTreeSet::new(), broken_rows: 0 })
            .boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        prop_oneof![
            4 => (0..40_u8, company()).prop_map(|(id, company)| Step::Put(id, company)),
            3 => (0..40_u8).prop_map(Step::Remove),
            1 => (0..40_u8).prop_map(Step::Repeat),
            1 => (0..3_u8).prop_map(Step::Break),
            1 => account(),
            4 => Just(Step::Sync),
            2 => (1..6_u64, 0..40_u8).prop_map(|(page, id)| Step::SyncWhileVanishing { page, id }),
            1 => (0..8_u64).prop_map(|after| Step::SyncWithoutApi { after }),
            3 => (1..200_u64).prop_map(|after| Step::Crash { after }),
            2 => (1..200_u64).prop_map(|after| Step::Signal { after }),
            1 => Just(Step::SyncTogether),
            1 => (1..100_u64).prop_map(|after| Step::Prune { after }),
            1 => Just(Step::Rename),
        ]
        .boxed()
    }

    fn apply(mut model: Self, step: &Step) -> Self {
        match step {
            Step::Put(id, company) => {
                model.world.insert(*id, *company);
            }
            // A world without a company at all is held: a case of its own.
            Step::Remove(id) | Step::SyncWhileVanishing { id, .. } if model.world.len() > 1 => {
                model.world.remove(id);
            }
            Step::Repeat(id) => {
                model.repeated.insert(*id);
            }
            Step::Break(rows) => model.broken_rows = *rows,
            _ => {}
        }
        model
    }
}

impl Model {
    fn rows(&self) -> Vec<String> {
        let mut rows: Vec<String> = Vec::new();
        for (id, company) in &self.world {
            rows.push(row(*id, *company));
            if self.repeated.contains(id) {
                rows.push(row(*id, Company { name: company.name + 10, ..*company }));
            }
        }
        for broken in 0..self.broken_rows {
            rows.push(format!(r#"{{"name":"nobody {broken}","legal_entity":"OY"}}"#));
        }
        rows
    }

    fn ids(&self, query: &str) -> BTreeSet<String> {
        let is_in = |company: &Company| query == "everyone" || company.is_oy;
        self.world.iter().filter(|(_, company)| is_in(company)).map(|(id, _)| id_of(*id)).collect()
    }
}

fn id_of(id: u8) -> String {
    format!("FI{id:02}")
}

fn row(id: u8, company: Company) -> String {
    let website = company.website.map_or("null".to_owned(), |site| format!("\"{site}.example\""));
    format!(
        r#"{{"business_id":"{}","name":"name {}","website":{website},"founded":"200{}","legal_entity":"{}"}}"#,
        id_of(id),
        company.name,
        company.founded,
        if company.is_oy { "OY" } else { "KY" },
    )
}

/// Polls `future` so many times and then drops it, as a death at any await would.
pub async fn until_death<F: Future>(future: F, polls: u64) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Polls `future` to its end, and after so many polls cancels `stop`, as a signal at any await would.
async fn with_signal<F: Future>(future: F, polls: u64, stop: &CancellationToken) -> F::Output {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|context| {
        polled += 1;
        if polled == polls {
            stop.cancel();
        }
        future.as_mut().poll(context)
    })
    .await
}

struct Program {
    runtime: Runtime,
    bench: Bench,
    fetch: Mutex<Fetch>,
}

impl Program {
    /// Runs both queries, a few rows a commit; dies after so many polls. How the runs ended.
    async fn sync(&self, polls: Option<u64>) -> Vec<Status> {
        let (_lock, mut store) = self.open().await;
        let stop = CancellationToken::new();
        let runs = Box::pin(self.runs(&mut store, &stop));
        let ended = until_death(runs, polls.unwrap_or(u64::MAX)).await;
        store.close().await.unwrap();
        ended.unwrap_or_default()
    }

    /// The same, but told to stop after so many polls.
    async fn sync_with_signal(&self, polls: u64) -> Vec<Status> {
        let (_lock, mut store) = self.open().await;
        let stop = CancellationToken::new();
        let ended = with_signal(Box::pin(self.runs(&mut store, &stop)), polls, &stop).await;
        store.close().await.unwrap();
        ended
    }

    /// The store, once no other process has it.
    async fn open(&self) -> (Lock, Store) {
        let path = self.bench.store_path();
        let lock = Lock::take_within(&path, "a test", Duration::from_mins(1)).await.unwrap();
        let mut store = Store::open(&path, &lock).await.unwrap();
        store.mark_interrupted("2026-01-01T00:00:00.000Z").await.unwrap();
        (lock, store)
    }

    async fn runs(&self, store: &mut Store, stop: &CancellationToken) -> Vec<Status> {
        let client = self.bench.client();
        let fetch = *self.fetch.lock().unwrap();
        let mut ended = Vec::new();
        for query in &self.bench.settings.queries {
            let tools = Tools {
                api: &self.bench.settings.api,
                client: &client,
                store,
                stop,
                progress: &(),
                clock: &Timestamp::now,
                batch_rows: 3,
            };
            let query = Query { fetch, ..query.clone() };
            ended.push(run(&query, Order::default(), tools).await.status);
        }
        ended
    }

    async fn prune(&self, polls: u64) {
        let (_lock, mut store) = self.open().await;
        let (mut settings, now, stop) =
            (self.bench.settings.clone(), Timestamp::now(), CancellationToken::new());
        settings.queries.retain(|query| query.name != "companies");
        let pruning = Pruning { settings: &settings, now, stop: &stop, batch_members: 3 };
        let ended = until_death(Box::pin(prune(&mut store, "companies", pruning)), polls).await;
        store.close().await.unwrap();
        assert!(matches!(ended, None | Some(Ok(_) | Err(UpkeepError::Unknown { .. }))), "{ended:?}");
        if let Some(Ok(_)) = ended {
            assert!(self.bench.members("companies").await.is_empty());
        }
    }

    async fn rename(&self) {
        let (_lock, mut store) = self.open().await;
        let members = self.bench.members("everyone").await;
        if rename(&mut store, "everyone", "renamed", Timestamp::now()).await.is_ok() {
            assert_eq!(self.bench.members("renamed").await, members);
            rename(&mut store, "renamed", "everyone", Timestamp::now()).await.unwrap();
        }
        store.close().await.unwrap();
    }

    /// For each query the start of its last full run that advanced it, and of its last succeeded run since it
    /// was pruned.
    async fn successes(&self) -> Vec<(String, Option<String>, Option<String>)> {
        let last = "(SELECT max(started_at) FROM runs \
                     WHERE query = name AND status = 'succeeded' AND started_at >= first_seen_at)";
        self.bench.rows(&format!("SELECT name, last_full_at, {last} FROM _queries ORDER BY name")).await
    }

    /// Whom a run let go since `seq`, by query.
    async fn departures_since(&self, seq: i64) -> Vec<(String, String)> {
        let left = "SELECT query, business_id FROM changes WHERE kind = 'left' AND run_id IS NOT NULL";
        self.bench.rows(&format!("{left} AND seq > {seq}")).await
    }

    async fn last_change(&self) -> i64 {
        self.bench.number("SELECT coalesce(max(seq), 0) FROM changes").await
    }
}

struct Histories;

impl StateMachineTest for Histories {
    type SystemUnderTest = Program;
    type Reference = Model;

    fn init_test(model: &Model) -> Program {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let bench = runtime.block_on(async {
            let mut bench = Bench::with_rows(model.rows(), QUERIES).await;
            bench.configure("page_size = 10\nretry_for = \"20ms\"", QUERIES);
            bench
        });
        runtime.block_on(async {
            let lock = Lock::take(&bench.store_path(), "a test").unwrap();
            Store::open(&bench.store_path(), &lock).await.unwrap().close().await.unwrap();
        });
        Program { runtime, bench, fetch: Mutex::new(Fetch::Auto) }
    }

    fn apply(program: Program, model: &Model, step: Step) -> Program {
        program.runtime.block_on(take_step(&program, model, &step));
        program
    }

    fn check_invariants(program: &Program, _: &Model) {
        program.runtime.block_on(assert_log_is_true(&program.bench));
    }

    fn teardown(program: Program, _: Model) {
        program.runtime.shutdown_background();
    }
}

async fn take_step(program: &Program, model: &Model, step: &Step) {
    let control = &program.bench.control;
    let seq = program.last_change().await;
    match step {
        Step::Put(..) | Step::Remove(_) | Step::Repeat(_) | Step::Break(_) => {
            control.set_rows("FI", model.rows());
        }
        Step::Account { cap, shape, asks_for_departures, fetch, jitter } => control.switch(|switches| {
            *program.fetch.lock().unwrap() = *fetch;
            switches.page_cap = Some(*cap);
            switches.shape = [Shape::Array, Shape::Result, Shape::Results][usize::from(*shape)];
            switches.in_filters = if *asks_for_departures { InFilters::Honoured } else { InFilters::Ignored };
            switches.jitter = Duration::from_millis(if *jitter { 3 } else { 0 });
        }),
        Step::Sync => sync_twice(program, model).await,
        Step::SyncWhileVanishing { page, .. } => {
            let rows = model.rows();
            let reading = Arc::new(AtomicBool::new(true));
            let still_reading = reading.clone();
            control.on_request(Endpoint::Organizations, *page, move |control| {
                if still_reading.load(Ordering::SeqCst) {
                    control.set_rows("FI", rows);
                }
            });
            program.sync(None).await;
            reading.store(false, Ordering::SeqCst);
            control.set_rows("FI", model.rows());
        }
        Step::SyncWithoutApi { after } => {
            let of_exports = [Endpoint::ExportSubmit, Endpoint::ExportPoll, Endpoint::Download];
            for endpoint in of_exports.into_iter().chain([Endpoint::Organizations]) {
                control.fail_after(endpoint, *after / 2, Fault::status(503), 10_000);
            }
            program.sync(None).await;
            control.heal();
        }
        Step::Crash { after } => {
            program.sync(Some(*after)).await;
        }
        Step::Signal { after } => {
            let ended = program.sync_with_signal(*after).await;
            assert!(!ended.contains(&Status::Running), "{ended:?}");
            let unended = "SELECT count(*) FROM runs WHERE finished_at IS NULL AND status = 'running'";
            assert_eq!(
                program.bench.number(unended).await,
                0,
                "whoever is told to stop says so in the store"
            );
        }
        Step::SyncTogether => sync_together(program).await,
        Step::Prune { after } => program.prune(*after).await,
        Step::Rename => program.rename().await,
    }
    for (query, advanced, succeeded) in program.successes().await {
        assert_eq!(advanced, succeeded, "{query} advances if and only if its run succeeds");
    }
    for (query, id) in program.departures_since(seq).await {
        assert!(!model.ids(&query).contains(&id), "{id} left {query}, but it is there");
    }
}

/// Two processes sync, one after the other: no run of theirs overlaps, and who reads meanwhile sees one state.
async fn sync_together(program: &Program) {
    let mut reader = program.bench.reader().await;
    let mut reading = reader.begin().await.unwrap();
    let count = "SELECT count(*) || ' ' || (SELECT count(*) FROM changes) FROM organizations";
    let before: String = sqlx::query_scalar(count).fetch_one(&mut *reading).await.unwrap();
    let first_run = program.bench.number("SELECT coalesce(max(id), 0) FROM runs").await;
    tokio::join!(program.sync(None), program.sync(None));
    let after: String = sqlx::query_scalar(count).fetch_one(&mut *reading).await.unwrap();
    assert_eq!(before, after, "a reader sees one state");
    let order = format!(
        "SELECT group_concat(query) FROM (SELECT query FROM runs WHERE id > {first_run} ORDER BY id)"
    );
    assert_eq!(program.bench.texts(&order).await, ["everyone,companies,everyone,companies"]);
}

/// A sync of a world that stands still succeeds, the store equals the world, and again changes nothing.
async fn sync_twice(program: &Program, model: &Model) {
    let under_way = "SELECT count(*) FROM _queries WHERE export IS NOT NULL";
    if program.bench.number(under_way).await > 0 {
        // Its rows are of the world in which it was submitted.
        program.sync(None).await;
    }
    // Where departures can't be asked for, a second listing must lack them too.
    for _ in 0..2 {
        let second = if empties(program, model).await { Status::Held } else { Status::Succeeded };
        assert_eq!(program.sync(None).await, [Status::Succeeded, second]);
    }
    let seq = program.last_change().await;
    let stored = stored(&program.bench).await;
    if model.broken_rows == 0 {
        for query in ["everyone", "companies"] {
            let members = stored.members.get(query).cloned().unwrap_or_default();
            let empty = model.ids(query).is_empty();
            assert!(empty || members == model.ids(query), "{query}: {members:?}");
        }
    }
    for (id, company) in &model.world {
        let document = &stored.documents[&id_of(*id)];
        assert_eq!(document["name"], format!("name {}", company.name), "the first row of an id wins");
        let website = company.website.map(|site| format!("{site}.example"));
        assert_eq!(document.get("website").and_then(|site| site.as_str()), website.as_deref());
        assert_eq!(document.contains_key("founded"), founded_is_held(&stored, *id), "{document:?}");
    }
    program.sync(None).await;
    assert_eq!(program.last_change().await, seq, "the same again changes nothing");
}

/// Whether `companies`, which has succeeded and has members, would list nobody any more: that is held.
async fn empties(program: &Program, model: &Model) -> bool {
    let held = "SELECT count(*) FROM memberships JOIN _queries ON name = query \
                WHERE query = 'companies' AND left_at IS NULL AND definition IS NOT NULL";
    model.ids("companies").is_empty() && program.bench.number(held).await > 0
}

/// Whether the query that owns `founded` holds the company.
fn founded_is_held(stored: &crate::replay::Replayed, id: u8) -> bool {
    stored.members.get("companies").is_some_and(|members| members.contains(&id_of(id)))
}

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(40),
        max_shrink_iters: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_store_is_true_after_every_step(sequential 1..20 => Histories);
}
