//! A write-ahead log that is damaged: the store is as it was after some commit before, and goes on from there.

use std::fs;
use std::process::Stdio;

use vainu_sync::sandbox::{Endpoint, World};

use super::{is_thorough, told};
use crate::bench::Bench;
use crate::chance::Random;
use crate::program::{program, until, vainu_sync};
use crate::replay::{assert_equals_listing, assert_log_is_true};

const QUERIES: &str = r#"
[defaults]
database = "FI"
schedule = "@daily"
max_departures = "100%"

[[queries]]
name = "all"
query = '{"?ALL": []}'
fields = ["name", "staff_number"]

[[queries]]
name = "large"
query = '{"?GTE": {"financial_data.revenue": 1000000}}'
fields = ["website"]
"#;

/// A store whose process was killed, so that its commits stand in the log.
async fn killed() -> Bench {
    let bench = Bench::start(World::Generated { size: 800 }, QUERIES).await;
    bench.control.switch(|switches| switches.page_cap = Some(200));
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    bench.control.set_day(30);
    let asked = bench.control.hits(Endpoint::Organizations);
    let mut sync = program(bench.folder.path());
    let mut sync = sync.arg("sync").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The second query is read once the first is stored.
    until("both queries are read", async || bench.control.hits(Endpoint::Organizations) > asked + 8).await;
    sync.kill().unwrap();
    sync.wait().unwrap();
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_costs_the_commits_behind_the_damage_and_no_more() {
    let bench = killed().await;
    let path = |suffix: &str| format!("{}{suffix}", bench.store_path().display());
    let (db, wal) = (fs::read(path("")).unwrap(), fs::read(path("-wal")).unwrap());
    assert!(wal.len() > 200_000, "{}", wal.len());
    let mut random = Random::seeded("VAINU_SYNC_DISK_SEED");
    let times = if is_thorough() { 200 } else { 8 };
    for time in 0..times {
        let mut spoilt = wal.clone();
        // The header of the log too, whose 32 bytes stand at its front.
        let at = if time == 0 { 0 } else { random.below(wal.len()) };
        let length = if time % 2 == 0 { 16 * 1024 } else { 1 };
        let end = spoilt.len().min(at + length);
        match time % 3 {
            0 => spoilt[at..end].fill(0),
            1 => spoilt[at..end].iter_mut().for_each(|byte| *byte ^= 0x5A),
            _ => spoilt.truncate(at),
        }
        fs::write(path(""), &db).unwrap();
        fs::write(path("-wal"), &spoilt).unwrap();
        // Its index is made anew from the log, whatever is in it.
        fs::write(path("-shm"), vec![0x5A; 32 * 1024]).unwrap();
        assert_log_is_true(&bench).await;
        let sync = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(sync.code, Some(0), "{at}: {}", told(&sync));
        assert_log_is_true(&bench).await;
    }
    assert_equals_listing(&bench).await;
}
