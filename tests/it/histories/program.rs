//! The program under test: a store in memory, a sandbox, and the two queries that are run.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow, SqliteConnection};
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use vainu_sync::config::settings::Query;
use vainu_sync::run::{Order, Report, Tools, run};
use vainu_sync::sandbox::{Members, Options, Sandbox, SavedList, Switches, World as SandboxWorld};
use vainu_sync::store::{Lock, Store, time};
use vainu_sync::vainu::{Client, Delays};

use super::account::{Account, Count};
use super::asked::{LIST, LISTED, NAMES};
use super::ends::{until_death, with_signal};
use super::log::{LINES, Line, Log, as_logged};
use super::model::Model;
use super::ran::{Number, Ran, Standing};
use super::world::{Database, Stamps, World};
use crate::bench::Bench;
use crate::replay::stored;

/// How long everything is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(20 * 24);

pub struct Program {
    pub bench: Bench,
    client: Client,
    /// The settings as they were last written.
    configured: (String, String),
    /// How far all clocks are ahead of the machine's.
    ahead: Duration,
    /// The world that the sandbox shows.
    pub shown: World,
    pub stamps: Stamps,
    log: Log,
    /// Of which queries the last full run may have taken a listing for whole that was none.
    pub is_deceived: [bool; 2],
    reader: Mutex<SqliteConnection>,
}

impl Program {
    pub async fn start(model: &Model) -> Self {
        // Tokens outlive every history.
        let switches =
            Switches { refresh_lifetime: Duration::from_hours(100 * 365 * 24), ..Switches::default() };
        let world = SandboxWorld::Fixed(Vec::new());
        let sandbox = Sandbox::start(Options { world, switches, ..Options::default() }).await.unwrap();
        sandbox.control().save_list(SavedList {
            id: LIST.to_owned(),
            name: "OY".to_owned(),
            country: "FI".to_owned(),
            members: Members::Dynamic(serde_json::from_str(LISTED).unwrap()),
        });
        let configured = settings(model, &model.account, None);
        let mut bench = Bench::in_folder(folder(), sandbox, &configured.1);
        bench.configure(&configured.0, &configured.1);
        let lock = Lock::take(&bench.store_path(), "a test").unwrap();
        Store::open(&bench.store_path(), &lock).await.unwrap().close().await.unwrap();
        let mut program = Self {
            client: client(&bench),
            reader: Mutex::new(bench.reader().await),
            bench,
            configured,
            ahead: Duration::ZERO,
            shown: World::new(),
            stamps: Stamps::new(),
            log: Log::default(),
            is_deceived: [false; 2],
        };
        program.behave(&model.account);
        program.show(model);
        program
    }

    /// All clocks' present.
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + self.ahead
    }

    pub fn wait(&mut self, by: Duration) {
        self.ahead += by;
        self.bench.control.advance_clock(by);
    }

    pub fn behave(&self, account: &Account) {
        account.apply(&self.bench.control);
    }

    /// The sandbox shows the model's world from now on.
    pub fn show(&mut self, model: &Model) {
        for (database, rows) in self.rows(model) {
            self.bench.control.set_rows(database, rows);
        }
        self.shown.clone_from(&model.world);
    }

    /// The rows of the model's world, in which what differs from the shown one has changed just now.
    pub fn rows(&mut self, model: &Model) -> [(&'static str, Vec<String>); 2] {
        let now = Timestamp::from_second(self.now().as_second()).unwrap();
        for (key, company) in &model.world {
            if self.shown.get(key) != Some(company) {
                self.stamps.insert(*key, now);
            }
        }
        Database::BOTH.map(|database| (database.code(), model.rows(&model.world, &self.stamps, database)))
    }

    /// The configuration says what the model says. A request is tried again for `retry_for`, by default for so
    /// long that none fails for want of it.
    pub fn configure(&mut self, model: &Model, account: &Account, retry_for: Option<&str>) {
        let configured = settings(model, account, retry_for);
        if self.configured != configured {
            self.bench.configure(&configured.0, &configured.1);
            self.client = client(&self.bench);
            self.configured = configured;
        }
    }

    /// Another process: what was in memory is gone.
    pub fn forget(&mut self) {
        self.client = client(&self.bench);
    }

    /// The store, once no other process has it.
    pub async fn open(&self) -> (Lock, Store) {
        let path = self.bench.store_path();
        let lock = Lock::take_within(&path, "a test", Duration::from_mins(1)).await.unwrap();
        let mut store = Store::open(&path, &lock).await.unwrap();
        store.mark_interrupted(&time::to_text(self.now())).await.unwrap();
        (lock, store)
    }

    /// Runs every query, a few rows a commit.
    pub async fn sync(&self, order: Order) -> Vec<Ran> {
        let (_lock, mut store) = self.open().await;
        let ran = self.runs(&mut store, &CancellationToken::new(), order).await;
        store.close().await.unwrap();
        ran
    }

    /// The same, but the process dies after so many polls.
    pub async fn sync_until_death(&self, polls: u64) {
        let (_lock, mut store) = self.open().await;
        let stop = CancellationToken::new();
        let _ = until_death(Box::pin(self.runs(&mut store, &stop, Order::default())), polls).await;
        store.close().await.unwrap();
    }

    /// The same, but told to stop after so many polls.
    pub async fn sync_with_signal(&self, polls: u64) -> Vec<Ran> {
        let (_lock, mut store) = self.open().await;
        let stop = CancellationToken::new();
        let runs = Box::pin(self.runs(&mut store, &stop, Order::default()));
        let ran = with_signal(runs, polls, &stop).await;
        store.close().await.unwrap();
        ran
    }

    /// As `sync --dry-run`.
    pub async fn rehearse(&self) -> Vec<Report> {
        let path = self.bench.store_path();
        let lock = Lock::take(&path, "a test").unwrap();
        let mut store = Store::rehearse(&path, &lock).await.unwrap();
        let order = Order { dry_run: true, ..Order::default() };
        let mut reports = Vec::new();
        store.retire(&self.bench.settings.query_names()).await.unwrap();
        for query in &self.bench.settings.queries {
            reports.push(self.run(query, &mut store, &CancellationToken::new(), order).await);
        }
        store.close().await.unwrap();
        reports
    }

    async fn runs(&self, store: &mut Store, stop: &CancellationToken, order: Order) -> Vec<Ran> {
        store.retire(&self.bench.settings.query_names()).await.unwrap();
        let mut ran = Vec::new();
        for query in &self.bench.settings.queries {
            let before = self.standing(&query.name).await;
            let report = self.run(query, store, stop, order).await;
            let sql = "SELECT id, mode, fetch, started_at, window_end FROM runs WHERE query";
            let sql = format!("{sql} = '{}' ORDER BY id DESC LIMIT 1", query.name);
            ran.push(Ran {
                query: NAMES.iter().position(|name| *name == query.name).unwrap(),
                definition: vainu_sync::run::definition(query, &self.bench.settings.api),
                order,
                before,
                after: self.standing(&query.name).await,
                line: self.rows_of(&sql).await.remove(0),
                report,
            });
        }
        ran
    }

    async fn run(&self, query: &Query, store: &mut Store, stop: &CancellationToken, order: Order) -> Report {
        let tools = Tools {
            settings: &self.bench.settings,
            client: &self.client,
            store,
            stop,
            progress: &(),
            clock: &|| self.now(),
            batch_rows: 3,
        };
        run(query, order, tools).await
    }

    async fn standing(&self, query: &str) -> Standing {
        let members = "(SELECT count(*) FROM _memberships WHERE query = id AND left_at IS NULL)";
        let sql = "SELECT definition, watermark, last_full_at, held, export";
        let sql = format!("{sql}, {members} AS members FROM _queries WHERE name = '{query}'");
        let unknown = Standing {
            definition: None,
            watermark: None,
            last_full_at: None,
            held: None,
            export: None,
            members: Number(0),
        };
        self.rows_of(&sql).await.pop().unwrap_or(unknown)
    }

    /// What any reader sees.
    pub async fn rows_of<T>(&self, sql: &str) -> Vec<T>
    where
        T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        let mut reader = self.reader.lock().await;
        sqlx::query_as(AssertSqlSafe(sql.to_owned())).fetch_all(&mut *reader).await.unwrap()
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.rows_of::<(i64,)>(sql).await[0].0
    }

    pub async fn texts(&self, sql: &str) -> Vec<String> {
        self.rows_of::<(String,)>(sql).await.into_iter().map(|(text,)| text).collect()
    }

    pub async fn last_change(&self) -> i64 {
        self.number("SELECT coalesce(max(seq), 0) FROM changes").await
    }

    pub async fn members(&self, query: usize) -> BTreeSet<String> {
        let name = NAMES[query];
        let sql = format!("SELECT business_id FROM memberships WHERE query = '{name}' AND left_at IS NULL");
        self.texts(&sql).await.into_iter().collect()
    }

    /// The log tells the whole truth. `lets_go`: what is old may be gone.
    pub async fn check_log(&mut self, lets_go: bool) {
        let old = time::to_text(self.now() - KEPT);
        let lines: Vec<Line> = self.rows_of(LINES).await;
        let known = self.texts("SELECT business_id FROM organizations").await.into_iter().collect();
        self.log.advance(lines, &known, lets_go.then_some(old.as_str()));
        assert_eq!(self.log.replayed(), as_logged(stored(&self.bench).await));
        assert_eq!(self.texts("PRAGMA integrity_check").await, ["ok"]);
    }
}

fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

fn client(bench: &Bench) -> Client {
    let soon = Delays { first: Duration::from_millis(1), longest: Duration::from_millis(4) };
    bench.client().with_delays(soon).with_polls(soon).with_count_waits(soon)
}

/// The table `[api]`, and the others.
fn settings(model: &Model, account: &Account, retry_for: Option<&str>) -> (String, String) {
    let count_timeout = if account.count == Count::Never { "10ms" } else { "1m" };
    let (page_size, retry_for) = (account.paging.page_size(), retry_for.unwrap_or("1m"));
    let api = format!(
        "page_size = {page_size}\nretry_for = \"{retry_for}\"\ncount_timeout = \"{count_timeout}\"\n"
    );
    let kept = "[store]\nkeep_changes = \"20d\"\nkeep_runs = \"20d\"\nkeep_departed = \"20d\"\n";
    let queries = model.asked.iter().zip(NAMES).filter(|(asked, _)| asked.present);
    (api, queries.fold(kept.to_owned(), |text, (asked, name)| text + &asked.toml(name, account.fetch)))
}
