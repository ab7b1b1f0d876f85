//! The daemon's life, and what signals do, as whoever runs the service sees it.

use std::fs::{self, File};
use std::process::{Child, Stdio};
use std::time::Duration;

use sqlx::{ConnectOptions, Connection, Executor};
use tokio::net::UnixDatagram;
use vainu_sync::sandbox::{Endpoint, Fault, Rotation};

use crate::bench::{ALL_OF_FI, Bench, named, numbered};
use crate::program::{program, signal, until, vainu_sync};

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_runs_what_never_ran_and_ends_cleanly_when_told() {
    let bench = Bench::with_rows(numbered(20), ALL_OF_FI).await;
    let mut daemon = program(bench.folder.path()).arg("run").stderr(Stdio::null()).spawn().unwrap();
    until("the first run succeeded", async || {
        bench.store_path().exists()
            && vainu_sync(&bench, &["status", "--max-age", "1h"]).await.code == Some(0)
    })
    .await;
    let second = vainu_sync(&bench, &["run"]).await;
    assert_eq!(second.code, Some(75), "{}", second.err);
    assert!(second.err.contains("in use by `vainu-sync run` (process "), "{}", second.err);
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0), "sync works beside an idle daemon");
    signal(&daemon, "TERM");
    let code = tokio::task::spawn_blocking(move || daemon.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_run_that_waits_as_interrupted_with_its_batches_kept() {
    for signal_name in ["TERM", "INT"] {
        let mut bench = Bench::with_rows(numbered(2500), ALL_OF_FI).await;
        bench.configure("concurrency = 1", ALL_OF_FI);
        bench.control.fail_after(Endpoint::Organizations, 2, Fault::Stall, 1000);
        let mut sync = program(bench.folder.path()).arg("sync").stdout(Stdio::null()).spawn().unwrap();
        until("the third page is waited for", async || bench.control.hits(Endpoint::Organizations) == 3)
            .await;
        signal(&sync, signal_name);
        let code = tokio::task::spawn_blocking(move || sync.wait().unwrap().code()).await.unwrap();
        assert_eq!(code, Some(1));
        assert_eq!(bench.texts("SELECT status FROM runs").await, ["interrupted"]);
        assert_eq!(bench.number("SELECT count(*) FROM organizations").await, 1999);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_starts_and_records_failed_runs_though_the_api_is_down() {
    let mut bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.configure("retry_for = \"100ms\"", ALL_OF_FI);
    for endpoint in Endpoint::ALL {
        bench.control.fail_always(endpoint, Fault::status(503));
    }
    let mut daemon = program(bench.folder.path()).arg("run").stderr(Stdio::null()).spawn().unwrap();
    until("a run has failed", async || {
        bench.store_path().exists()
            && vainu_sync(&bench, &["status", "--json"]).await.out.contains("\"status\":\"failed\"")
    })
    .await;
    signal(&daemon, "TERM");
    let code = tokio::task::spawn_blocking(move || daemon.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(0));
}

/// A daemon whose log goes to a file.
pub struct Service {
    pub child: Child,
    pub log: std::path::PathBuf,
}

impl Service {
    pub fn start(bench: &Bench) -> Self {
        let log = bench.folder.path().join("log");
        let child =
            program(bench.folder.path()).arg("run").stderr(File::create(&log).unwrap()).spawn().unwrap();
        Self { child, log }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Its exit code after SIGTERM.
    pub async fn stop(mut self) -> Option<i32> {
        signal(&self.child, "TERM");
        tokio::task::spawn_blocking(move || self.child.wait().unwrap().code()).await.unwrap()
    }
}

pub async fn until_succeeded(bench: &Bench, query: &str, runs: i64) {
    until("a query has succeeded", async || {
        bench.store_path().exists()
            && sqlx::query_scalar("SELECT count(*) FROM runs WHERE query = ? AND status = 'succeeded'")
                .bind(query)
                .fetch_one(&mut bench.reader().await)
                .await
                .is_ok_and(|count: i64| count >= runs)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_reads_the_configuration_again_and_a_wrong_one_is_refused_with_its_place() {
    let mut bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let service = Service::start(&bench);
    until_succeeded(&bench, "all", 1).await;
    let right = fs::read_to_string(bench.folder.path().join("config.toml")).unwrap();
    fs::write(bench.folder.path().join("config.toml"), right.replace("schedule", "shedule")).unwrap();
    signal(&service.child, "HUP");
    until("the wrong configuration is refused", async || service.log().contains("shedule")).await;
    let log = service.log();
    assert!(log.contains("refused, the old one stays") && log.contains("config.toml:"), "{log}");
    fs::write(bench.folder.path().join("config.toml"), format!("{right}\n[store]\npath = \"other.db\"\n"))
        .unwrap();
    signal(&service.child, "HUP");
    until("another store is refused", async || service.log().contains("restart to use it")).await;
    bench.configure("", &format!("{ALL_OF_FI}{}", ALL_OF_FI.replace("\"all\"", "\"added\"")));
    signal(&service.child, "HUP");
    until_succeeded(&bench, "added", 1).await;
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_during_a_run_is_heeded_once_the_run_has_ended() {
    let mut bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.control.fail(Endpoint::Organizations, Fault::retry_after(429, "2"), 1);
    let service = Service::start(&bench);
    until("a run is under way", async || bench.control.hits(Endpoint::Organizations) > 0).await;
    bench.configure("", &named("added", r#"["website"]"#));
    signal(&service.child, "HUP");
    until("it was read", async || service.log().contains("read again and is right")).await;
    until_succeeded(&bench, "added", 1).await;
    assert_eq!(bench.texts("SELECT query FROM runs ORDER BY id").await, ["all", "added"]);
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_ends_cleanly_whatever_its_run_waits_for() {
    for fault in [Fault::retry_after(429, "600"), Fault::Stall, Fault::status(503)] {
        let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
        bench.control.fail_always(Endpoint::Organizations, fault.clone());
        let service = Service::start(&bench);
        until("a page is asked for", async || bench.control.hits(Endpoint::Organizations) > 0).await;
        assert_eq!(service.stop().await, Some(0), "{fault:?}");
        assert_eq!(bench.texts("SELECT status FROM runs").await, ["interrupted"], "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_starts_while_the_api_hangs_ends_cleanly_too() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.control.fail_always(Endpoint::Token, Fault::Stall);
    let service = Service::start(&bench);
    until("a token is asked for", async || bench.control.hits(Endpoint::Token) > 0).await;
    assert_eq!(service.stop().await, Some(0));
    assert_eq!(bench.number("SELECT count(*) FROM runs").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_store_is_refused_with_the_name_of_the_first() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let service = Service::start(&bench);
    until_succeeded(&bench, "all", 1).await;
    let second = vainu_sync(&bench, &["run"]).await;
    assert_eq!(second.code, Some(75));
    let holder = format!("`vainu-sync run` (process {}, since 20", service.child.id());
    assert!(second.err.contains(&holder), "{}", second.err);
    assert_eq!(service.stop().await, Some(0));
}

/// What the service manager is told next.
async fn told(socket: &UnixDatagram) -> String {
    let mut text = [0; 200];
    let length = tokio::time::timeout(Duration::from_mins(1), socket.recv(&mut text)).await.unwrap().unwrap();
    String::from_utf8_lossy(&text[..length]).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_is_told_when_the_daemon_is_ready_reloads_and_stops() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let path = bench.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut command = program(bench.folder.path());
    let mut daemon = command.arg("run").env("NOTIFY_SOCKET", &path).stderr(Stdio::null()).spawn().unwrap();
    assert_eq!(told(&socket).await, "READY=1");
    signal(&daemon, "HUP");
    let reloading = told(&socket).await;
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(told(&socket).await, "READY=1");
    signal(&daemon, "TERM");
    assert_eq!(told(&socket).await, "STOPPING=1");
    tokio::task::spawn_blocking(move || daemon.wait().unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watchdog_hears_that_the_daemon_lives_though_a_run_hangs() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.control.fail_always(Endpoint::Organizations, Fault::Stall);
    let path = bench.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut command = program(bench.folder.path());
    command.arg("run").env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000").stderr(Stdio::null());
    let mut daemon = command.spawn().unwrap();
    assert_eq!(told(&socket).await, "READY=1");
    until("a page is asked for, and not answered", async || {
        assert_eq!(told(&socket).await, "WATCHDOG=1");
        bench.control.hits(Endpoint::Organizations) > 0
    })
    .await;
    for _ in 0..3 {
        assert_eq!(told(&socket).await, "WATCHDOG=1");
    }
    signal(&daemon, "TERM");
    tokio::task::spawn_blocking(move || daemon.wait().unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watchdog_hears_that_the_daemon_lives_though_its_feeds_wait_at_the_start() {
    let mut bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    let feed = "[[feeds]]\nname = \"crm\"\nqueries = [\"all\"]\nformat = \"csv\"\ndirectory = \".\"\n\
                columns = { \"Name\" = \"name\" }\n";
    bench.configure("", &format!("{ALL_OF_FI}{feed}"));
    let mut other =
        sqlx::sqlite::SqliteConnectOptions::new().filename(bench.store_path()).connect().await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let (path, log) = (bench.folder.path().join("notify"), bench.folder.path().join("log"));
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut command = program(bench.folder.path());
    command.arg("run").stdout(Stdio::null()).env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    let mut daemon = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
    assert_eq!(told(&socket).await, "READY=1");
    for _ in 0..3 {
        assert_eq!(told(&socket).await, "WATCHDOG=1");
    }
    let log = fs::read_to_string(&log).unwrap();
    assert!(log.contains("daemon started") && !log.contains("feed"), "they are not given up yet: {log}");
    signal(&daemon, "TERM");
    tokio::task::spawn_blocking(move || daemon.wait().unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_while_a_refresh_is_under_way_loses_no_refresh_token() {
    for args in [&["check", "--online"][..], &["run"], &["sync"]] {
        let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
        bench.control.switch(|switches| {
            switches.rotation = Rotation::OldEnds;
            switches.latency = Duration::from_secs(1);
        });
        let mut command = program(bench.folder.path());
        let mut child = command.args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until("a token is asked for", async || bench.control.hits(Endpoint::Token) > 0).await;
        signal(&child, "TERM");
        tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
        bench.control.switch(|switches| switches.latency = Duration::ZERO);
        let sync = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(sync.code, Some(0), "{args:?}: {}", sync.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_program_that_hangs_in_a_read() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let fifo = bench.folder.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut command = program(bench.folder.path());
    command.args(["sync", "--config", "fifo"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // Opened from the other end, so that it reads by now, and gets nothing.
    let writer = tokio::task::spawn_blocking(move || File::create(fifo).unwrap()).await.unwrap();
    signal(&child, "TERM");
    signal(&child, "INT");
    let code = tokio::task::spawn_blocking(move || child.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(1));
    drop(writer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_starts_while_another_program_holds_the_store_waits_for_it() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.sync_one().await;
    let mut viewer =
        sqlx::sqlite::SqliteConnectOptions::new().filename(bench.store_path()).connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut viewer).await.unwrap();
    let service = Service::start(&bench);
    until("it says so", async || service.log().contains("can't be used yet")).await;
    viewer.close().await.unwrap();
    until("it lives", async || service.log().contains("daemon started")).await;
    assert_eq!(service.stop().await, Some(0));
}
