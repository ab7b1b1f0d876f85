//! Kills during listings by pages: a first load, updates, departures, an edited query.

use std::cell::RefCell;

use vainu_sync::sandbox::{Endpoint, World};

use super::striker::{Phase, Striker};
use crate::bench::Bench;
use crate::program::vainu_sync;
use crate::replay::{assert_equals_listing, assert_log_is_true};

const QUERIES: &str = r#"
[defaults]
database = "FI"
schedule = "@daily"
max_departures = "100%"

[[queries]]
name = "everyone"
query = '{"?ALL": []}'
fields = ["name", "staff_number", "financial_data.revenue"]

[[queries]]
name = "large"
query = '{"?GTE": {"financial_data.revenue": 5000000}}'
fields = ["name", "website"]
"#;

pub struct Stage {
    bench: RefCell<Bench>,
}

impl Stage {
    pub async fn start() -> Self {
        let bench = Bench::start(World::Generated { size: 600 }, QUERIES).await;
        bench.control.switch(|switches| switches.page_cap = Some(100));
        Self { bench: RefCell::new(bench) }
    }

    #[allow(clippy::await_holding_refcell_ref, reason = "one test, one round at a time")]
    pub async fn round(&self, striker: &mut Striker) {
        let mut bench = self.bench.borrow_mut();
        remove_store(&bench);
        bench.configure("", QUERIES);
        for _ in 0..2 {
            kill(&bench, striker, Phase::FirstLoad).await;
        }
        settle(&bench).await;
        bench.control.set_day(bench.control.day() + 3);
        for _ in 0..2 {
            kill(&bench, striker, Phase::Update).await;
        }
        for _ in 0..2 {
            kill(&bench, striker, Phase::Departures).await;
        }
        settle(&bench).await;
        bench.configure("", &QUERIES.replace("\"website\"", "\"website\", \"founded\""));
        for _ in 0..2 {
            kill(&bench, striker, Phase::EditedQuery).await;
        }
        settle(&bench).await;
    }
}

async fn kill(bench: &Bench, striker: &mut Striker, phase: Phase) {
    let before = bench.control.hits(Endpoint::Organizations);
    let skip = bench.control.requests().len();
    striker
        .strike(bench, phase, &["sync"], async |_| match phase {
            Phase::Departures => {
                bench.control.requests().iter().skip(skip).any(|request| request.body.contains("?IN"))
            }
            _ => bench.control.hits(Endpoint::Organizations) > before,
        })
        .await;
    assert_true(bench).await;
}

/// The log tells all, and the file is whole.
pub async fn assert_true(bench: &Bench) {
    let is_made = "SELECT count(*) FROM sqlite_master WHERE name = 'changes'";
    if bench.store_path().exists() && bench.number(is_made).await == 1 {
        assert_log_is_true(bench).await;
    }
}

/// A run that is left alone makes the store equal to the listing.
pub async fn settle(bench: &Bench) {
    let done = vainu_sync(bench, &["sync"]).await;
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    assert_equals_listing(bench).await;
    assert_log_is_true(bench).await;
}

pub fn remove_store(bench: &Bench) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", bench.store_path().display()));
    }
}
