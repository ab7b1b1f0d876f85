//! What the daemon costs while nobody is due: `VAINU_SYNC_IDLE=1 cargo test --release --test it idle -- --nocapture`
//! goes through the beats of a day with twenty queries.

use std::fmt::Write;
use std::fs;

use jiff::SignedDuration;

use crate::bench::{Bench, named, numbered};
use crate::daemon::{Clock, beats, watch};

const QUERIES: usize = 20;
const DAY: usize = 86_400;

fn queries() -> String {
    (0..QUERIES).fold(String::new(), |mut text, n| {
        let query = named(&format!("q{n}"), r#"["name"]"#).replace("@daily", "0 0 1 1 *");
        write!(text, "{query}").unwrap();
        text
    })
}

/// Resident memory of this process in kB.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What this process has used of the processor, in hundredths of a second.
fn used() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(") ").unwrap().1;
    after_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_a_run_costs_next_to_nothing_and_no_memory() {
    if std::env::var("VAINU_SYNC_IDLE").is_err() {
        println!("skipped: VAINU_SYNC_IDLE is not set");
        return;
    }
    let bench = Bench::with_rows(numbered(100), &queries()).await;
    let (client, clock) = (bench.client(), Clock::at("2026-11-25T12:00:00Z"));
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, QUERIES + 1).await, format!("{}-", "R".repeat(QUERIES)));
    let began = used();
    let mut measured = Vec::new();
    for second in 0..DAY {
        clock.set_forward(SignedDuration::from_secs(1));
        assert_eq!(beats(&mut daemon, 1).await, "-");
        if second % (DAY / 24) == 0 {
            measured.push(memory());
        }
    }
    let spent = used() - began;
    println!("a day of beats took {spent} hundredths of a second of CPU; memory each hour, kB: {measured:?}");
    // 0.1 % of a day.
    assert!(spent < 8640, "{spent}");
    let (early, late) = (measured[8], measured[23]);
    assert!(late <= early + early / 20, "memory grew from {early} to {late} kB");
}
