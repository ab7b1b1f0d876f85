//! Rows of many kilobytes.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use crate::bench::{ALL_OF_FI, Bench, row};

/// What a batch holds stays in memory, beside what is stored of it.
#[tokio::test]
async fn an_export_of_large_rows_is_stored_a_few_megabytes_at_a_time() {
    let rows = (0..60).map(|number| row(&format!("FI{number:05}"), &"x".repeat(100_000)));
    let bench = Bench::with_rows(rows, &format!("{ALL_OF_FI}fetch = \"export\"\n")).await;
    let milliseconds = AtomicI64::new(1_700_000_000_000);
    let clock = || Timestamp::from_millisecond(milliseconds.fetch_add(1, Ordering::Relaxed)).unwrap();
    assert_eq!(bench.sync_by_clock(&clock).await[0].numbers.created, 60);
    let commits: i64 = bench.number("SELECT count(DISTINCT at) FROM changes").await;
    assert!((3..=7).contains(&commits), "six megabytes in {commits} commits");
}
