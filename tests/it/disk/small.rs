//! What else wants room: a kept refresh token, `init`, the daemon.

use std::fs;
use std::path::Path;

use jiff::SignedDuration;
use vainu_sync::daemon::Beat;
use vainu_sync::sandbox::{Endpoint, Rotation};
use vainu_sync::store::Status;

use super::{Disk, ON_THE_DISK, told};
use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::daemon::{Clock, watch};
use crate::init::Beginning;
use crate::program::vainu_sync;
use crate::replay::assert_log_is_true;

/// Takes up all the room that is left.
fn fill_up(folder: &Path) {
    let filler = folder.join("filler");
    let _ = std::io::copy(&mut std::io::repeat(0), &mut fs::File::create(filler).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_refresh_token_is_spent_without_room_for_the_next() {
    let mut bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let Some(disk) = Disk::of_kb(bench.folder.path(), 4096) else { return };
    bench.configure("", &format!("{ON_THE_DISK}{ALL_OF_FI}"));
    bench.control.switch(|switches| switches.rotation = Rotation::OldEnds);
    let first = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(first.code, Some(0), "{}", told(&first));
    let kept = fs::read(disk.folder.join("vainu.db.token")).unwrap();
    let hits = bench.control.hits(Endpoint::Token);
    fill_up(&disk.folder);
    for command in [&["sync"][..], &["sync", "--dry-run"], &["check", "--online"]] {
        let full = vainu_sync(&bench, command).await;
        assert_eq!(full.code, Some(1), "{command:?}: {}", told(&full));
        let told = told(&full);
        assert!(told.contains("with room on the disk") || told.contains("the disk is full, "), "{told}");
    }
    assert_eq!(bench.control.hits(Endpoint::Token), hits, "nothing was spent");
    assert_eq!(fs::read(disk.folder.join("vainu.db.token")).unwrap(), kept);
    fs::remove_file(disk.folder.join("filler")).unwrap();
    let after = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(after.code, Some(0), "{}", told(&after));
}

#[tokio::test(flavor = "multi_thread")]
async fn init_on_a_full_disk_leaves_no_file_and_succeeds_once_there_is_room() {
    let beginning = Beginning::start().await;
    let Some(disk) = Disk::of_kb(beginning.folder.path(), 4) else { return };
    let token = beginning.sandbox.refresh_token();
    let mut failures = 0;
    // The configuration and the secret file have the small disk for themselves.
    for kb in (4..).step_by(4) {
        disk.resize(kb);
        let args = ["--config", "disk/config.toml", "--store", "vainu.db", "--database", "FI"];
        let init = beginning.init(&args, token.clone()).await;
        if init.code == Some(0) {
            break;
        }
        failures += 1;
        assert_eq!(init.code, Some(1), "{}", told(&init));
        assert!(init.err.contains("disk/") && init.err.contains("No space left"), "{}", init.err);
        assert!(init.err.contains("make room") && !init.err.contains("panicked"), "{}", init.err);
        assert_eq!(fs::read_dir(&disk.folder).unwrap().count(), 0, "no half file");
    }
    assert!(failures > 0);
    // The store's own folder has no room for a token that the server may give.
    fs::remove_file(disk.folder.join("config.toml")).unwrap();
    fs::remove_file(disk.folder.join("refresh-token")).unwrap();
    fill_up(&disk.folder);
    let hits = beginning.sandbox.control().hits(Endpoint::Token);
    let init = beginning.init(&["--store", "disk/vainu.db", "--database", "FI"], token.clone()).await;
    assert_eq!(init.code, Some(1), "{}", told(&init));
    assert!(init.err.contains("with room on the disk"), "{}", init.err);
    assert_eq!(beginning.sandbox.control().hits(Endpoint::Token), hits);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_room_writes_down_why_and_the_next_query_runs() {
    let few = ALL_OF_FI
        .replace("\"all\"", "\"few\"")
        .replace(r#"{"?ALL": []}"#, r#"{"?EQ": {"business_id": "FI00001"}}"#);
    let mut bench = Bench::with_rows(numbered(3000), ALL_OF_FI).await;
    bench.configure("", &format!("{ON_THE_DISK}{ALL_OF_FI}{few}"));
    // At some size there is room for some batches, and beside them for a small run.
    for kb in (1280..=2560).step_by(64) {
        let Some(_disk) = Disk::of_kb(bench.folder.path(), kb) else { return };
        let full = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(full.code, Some(1), "{kb} kB: {}", told(&full));
        let runs = "SELECT query || ' ' || status || ' ' || coalesce(error, '') FROM runs ORDER BY id";
        let runs = bench.texts(runs).await;
        let is_full = |query: &str, run: &str| run.starts_with(&format!("{query} failed the disk is full, "));
        match &runs.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [all, "few succeeded "] if is_full("all", all) => return,
            [all, few] => assert!(is_full("all", all) && is_full("few", few), "{kb} kB: {runs:?}"),
            // Without room for the begin of a run, that is not written down.
            fewer => assert!(
                fewer.iter().all(|run| run.contains(" failed the disk is full, ")),
                "{kb} kB: {runs:?}"
            ),
        }
    }
    panic!("at no size did the small run succeed beside the large one");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_goes_on_and_recovers_at_the_next_try() {
    let mut bench = Bench::with_rows(numbered(3000), ALL_OF_FI).await;
    let Some(disk) = Disk::of_kb(bench.folder.path(), 1024) else { return };
    bench.configure("", &format!("{ON_THE_DISK}{ALL_OF_FI}"));
    let (client, clock) = (bench.client(), Clock::at("2026-11-25T12:00:00Z"));
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    for retry in ["30m", "1h", "2h"] {
        let Beat::Ran(report) = daemon.beat().await else { panic!("a run is due") };
        assert_eq!(report.status, Status::Failed);
        let error = report.error.unwrap();
        assert!(error.contains("the disk is full, ") && error.contains("vainu.db"), "{error}");
        assert!(matches!(daemon.beat().await, Beat::Idle));
        let wait: std::time::Duration = humantime::parse_duration(retry).unwrap();
        clock.set_forward(SignedDuration::try_from(wait).unwrap());
    }
    // Without room for a single page more, not even the begin of a run is stored.
    fill_up(&disk.folder);
    let beat = daemon.beat().await;
    let is_told = match &beat {
        Beat::Ran(report) => report.status == Status::Failed,
        Beat::NoStore(error) => error.to_string().contains("the disk is full"),
        Beat::Idle => false,
    };
    assert!(is_told, "{beat:?}");
    fs::remove_file(disk.folder.join("filler")).unwrap();
    disk.resize(64 * 1024);
    clock.set_forward(SignedDuration::from_hours(6));
    let Beat::Ran(report) = daemon.beat().await else { panic!("a run is due") };
    assert_eq!(report.status, Status::Succeeded, "{:?}", report.error);
    assert_eq!(bench.members("all").await.len(), 3000);
    assert_log_is_true(&bench).await;
}
