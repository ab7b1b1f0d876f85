//! The daemon, beat by beat, with a clock that the test sets.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use vainu_sync::daemon::{Beat, Daemon, Setup};
use vainu_sync::run::{BATCH_ROWS, Order, Tools, run};
use vainu_sync::sandbox::{Endpoint, Fault};
use vainu_sync::store::{Lock, Store, StoreError};
use vainu_sync::vainu::Client;

use crate::bench::{ALL_OF_FI, Bench, numbered};

pub const MINUTE: SignedDuration = SignedDuration::from_mins(1);
pub const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A clock that shows what the test sets.
pub struct Clock(Mutex<Timestamp>);

impl Clock {
    pub fn at(now: &str) -> Self {
        Self(Mutex::new(now.parse().unwrap()))
    }

    pub fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    pub fn set(&self, now: &str) {
        *self.0.lock().unwrap() = now.parse().unwrap();
    }

    pub fn set_forward(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }

    pub fn set_back(&self, by: SignedDuration) {
        *self.0.lock().unwrap() -= by;
    }
}

/// A daemon that just started, its store made.
pub async fn watch<'a>(
    bench: &Bench,
    client: &Client,
    now: &'a (dyn Fn() -> Timestamp + Send + Sync),
) -> Daemon<'a> {
    let lock = Lock::take(&bench.store_path(), "a test").unwrap();
    Store::open(&bench.store_path(), &lock).await.unwrap().close().await.unwrap();
    Daemon::new(setup(bench, client), now, CancellationToken::new(), "a daemon".to_owned())
}

/// What the bench's configuration says now.
pub fn setup(bench: &Bench, client: &Client) -> Setup {
    Setup { settings: Arc::new(bench.settings.clone()), client: client.clone() }
}

/// What the next beats did, a letter each: R for a run.
pub async fn beats(daemon: &mut Daemon<'_>, count: usize) -> String {
    let mut letters = String::new();
    for _ in 0..count {
        letters.push(match daemon.beat().await {
            Beat::Ran(_) => 'R',
            Beat::Idle => '-',
            Beat::NoStore(error) => panic!("{error}"),
        });
    }
    letters
}

#[tokio::test(flavor = "multi_thread")]
async fn each_query_runs_at_the_start_and_makes_missed_ticks_up_once() {
    let queries = format!("{ALL_OF_FI}{}", ALL_OF_FI.replace("\"all\"", "\"other\""));
    let bench = Bench::with_rows(numbered(3), &queries).await;
    let (client, clock) = (bench.client(), Clock::at("2026-11-25T12:00:00Z"));
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 4).await, "RR--");
    clock.set_forward(DAY * 3);
    assert_eq!(beats(&mut daemon, 4).await, "RR--");
    let planned = bench.texts("SELECT planned_at FROM runs ORDER BY id LIMIT 2 OFFSET 2").await;
    assert_eq!(planned, ["2026-11-28T00:00:00.000Z"; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_tried_again_half_an_hour_later() {
    let mut bench = Bench::with_rows(numbered(3), ALL_OF_FI).await;
    bench.configure("retry_for = \"50ms\"", ALL_OF_FI);
    bench.control.fail_always(Endpoint::Organizations, Fault::Reset);
    let (client, clock) = (bench.client(), Clock::at("2026-11-25T12:00:00Z"));
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    bench.control.heal();
    clock.set_forward(MINUTE * 29);
    assert_eq!(beats(&mut daemon, 2).await, "--");
    clock.set_forward(MINUTE);
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    assert_eq!(bench.texts("SELECT status FROM runs ORDER BY id").await, ["failed", "succeeded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_years_ahead_when_the_daemon_started_silences_no_query() {
    let queries = format!("{ALL_OF_FI}catch_up = false\n");
    let bench = Bench::with_rows(numbered(3), &queries).await;
    let (client, clock) = (bench.client(), Clock::at("2036-11-25T12:00:00Z"));
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    clock.set("2026-11-25T23:59:59Z");
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    clock.set("2026-11-26T00:00:00Z");
    assert_eq!(beats(&mut daemon, 2).await, "R-");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_a_person_started_is_not_repeated_by_the_daemon() {
    let bench = Bench::with_rows(numbered(3), ALL_OF_FI).await;
    let (client, clock) = (bench.client(), Clock::at("2026-11-25T12:00:00Z"));
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    clock.set_forward(DAY);
    sync_by_hand(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 2).await, "--");
    assert_eq!(bench.number("SELECT count(*) FROM runs").await, 2);
}

#[tokio::test]
async fn a_run_by_hand_that_failed_is_tried_again_by_the_daemon() {
    let mut bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.configure("retry_for = \"20ms\"", ALL_OF_FI);
    let (clock, client) = (Clock::at("2026-11-25T12:00:00Z"), bench.client());
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    clock.set_forward(MINUTE * 10);
    bench.control.fail_always(Endpoint::Organizations, Fault::status(503));
    sync_by_hand(&bench, &client, &now).await;
    bench.control.heal();
    clock.set_forward(MINUTE * 29);
    assert_eq!(beats(&mut daemon, 1).await, "-");
    clock.set_forward(MINUTE * 2);
    assert_eq!(beats(&mut daemon, 1).await, "R");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_removed_or_replaced_is_not_made_anew() {
    let bench = Bench::with_rows(numbered(3), ALL_OF_FI).await;
    let (client, clock) = (bench.client(), Clock::at("2026-11-25T12:00:00Z"));
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    let (path, aside) = (bench.store_path(), bench.folder.path().join("aside.db"));
    std::fs::rename(&path, &aside).unwrap();
    clock.set_forward(DAY);
    let Beat::NoStore(error) = daemon.beat().await else { panic!("a store was found") };
    assert!(error.to_string().contains("was removed or replaced"), "{error}");
    assert!(!path.exists());
    std::fs::copy(&aside, &path).unwrap();
    clock.set_forward(MINUTE);
    assert!(matches!(daemon.beat().await, Beat::NoStore(_)), "a copy is another file");
    std::fs::rename(&aside, &path).unwrap();
    clock.set_forward(MINUTE);
    assert_eq!(beats(&mut daemon, 2).await, "R-");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_due_waits_for_another_process_and_then_starts() {
    let bench = Bench::with_rows(numbered(3), ALL_OF_FI).await;
    let (client, clock) = (bench.client(), Clock::at("2026-11-25T12:00:00Z"));
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    let lock = Lock::take(&bench.store_path(), "a person").unwrap();
    for _ in 0..3 {
        assert!(matches!(daemon.beat().await, Beat::NoStore(StoreError::InUse { .. })));
        clock.set_forward(SignedDuration::from_secs(1));
    }
    drop(lock);
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    assert_eq!(bench.number("SELECT count(*) FROM runs").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_was_read_again_adds_edits_and_removes_queries() {
    let named = |name: &str| ALL_OF_FI.replace("\"all\"", &format!("\"{name}\""));
    let mut bench = Bench::with_rows(numbered(3), &format!("{}{}", named("kept"), named("removed"))).await;
    let (client, clock) = (bench.client(), Clock::at("2026-11-25T12:00:00Z"));
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 3).await, "RR-");
    let hourly = named("kept").replace("@daily", "@hourly");
    let added = named("added").replace("?ALL", "?ANY");
    bench.configure("", &format!("{hourly}{added}"));
    daemon.take_over(setup(&bench, &client));
    assert_eq!(beats(&mut daemon, 2).await, "R-", "the one that was added never ran");
    clock.set_forward(MINUTE * 61);
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    clock.set_forward(DAY);
    assert_eq!(beats(&mut daemon, 3).await, "RR-");
    let runs = bench.texts("SELECT query FROM runs ORDER BY id").await;
    assert_eq!(runs[..4], ["kept", "removed", "added", "kept"]);
    assert_eq!(runs.iter().filter(|query| *query == "removed").count(), 1);
}

async fn sync_by_hand(bench: &Bench, client: &Client, clock: &(dyn Fn() -> Timestamp + Send + Sync)) {
    let lock = Lock::take(&bench.store_path(), "a person").unwrap();
    let mut store = Store::open(&bench.store_path(), &lock).await.unwrap();
    let tools = Tools {
        settings: &bench.settings,
        client,
        store: &mut store,
        stop: &CancellationToken::new(),
        progress: &(),
        clock,
        batch_rows: BATCH_ROWS,
    };
    run(&bench.settings.queries[0], Order::default(), tools).await;
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_asks_the_api_alike_keeps_the_access_token() {
    let mut bench = Bench::with_rows(numbered(3), ALL_OF_FI).await;
    let (client, clock) = (bench.client(), Clock::at("2026-11-25T12:00:00Z"));
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    bench.configure("", &ALL_OF_FI.replace("@daily", "@hourly"));
    daemon.take_over(setup(&bench, &bench.client()));
    clock.set_forward(DAY);
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    assert_eq!(bench.control.hits(Endpoint::Token), 1);
}

/// What is logged on this thread from now on.
fn logged() -> (Arc<Mutex<Vec<u8>>>, tracing::subscriber::DefaultGuard) {
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Arc::<Mutex<Vec<u8>>>::default();
    let writer = Arc::clone(&lines);
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || Lines(Arc::clone(&writer)));
    (lines, tracing::subscriber::set_default(subscriber.finish()))
}

#[tokio::test]
async fn a_damaged_store_is_an_error_that_is_said_once_with_what_to_do() {
    let bench = Bench::with_rows(numbered(3), ALL_OF_FI).await;
    let (client, clock) = (bench.client(), Clock::at("2026-11-25T12:00:00Z"));
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    bench.write("PRAGMA wal_checkpoint(TRUNCATE)").await;
    let whole = std::fs::read(bench.store_path()).unwrap();
    let mut damaged = whole.clone();
    damaged[16 * 1024..].fill(0x5a);
    std::fs::write(bench.store_path(), damaged).unwrap();
    let (log, _guard) = logged();
    let log = || String::from_utf8(log.lock().unwrap().clone()).unwrap();
    for _ in 0..20 {
        clock.set_forward(SignedDuration::from_hours(1));
        daemon.beat().await;
    }
    let said = log();
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("the store can't be used")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].contains("ERROR") && lines[0].contains("restore a backup"), "{said}");
    assert!(daemon.vitals().trouble().unwrap().contains("is damaged"));
    std::fs::write(bench.store_path(), whole).unwrap();
    clock.set_forward(DAY);
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    assert!(log().contains("the store can be used again"), "{}", log());
    assert_eq!(daemon.vitals().trouble(), None);
}
