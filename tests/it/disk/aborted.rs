//! A file system that the kernel makes read-only while a run is under way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use vainu_sync::sandbox::{Endpoint, World};

use super::{Disk, ON_THE_DISK, assert_recovers, is_done, is_thorough, told};
use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::chance::Random;
use crate::program::{Ended, ended, program, until, vainu_sync};
use crate::replay::assert_log_is_true;

const QUERIES: &str = r#"
[[queries]]
name = "all"
database = "FI"
query = '{"?ALL": []}'
fields = ["name", "business_units"]
schedule = "@daily"
max_departures = "100%"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_turns_read_only_at_any_moment_loses_nothing() {
    let mut bench = Bench::start(World::Generated { size: 1000 }, "").await;
    bench.configure("", &format!("{ON_THE_DISK}{QUERIES}"));
    bench.control.switch(|switches| switches.page_cap = Some(200));
    let mut image = bench.folder.path().join("image");
    let make = format!("truncate -s 64M {0} && mkfs.ext4 -q {0}", image.display());
    if !is_done(Command::new("sh").args(["-c", &make])) {
        eprintln!("skipped: a file system in an image wants mkfs.ext4");
        return;
    }
    let mut random = Random::seeded("VAINU_SYNC_DISK_SEED");
    let times = if is_thorough() { 100 } else { 6 };
    // In microseconds: shorter after each run that ended before its disk did.
    let (mut noticed, mut span) = (0, 200_000);
    for _ in 0..times {
        let Some(disk) = Disk::of_image(bench.folder.path(), &image) else { return };
        let asked = bench.control.hits(Endpoint::Count);
        let mut sync = program(bench.folder.path());
        sync.arg("sync").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut sync = sync.spawn().unwrap();
        until("the run is under way", async || {
            bench.control.hits(Endpoint::Count) > asked || sync.try_wait().unwrap().is_some()
        })
        .await;
        tokio::time::sleep(Duration::from_micros(random.below(span) as u64)).await;
        disk.remount("abort");
        let sync = tokio::task::spawn_blocking(|| ended(sync.wait_with_output().unwrap())).await.unwrap();
        if sync.code == Some(0) {
            span -= span / 3;
        } else {
            assert!(bench.control.hits(Endpoint::Count) > asked, "{}", told(&sync));
            noticed += 1;
            assert_says_why(&sync);
        }
        for command in ["sync", "prune"] {
            let refused = vainu_sync(&bench, &[command, "all"]).await;
            assert_says_read_only(&refused);
        }
        disk.unmount().await;
        image = repaired(&image);
        let Some(disk) = Disk::of_image(bench.folder.path(), &image) else { return };
        if bench.store_path().exists() && fs::metadata(bench.store_path()).unwrap().len() > 100_000 {
            assert_log_is_true(&bench).await;
        }
        if random.below(3) == 0 {
            assert_recovers(&bench).await;
            assert_log_is_true(&bench).await;
            bench.control.set_day(bench.control.day() + 3);
        }
        disk.unmount().await;
        image = repaired(&image);
    }
    println!("{noticed} of {times} runs met a disk that turned read-only");
    assert!(noticed >= times / 6, "{noticed}");
    let Some(_disk) = Disk::of_image(bench.folder.path(), &image) else { return };
    assert_recovers(&bench).await;
    assert_log_is_true(&bench).await;
}

/// A copy of the image, checked. What is still mounted in a container that another test has made would be the same
/// file system, and stay read-only.
fn repaired(image: &Path) -> PathBuf {
    let copy = image.with_extension(if image.extension().is_some() { "" } else { "copy" });
    assert!(is_done(Command::new("cp").arg("--sparse=always").arg(image).arg(&copy)));
    fs::remove_file(image).unwrap();
    // 1: errors were corrected.
    let checked = Command::new("e2fsck").arg("-fy").arg(&copy).output().unwrap();
    assert!(checked.status.code().is_some_and(|code| code < 4), "{checked:?}");
    copy
}

/// While the kernel is at it, a failure to write is all that shows.
fn assert_says_why(ended: &Ended) {
    if ended.code == Some(1) {
        assert!(told(ended).contains("vainu.db: disk I/O error: see to the disk"), "{}", told(ended));
    } else {
        assert_says_read_only(ended);
    }
}

fn assert_says_read_only(ended: &Ended) {
    let told = told(ended);
    assert_eq!(ended.code, Some(78), "{told}");
    assert!(told.contains("vainu.db") && told.contains("read-only: make it writable"), "{told}");
    assert!(!told.contains("panicked"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_on_a_disk_that_is_read_only_is_read_and_not_written() {
    let mut bench = Bench::with_rows(numbered(50), ALL_OF_FI).await;
    let Some(disk) = Disk::of_kb(bench.folder.path(), 16 * 1024) else { return };
    bench.configure("", &format!("{ON_THE_DISK}{ALL_OF_FI}"));
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    disk.remount("ro");
    let status = vainu_sync(&bench, &["status"]).await;
    assert!(status.out.contains("50 members"), "{}", told(&status));
    for command in [&["sync"][..], &["sync", "--dry-run"], &["run"], &["rename", "all", "other"]] {
        let refused = vainu_sync(&bench, command).await;
        assert_says_read_only(&refused);
    }
    disk.remount("rw");
    let after = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(after.code, Some(0), "{}", told(&after));
}
