//! Random histories of feeds against a small model: whoever has taken all files in knows exactly the members.
//!
//! More of them: `PROPTEST_CASES=1000 cargo test --test it feed_histories`. A failure prints its history.

use std::collections::BTreeMap;
use std::fs;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use vainu_sync::feed::{self, Tools};
use vainu_sync::sandbox::{Endpoint, Fault};
use vainu_sync::store::{Lock, Store};

use crate::bench::Bench;
use crate::consumer::{Consumer, Row, feed, folder, numbered, rows};
use crate::histories::until_death;

/// Names as they come, and worse.
const NAMES: [&str; 10] =
    ["Acme", "=cmd", "say \"hi\"", "two\r\nlines", "lone\rCR", "a\0b", "😀", "+358 40", "", "x;y,z"];

/// Headers and the keys below them.
const MAPPINGS: [&[(&str, &str)]; 3] = [
    &[("Name", "name"), ("Site", "website")],
    &[("Name", "name")],
    &[("Name", "website"), ("X", "business_id")],
];

#[derive(Debug, Clone, Copy)]
struct Company {
    name: usize,
    website: Option<u8>,
    is_oy: bool,
}

#[derive(Debug, Clone)]
struct Model {
    world: BTreeMap<u8, Company>,
    mapping: usize,
    null: bool,
    has_feeds: bool,
}

#[derive(Debug, Clone)]
enum Step {
    /// These come or change, those go, and all is synced.
    Night(Vec<(u8, Company)>, Vec<u8>),
    /// The API fails from this request on.
    SyncInVain(u64),
    Feed,
    Snapshot,
    /// The process dies after so many polls.
    Die(u64),
    Map(usize),
    Null(bool),
    /// Taken out of the configuration, a sync, and put in again.
    Away,
    Backup,
    Restore,
    /// The beginning of the log is let go.
    Forget,
    /// `companies` is renamed, and back.
    Rename,
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        proptest::collection::btree_map(0..20_u8, company(), 1..12)
            .prop_map(|world| Self { world, mapping: 0, null: false, has_feeds: true })
            .boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        prop_oneof![
            8 => night(),
            1 => (1..4_u64).prop_map(Step::SyncInVain),
            5 => Just(Step::Feed),
            1 => Just(Step::Snapshot),
            8 => (1..150_u64).prop_map(Step::Die),
            2 => (0..MAPPINGS.len()).prop_map(Step::Map),
            1 => any::<bool>().prop_map(Step::Null),
            1 => Just(Step::Away),
            1 => Just(Step::Backup),
            2 => Just(Step::Restore),
            2 => Just(Step::Forget),
            1 => Just(Step::Rename),
        ]
        .boxed()
    }

    fn apply(mut model: Self, step: &Step) -> Self {
        match step {
            Step::Night(come, gone) => {
                model.world.extend(come.iter().copied());
                // A world without a company at all is held: a case of its own.
                for id in gone.iter().filter(|id| come.iter().all(|(come, _)| come != *id)) {
                    if model.world.len() > 1 {
                        model.world.remove(id);
                    }
                }
            }
            Step::Map(mapping) => model.mapping = *mapping,
            Step::Null(null) => model.null = *null,
            _ => {}
        }
        model
    }
}

fn night() -> impl Strategy<Value = Step> {
    let come = proptest::collection::vec((0..20_u8, company()), 0..5);
    (come, proptest::collection::vec(0..20_u8, 0..5)).prop_map(|(come, gone)| Step::Night(come, gone))
}

fn company() -> impl Strategy<Value = Company> {
    (0..NAMES.len(), proptest::option::of(0..3_u8), any::<bool>())
        .prop_map(|(name, website, is_oy)| Company { name, website, is_oy })
}

impl Model {
    fn rows(&self) -> Vec<String> {
        let row = |(id, company): (&u8, &Company)| {
            let website = company.website.map(|site| format!("{site}.example"));
            json!({
                "business_id": format!("FI{id:02}"), "name": NAMES[company.name], "website": website,
                "legal_entity": if company.is_oy { "OY" } else { "KY" },
            })
            .to_string()
        };
        self.world.iter().map(row).collect()
    }

    fn null(&self) -> &'static str {
        if self.null { "#N/A" } else { "" }
    }

    fn config(&self) -> String {
        let queries = r#"
[defaults]
database = "FI"
schedule = "@daily"
max_departures = "100%"
max_arrivals = "100000%"
fields = ["name", "website"]
[[queries]]
name = "companies"
query = '{"?EQ": {"legal_entity": "OY"}}'
[[queries]]
name = "nobodies"
query = '{"?EQ": {"website": "0.example"}}'
"#;
        if !self.has_feeds {
            return queries.to_owned();
        }
        let columns = MAPPINGS[self.mapping].iter().map(|(header, key)| format!("{header} = \"{key}\"\n"));
        let columns = columns.collect::<String>();
        let both = "[\"companies\", \"nobodies\"]";
        let null = format!("null = \"{}\"", self.null());
        [
            queries.to_owned(),
            feed("crm", both, &null, &columns),
            feed("whole", both, &format!("{null}\ncontent = \"snapshot\""), &columns),
            feed("lake", "[\"companies\"]", "format = \"jsonl\"", &columns),
        ]
        .concat()
    }
}

struct Program {
    runtime: Runtime,
    bench: Bench,
    crm: Consumer,
    lake: Consumer,
}

struct Histories;

impl StateMachineTest for Histories {
    type SystemUnderTest = Program;
    type Reference = Model;

    fn init_test(model: &Model) -> Program {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut bench = runtime.block_on(Bench::with_rows(model.rows(), &model.config()));
        bench.configure("retry_for = \"20ms\"", &model.config());
        folder(&bench);
        let mut program = Program { runtime, bench, crm: Consumer::default(), lake: Consumer::default() };
        let handle = program.runtime.handle().clone();
        handle.block_on(async {
            program.sync().await;
            program.feed_to_the_end(model, false).await;
            program.back_up().await;
        });
        program
    }

    fn apply(mut program: Program, model: &Model, step: Step) -> Program {
        let handle = program.runtime.handle().clone();
        handle.block_on(program.take(model, &step));
        program
    }

    fn check_invariants(program: &Program, _: &Model) {
        // Files that were seen have not changed; what has come since is taken in by the next step.
        let folder = program.bench.folder.path().join("feeds");
        program.crm.clone().take(&folder, "crm");
        program.lake.clone().take(&folder, "lake");
    }

    fn teardown(program: Program, _: Model) {
        program.runtime.shutdown_background();
    }
}

impl Program {
    async fn take(&mut self, model: &Model, step: &Step) {
        match step {
            Step::Night(..) => {
                self.bench.control.set_rows("FI", model.rows());
                self.sync().await;
            }
            Step::SyncInVain(after) => {
                self.bench.control.fail_after(Endpoint::Organizations, *after, Fault::status(503), 10_000);
                self.sync().await;
                self.bench.control.heal();
            }
            Step::Feed => self.feed_to_the_end(model, false).await,
            Step::Snapshot => self.feed_to_the_end(model, true).await,
            Step::Die(polls) => {
                self.feed(false, *polls).await;
            }
            Step::Map(_) | Step::Null(_) => self.bench.configure("retry_for = \"20ms\"", &model.config()),
            Step::Away => {
                let without = Model { has_feeds: false, ..model.clone() };
                self.bench.configure("retry_for = \"20ms\"", &without.config());
                self.sync().await;
                self.bench.configure("retry_for = \"20ms\"", &model.config());
            }
            Step::Backup => self.back_up().await,
            Step::Restore => self.restore(),
            Step::Forget => {
                let half =
                    "DELETE FROM _changes WHERE seq <= (SELECT (min(seq) + max(seq)) / 2 FROM _changes)";
                self.bench.write(half).await;
            }
            Step::Rename => self.rename().await,
        }
    }

    async fn sync(&self) {
        // What a command does first.
        let (lock, mut store) = self.open().await;
        feed::retire(&self.bench.settings, &mut store, Timestamp::now()).await.unwrap();
        store.close().await.unwrap();
        drop(lock);
        self.bench.sync().await;
    }

    async fn open(&self) -> (Lock, Store) {
        let lock = Lock::take(&self.bench.store_path(), "a test").unwrap();
        let store = Store::open(&self.bench.store_path(), &lock).await.unwrap();
        (lock, store)
    }

    /// Writes all feeds, or dies.
    async fn feed(&self, everything: bool, polls: u64) -> bool {
        let (_lock, mut store) = self.open().await;
        let stop = CancellationToken::new();
        let settings = &self.bench.settings;
        let ended = {
            let store = &mut store;
            let writing = async {
                feed::retire(settings, store, Timestamp::now()).await.unwrap();
                let mut tools = Tools { settings, store, stop: &stop, clock: &Timestamp::now, batch: 2 };
                for feed in &settings.feeds {
                    let report = feed::write(feed, everything, &mut tools).await;
                    report.outcome.unwrap_or_else(|error| panic!("{}: {error}", feed.name));
                }
            };
            until_death(Box::pin(writing), polls).await
        };
        store.close().await.unwrap();
        ended.is_some()
    }

    async fn feed_to_the_end(&mut self, model: &Model, everything: bool) {
        assert!(self.feed(everything, u64::MAX).await);
        let folder = self.bench.folder.path().join("feeds");
        self.crm.take(&folder, "crm");
        self.lake.take(&folder, "lake");
        let (companies, nobodies) =
            (self.members("companies", model).await, self.members("nobodies", model).await);
        let mut all = companies.clone();
        all.extend(nobodies);
        let proved = self.bench.number("SELECT count(*) FROM _queries WHERE definition IS NOT NULL").await;
        if proved < 2 {
            // Whoever is a member is told in any case.
            assert!(all.iter().all(|(id, row)| self.crm.rows.get(id) == Some(row)), "{all:?}");
            return;
        }
        assert_eq!(self.crm.rows, all);
        let newest = numbered(&folder, "whole").pop().expect("a snapshot");
        let whole: BTreeMap<String, Row> =
            rows(&newest).into_iter().map(|told| (told.id, told.columns)).collect();
        assert_eq!(whole, all);
        let lake: BTreeMap<String, Row> = self.json_members("companies", model).await;
        assert_eq!(self.lake.rows, lake);
        let before = numbered(&folder, "crm").len();
        if !everything {
            self.feed(false, u64::MAX).await;
            assert_eq!(numbered(&folder, "crm").len(), before, "the same again writes no file");
        }
    }

    async fn documents(&self, query: &str) -> Vec<(String, Value)> {
        let members = self.bench.members(query).await;
        members.into_iter().map(|(id, text)| (id, serde_json::from_str(&text).unwrap())).collect()
    }

    async fn members(&self, query: &str, model: &Model) -> BTreeMap<String, Row> {
        let cell = |value: &Value| match value.as_str() {
            None | Some("") => model.null().to_owned(),
            Some(text) => text.replace('\0', "\u{fffd}"),
        };
        let row = |document: &Value| {
            let columns = MAPPINGS[model.mapping].iter();
            columns.map(|(header, key)| ((*header).to_owned(), cell(&document[*key]))).collect()
        };
        self.documents(query).await.into_iter().map(|(id, document)| (id, row(&document))).collect()
    }

    async fn json_members(&self, query: &str, model: &Model) -> BTreeMap<String, Row> {
        let row = |document: &Value| {
            let columns = MAPPINGS[model.mapping].iter();
            let json = |key: &str| document[key].to_string().replace("\\u0000", "\u{fffd}");
            columns.map(|(header, key)| ((*header).to_owned(), json(key))).collect()
        };
        self.documents(query).await.into_iter().map(|(id, document)| (id, row(&document))).collect()
    }

    async fn back_up(&self) {
        let path = self.bench.folder.path().join("backup.db");
        let _ = fs::remove_file(&path);
        self.bench.write(&format!("VACUUM INTO '{}'", path.display())).await;
    }

    fn restore(&self) {
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{suffix}", self.bench.store_path().display()));
        }
        fs::copy(self.bench.folder.path().join("backup.db"), self.bench.store_path()).unwrap();
    }

    async fn rename(&self) {
        let (_lock, mut store) = self.open().await;
        if vainu_sync::upkeep::rename(&mut store, "companies", "renamed", Timestamp::now()).await.is_ok() {
            vainu_sync::upkeep::rename(&mut store, "renamed", "companies", Timestamp::now()).await.unwrap();
        }
        store.close().await.unwrap();
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20),
        max_shrink_iters: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn who_took_all_files_in_knows_the_members(sequential 4..30 => Histories);
}
