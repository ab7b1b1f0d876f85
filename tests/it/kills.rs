//! The process killed at random moments: the store is as it was after some batch, and nothing is logged
//! twice. `VAINU_SYNC_KILLS=1000 cargo test --test it kills` kills more often than the 100 of a plain run.

use std::process::Stdio;
use std::time::Duration;

use vainu_sync::sandbox::World;

use crate::bench::Bench;
use crate::program::{program, vainu_sync};
use crate::replay::assert_log_is_true;

const QUERIES: &str = r#"
[defaults]
database = "FI"
schedule = "@daily"
max_departures = "100%"

[[queries]]
name = "exported"
query = '{"?LT": {"financial_data.revenue": 5000000}}'
fields = ["name", "staff_number"]
fetch = "export"

[[queries]]
name = "everyone"
query = '{"?ALL": []}'
fields = ["name", "staff_number", "financial_data.revenue"]

[[queries]]
name = "large"
query = '{"?GTE": {"financial_data.revenue": 5000000}}'
fields = ["name", "website"]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_the_store_stays_true() {
    let kills: u32 =
        std::env::var("VAINU_SYNC_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(100);
    let bench = Bench::start(World::Generated { size: 4000 }, QUERIES).await;
    bench.control.switch(|switches| {
        switches.page_cap = Some(500);
        switches.export_polls = 0;
    });
    let mut random = Random(u64::from(std::process::id()) | 1);
    println!("seed {}", random.0);
    let mut midway = 0;
    for kill in 0..kills {
        if kill % 10 == 9 {
            let done = vainu_sync(&bench, &["sync"]).await;
            assert_eq!(done.code, Some(0), "{}", done.err);
            assert_equals_listing(&bench).await;
            bench.control.set_day(bench.control.day() + 3);
        }
        let mut sync = program(bench.folder.path())
            .arg("sync")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_micros(random.below(700_000))).await;
        sync.kill().unwrap();
        midway += u32::from(sync.wait().unwrap().code().is_none());
        if bench.store_path().exists() && has_tables(&bench).await {
            assert_log_is_true(&bench).await;
        }
    }
    assert!(midway > kills / 10, "only {midway} of {kills} kills met a process at work");
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    assert_equals_listing(&bench).await;
    assert_log_is_true(&bench).await;
}

async fn has_tables(bench: &Bench) -> bool {
    bench.number("SELECT count(*) FROM sqlite_master WHERE name = 'changes'").await == 1
}

/// A fresh store of the same day has the same members and documents.
async fn assert_equals_listing(bench: &Bench) {
    let fresh = bench.folder.path().join("fresh.db");
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", fresh.display()));
    }
    let made = vainu_sync(bench, &["--store", "fresh.db", "sync"]).await;
    assert_eq!(made.code, Some(0), "{}", made.err);
    let mut connection = bench.reader().await;
    let attach = format!("ATTACH '{}' AS fresh", fresh.display());
    sqlx::query(sqlx::AssertSqlSafe(attach)).execute(&mut connection).await.unwrap();
    let held = "SELECT m.query, o.business_id, o.document FROM {}.memberships m \
                JOIN {}.organizations o USING (business_id) WHERE m.left_at IS NULL";
    let (ours, theirs) = (held.replace("{}", "main"), held.replace("{}", "fresh"));
    let sql = format!("SELECT count(*) FROM ({ours} EXCEPT {theirs} UNION ALL {theirs} EXCEPT {ours})");
    let different: i64 =
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
    assert_eq!(different, 0);
}

/// A xorshift generator: tests need no better one.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
