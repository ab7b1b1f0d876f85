//! One fault at one request: a store that was in order meets it, and the next run meets none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tracing::instrument::WithSubscriber as _;
use vainu_sync::cli::Exit;
use vainu_sync::config::settings::{Credential, Secret};
use vainu_sync::run::{Order, Report};
use vainu_sync::sandbox::{Endpoint, Options, Sandbox, World};
use vainu_sync::store::Status;
use vainu_sync::vainu::{Client, Delays};

use super::heard::{Ear, Warning};
use super::kinds::{At, Kind};
use crate::bench::{ALL_OF_FI, Bench, numbered, row};
use crate::replay::assert_log_is_true;

/// A company that is no longer there when the fault comes.
const GONE: &str = "FI00013";
/// One that a listing lacks for which departures are asked, though it is there.
const HIDDEN: &str = "FI00005";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub kind: Kind,
    pub at: At,
    /// It stays for longer than the program tries.
    pub lasts: bool,
}

/// How much of what is new in Vainu was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    Nothing,
    Part,
    All,
}

/// What a user sees of the run that met the fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub status: Status,
    pub exit: u8,
    pub error: Option<String>,
    pub warnings: Vec<Warning>,
    pub stored: Stored,
    pub is_gone_left: bool,
}

/// Where a cell's store comes from, and a host that nothing is to be sent to.
#[derive(Clone)]
pub struct Given {
    pub stores: PathBuf,
    pub elsewhere: String,
}

/// How Vainu was when the store was filled.
pub fn before() -> Vec<String> {
    numbered(120)
}

/// How it is since: one is renamed on each of the first two pages, one is gone, one is new on the last.
fn now() -> Vec<String> {
    let mut rows = numbered(121);
    rows[0] = row("FI00001", "Company of another name");
    rows[69] = row("FI00070", "Company of a third name");
    rows.retain(|row| !row.contains(GONE));
    rows
}

/// What is asked when the store is filled.
pub fn first_query(by_export: bool) -> String {
    let fetch = if by_export { "export" } else { "pages" };
    format!("{ALL_OF_FI}fetch = \"{fetch}\"\n")
}

/// The catalogue is asked only for a query that was edited.
fn query(at: At) -> String {
    let query = first_query(at.is_export());
    if at == At::Catalogue {
        return query.replace(r#"{"?ALL": []}"#, r#"{"?STARTSWITH": {"name": "Company"}}"#);
    }
    query
}

impl Cell {
    /// Meets the fault and recovers.
    pub async fn run(self, given: Given) -> Outcome {
        let mut bench = self.bench(&given).await;
        let words = self.words(&bench);
        let fault = self.kind.fault(self.at, &words, &given.elsewhere);
        let times = (!self.lasts).then_some(self.kind.passing());
        self.at.strike(&bench.control, fault, times);
        let ear = Ear::default();
        let report = sync(&bench).with_subscriber(ear.dispatch()).await;
        let outcome = self.outcome(&bench, report, ear.heard()).await;
        assert_log_is_true(&bench).await;
        bench.control.heal();
        self.configure(&mut bench, "");
        assert_recovered(&bench, sync(&bench).await).await;
        outcome
    }

    async fn bench(self, given: &Given) -> Bench {
        let folder = TempDir::new().unwrap();
        copy_all(&given.stores.join(if self.at.is_export() { "export" } else { "pages" }), folder.path());
        let sandbox =
            Sandbox::start(Options { world: World::Fixed(now()), ..Options::default() }).await.unwrap();
        let mut bench = Bench::in_folder(folder, sandbox, &query(self.at));
        bench.control.switch(|switches| switches.page_cap = Some(50));
        if self.at == At::Confirmation {
            hide_while_listed(&bench);
        }
        self.configure(&mut bench, self.patience());
        bench
    }

    fn configure(self, bench: &mut Bench, patience: &str) {
        bench.configure(&format!("concurrency = 1\n{patience}"), &query(self.at));
        if self.at == At::ClientCredentials {
            let secret = Secret::Value(bench.sandbox.client_secret().into());
            bench.settings.credential = Some(Credential::Client { id: bench.sandbox.client_id(), secret });
        }
    }

    /// Short where the fault lasts, and long where it passes. A stall is noticed by time alone: there is room
    /// for a machine that is slow.
    fn patience(self) -> &'static str {
        match (self.lasts, self.kind.is_stall()) {
            (true, true) => "retry_for = \"2s\"\ntimeout = \"1s\"",
            (true, false) => "retry_for = \"20ms\"",
            (false, true) => "retry_for = \"1m\"\ntimeout = \"1s\"",
            (false, false) => "retry_for = \"1m\"",
        }
    }

    /// What the server says; a token endpoint says what is secret.
    fn words(self, bench: &Bench) -> String {
        match self.at {
            At::RefreshToken => bench.sandbox.refresh_token(),
            At::ClientCredentials => bench.sandbox.client_secret(),
            _ => "the server's words".to_owned(),
        }
    }

    async fn outcome(self, bench: &Bench, report: Report, warnings: Vec<Warning>) -> Outcome {
        let exit = Exit::of_run(&report).code();
        let written =
            bench.rows::<(String, Option<String>)>("SELECT status, error FROM runs ORDER BY id").await;
        assert_eq!(written.last(), Some(&(report.status.to_string(), report.error.clone())));
        let told = format!("{:?}{warnings:?}", report.error);
        let secrets =
            [&bench.sandbox.refresh_token(), &bench.sandbox.client_secret(), "Bearer", "token=", "hush"];
        for secret in secrets {
            assert!(!told.contains(secret), "{told}");
        }
        assert_nothing_invented(bench).await;
        let gone = bench.texts("SELECT business_id FROM memberships WHERE left_at IS NOT NULL").await;
        assert!(gone.iter().all(|id| id == GONE), "{gone:?} left");
        let is_gone_left = !gone.is_empty();
        Outcome {
            status: report.status,
            exit,
            error: report.error,
            warnings,
            stored: stored(bench).await,
            is_gone_left,
        }
    }
}

async fn sync(bench: &Bench) -> Report {
    let soon = |ms| Delays { first: Duration::from_millis(ms), longest: Duration::from_millis(2 * ms) };
    let credential = bench.settings.require_credential().unwrap();
    let client = Client::new(&bench.settings.api, credential, &bench.settings.store.path).unwrap();
    let client = client.with_delays(soon(2)).with_polls(soon(2));
    bench.sync_with(&client, Order::default()).await.remove(0)
}

/// One is missing from the four pages of the listing, and there before and after them.
fn hide_while_listed(bench: &Bench) {
    bench.control.on_request(Endpoint::Organizations, 1, |control| {
        control.set_rows("FI", now().into_iter().filter(|row| !row.contains(HIDDEN)).collect());
    });
    bench.control.on_request(Endpoint::Organizations, 5, |control| control.set_rows("FI", now()));
}

fn by_id(rows: Vec<String>) -> BTreeMap<String, String> {
    let id = |row: &String| row.split('"').nth(3).unwrap().to_owned();
    rows.into_iter().map(|row| (id(&row), row)).collect()
}

/// Asserts that who is stored is as Vainu had it once.
async fn assert_nothing_invented(bench: &Bench) {
    let (before, now) = (by_id(before()), by_id(now()));
    for (id, document) in bench.members("all").await {
        assert!([before.get(&id), now.get(&id)].contains(&Some(&document)), "{document}");
    }
}

async fn stored(bench: &Bench) -> Stored {
    let (members, now) = (bench.members("all").await, by_id(now()));
    let news = ["FI00001", "FI00070", "FI00121"];
    match news.iter().filter(|id| members.get(**id) == now.get(**id)).count() {
        0 => Stored::Nothing,
        3 => Stored::All,
        _ => Stored::Part,
    }
}

/// Asserts that the run after the fault has made everything good, by itself.
async fn assert_recovered(bench: &Bench, report: Report) {
    assert_eq!(report.status, Status::Succeeded, "the next run: {:?}", report.error);
    assert_eq!(bench.members("all").await, by_id(now()));
    assert_log_is_true(bench).await;
    // Each thing that happened stands in the log once, by whichever run.
    let news = ["updated FI00001", "left FI00013", "updated FI00070", "created FI00121"];
    let mut logged = bench.log().await.split_off(120);
    logged.sort_by_key(|entry| entry.split(' ').nth(1).map(str::to_owned));
    assert_eq!(logged, news);
}

fn copy_all(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
