//! `/healthz` and `/readyz`.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{ConnectOptions, Connection};
use vainu_sync::sandbox::{Endpoint, Fault};
use vainu_sync::store::Lock;

use super::{Served, read};
use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::life::{Service, until_succeeded};
use crate::program::until;

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_is_healthy_and_ready_also_while_its_run_waits_for_an_api_that_hangs() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.control.fail_always(Endpoint::Organizations, Fault::Stall);
    let (service, address) = Service::listening(&bench).await;
    until("a page is asked for", async || bench.control.hits(Endpoint::Organizations) > 0).await;
    assert_eq!(read(address, "/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(read(address, "/readyz").await, (200, "ok\n".to_owned()));
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_hangs_is_unhealthy_and_one_that_waits_for_its_run_is_not() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let served = Served::of(&bench, Timestamp::now).await;
    let run = served.vitals.alive_while(tokio::time::sleep(Duration::from_hours(5)));
    let look = async {
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_secs(100)).await;
            assert!(served.vitals.is_alive());
        }
    };
    tokio::join!(run, look);
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    let (status, text) = read(served.address, "/healthz").await;
    assert_eq!(status, 503);
    assert!(text.contains("it hangs; restart it"), "{text}");
    let (_, page) = read(served.address, "/").await;
    assert!(page.contains("it hangs. Restart it."), "{page}");
    served.vitals.beat();
    assert_eq!(read(served.address, "/healthz").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_written_is_not_ready_and_the_reason_is_told() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let (service, address) = Service::listening(&bench).await;
    until_succeeded(&bench, "all", 1).await;
    let ready = async |wanted: u16, words: &str| {
        until(words, async || {
            let (status, text) = read(address, "/readyz").await;
            status == wanted && text.contains(words)
        })
        .await;
    };
    ready(200, "ok").await;
    let mut viewer =
        sqlx::sqlite::SqliteConnectOptions::new().filename(bench.store_path()).connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut viewer).await.unwrap();
    ready(503, "another program is writing to").await;
    let lock = Lock::take(&bench.store_path(), "a feed of a million members").unwrap();
    ready(200, "ok").await;
    drop(lock);
    ready(503, "another program is writing to").await;
    assert_eq!(read(address, "/healthz").await.0, 200, "the loop lives all the same");
    let (_, page) = read(address, "/").await;
    assert!(
        page.contains("The store can&#39;t be written: ") || page.contains("The store can't be written: "),
        "{page}"
    );
    viewer.close().await.unwrap();
    ready(200, "ok").await;
    std::fs::rename(bench.store_path(), bench.folder.path().join("aside.db")).unwrap();
    ready(503, "there is no store at").await;
    std::fs::rename(bench.folder.path().join("aside.db"), bench.store_path()).unwrap();
    ready(200, "ok").await;
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_whether_the_store_is_ready_leaves_its_files_as_they_are() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.sync_one().await;
    let served = Served::of(&bench, Timestamp::now).await;
    let before = std::fs::read(bench.store_path()).unwrap();
    assert_eq!(read(served.address, "/readyz").await.0, 200);
    assert!(before == std::fs::read(bench.store_path()).unwrap(), "nothing was written");
    let wal = bench.store_path().with_extension("db-wal");
    assert!(wal.exists(), "readers that may not write the folder need the log");
}
