//! Several programs on one store.

use std::fs;
use std::process::{Child, Stdio};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use vainu_sync::sandbox::{Endpoint, Fault};
use vainu_sync::store::Status;

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::{Ended, ended, program, signal, until, vainu_sync};

/// A `sync` that hangs in its first page, for as long as the sandbox does not heal.
async fn hung_sync(bench: &Bench) -> Child {
    bench.control.fail(Endpoint::Organizations, Fault::Stall, 1);
    let sync = spawn(bench, &["sync"]);
    until("the page is asked for", async || bench.control.hits(Endpoint::Organizations) > 0).await;
    sync
}

fn spawn(bench: &Bench, args: &[&str]) -> Child {
    let mut command = program(bench.folder.path());
    command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

async fn end_of(child: Child) -> Ended {
    ended(tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap())
}

/// Another program's connection, as a desktop viewer has it.
async fn viewer(bench: &Bench) -> SqliteConnection {
    SqliteConnectOptions::new().filename(bench.store_path()).connect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_says_who_has_the_store_and_with_a_wait_follows_it() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let first = hung_sync(&bench).await;
    let refused = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(refused.code, Some(75));
    let holder = format!("`vainu-sync sync` (process {}, since 20", first.id());
    assert!(refused.err.contains(&holder), "{}", refused.err);
    let second = spawn(&bench, &["sync", "--wait", "10m"]);
    signal(&first, "TERM");
    assert_eq!(end_of(first).await.code, Some(1));
    let second = end_of(second).await;
    assert_eq!(second.code, Some(0), "{}", second.err);
    let runs = bench.texts("SELECT status FROM runs ORDER BY id").await;
    assert_eq!(runs, ["interrupted", "succeeded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_wait_for_the_store_and_leaves_no_run() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let first = hung_sync(&bench).await;
    let waiting = spawn(&bench, &["sync", "--wait", "10m"]);
    until("both have looked at the store", async || bench.store_path().exists()).await;
    signal(&waiting, "TERM");
    assert_ne!(end_of(waiting).await.code, Some(0));
    signal(&first, "TERM");
    end_of(first).await;
    assert_eq!(bench.number("SELECT count(*) FROM runs").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_that_holds_the_store_is_waited_for_and_then_said() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.sync_one().await;
    let mut viewer = viewer(&bench).await;
    let held = viewer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    bench.control.set_rows("FI", numbered(9));
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(sync.code, Some(75), "{}", sync.err);
    let said = format!("{}{}", sync.out, sync.err);
    assert!(said.contains("another program is writing to") && said.contains("vainu.db"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    held.rollback().await.unwrap();
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    assert_eq!(bench.members("all").await.len(), 9);
}

/// A `sync` that has begun its run, and can't go on for another program that writes to the store.
async fn blocked_sync(bench: &Bench, viewer: &mut SqliteConnection) -> Child {
    bench.control.fail(Endpoint::Organizations, Fault::retry_after(503, "1"), 1);
    let before = bench.control.hits(Endpoint::Organizations);
    let asked = || bench.control.hits(Endpoint::Organizations) - before;
    let sync = spawn(bench, &["sync"]);
    until("the run has begun", async || asked() > 0).await;
    sqlx::query("BEGIN IMMEDIATE").execute(viewer).await.unwrap();
    until("two thousand rows are to be stored", async || asked() > 3).await;
    sync
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_run_that_waits_for_another_program_and_a_second_one_does_so_at_once() {
    let renamed: Vec<String> =
        (1..=2500).map(|n| crate::bench::row(&format!("FI{n:05}"), "Renamed")).collect();
    for signals in [&["TERM"][..], &["TERM", "INT"]] {
        let bench = Bench::with_rows(numbered(2500), ALL_OF_FI).await;
        bench.sync_one().await;
        bench.control.set_rows("FI", renamed.clone());
        let mut viewer = viewer(&bench).await;
        let sync = blocked_sync(&bench, &mut viewer).await;
        for name in signals {
            signal(&sync, name);
        }
        let sync = end_of(sync).await;
        let waited = sync.err.contains("could not end in time");
        assert_eq!((sync.code, waited), (Some(1), signals.len() == 1), "{}", sync.err);
        viewer.close().await.unwrap();
        assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
        let runs = bench.texts("SELECT status FROM runs ORDER BY id").await;
        assert_eq!(runs, ["succeeded", "interrupted", "succeeded"]);
        let renamed = "SELECT count(*) FROM members_all WHERE name = 'Renamed'";
        assert_eq!(bench.number(renamed).await, 2500);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_a_reader_kept_from_being_recycled_shrinks_once_it_lets_go() {
    const LIMIT: u64 = 64 * 1024 * 1024;
    let rows = |night: usize| {
        let filling = night.to_string().repeat(12_000);
        (0..2000).map(|n| format!(r#"{{"business_id":"FI{n:05}","name":"{filling}"}}"#)).collect::<Vec<_>>()
    };
    let bench = Bench::with_rows(rows(0), ALL_OF_FI).await;
    bench.sync_one().await;
    let mut reader = bench.reader().await;
    let mut reading = reader.begin().await.unwrap();
    let count = "SELECT count(*) FROM organizations";
    let _: i64 = sqlx::query_scalar(count).fetch_one(&mut *reading).await.unwrap();
    for night in 1..=3 {
        bench.control.set_rows("FI", rows(night));
        assert_eq!(bench.sync_one().await.status, Status::Succeeded);
    }
    let log = bench.folder.path().join("vainu.db-wal");
    assert!(fs::metadata(&log).unwrap().len() > LIMIT, "the reader was in nobody's way");
    reading.rollback().await.unwrap();
    reader.close().await.unwrap();
    assert_eq!(bench.sync_one().await.numbers.unchanged, 2000);
    let size = fs::metadata(&log).unwrap().len();
    assert!(size <= LIMIT, "{size} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_removed_during_a_run_fails_it() {
    let bench = Bench::with_rows(numbered(2500), ALL_OF_FI).await;
    bench.sync_one().await;
    let path = bench.store_path();
    let aside = bench.folder.path().join("aside.db");
    let (from, to) = (path.clone(), aside.clone());
    bench.control.set_rows("FI", numbered(2600));
    bench.control.on_request(Endpoint::Organizations, 2, move |_| fs::rename(from, to).unwrap());
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(sync.code, Some(1), "{}", sync.err);
    assert!(sync.out.contains("was removed or replaced while"), "{}", sync.out);
    assert!(!path.exists(), "no other store was made in its place");
    fs::rename(aside, path).unwrap();
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    assert_eq!(bench.members("all").await.len(), 2600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_reached_by_a_link_is_the_same_store() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.sync_one().await;
    std::os::unix::fs::symlink(bench.store_path(), bench.folder.path().join("link.db")).unwrap();
    let before = bench.control.hits(Endpoint::Organizations);
    bench.control.fail(Endpoint::Organizations, Fault::Stall, 1);
    let first = spawn(&bench, &["sync"]);
    until("the page is asked for", async || bench.control.hits(Endpoint::Organizations) > before).await;
    assert_eq!(vainu_sync(&bench, &["sync", "--store", "link.db"]).await.code, Some(75));
    signal(&first, "TERM");
    end_of(first).await;
}
