//! Many queries for a long time: `VAINU_SYNC_SOAK=10 cargo test --test it soak -- --nocapture` runs twenty
//! queries with a schedule of a minute for ten minutes.

use std::fmt::Write;
use std::fs;
use std::num::NonZeroU32;
use std::process::Stdio;
use std::time::Duration;

use vainu_sync::sandbox::{Endpoint, Fault, World};

use crate::bench::Bench;
use crate::program::{program, signal};

const QUERIES: usize = 20;

fn queries() -> String {
    (0..QUERIES).fold(String::new(), |mut text, n| {
        let database = ["FI", "SE", "NO", "DK", "NL"][n % 5];
        let revenue = n * 100_000;
        write!(
            text,
            "[[queries]]\nname = \"q{n}\"\ndatabase = \"{database}\"\nschedule = \"* * * * *\"\nfields = [\"name\"]\n\
             query = '{{\"?GTE\": {{\"financial_data.revenue\": {revenue}}}}}'\n"
        )
        .unwrap();
        text
    })
}

fn troubles(bench: &Bench) {
    bench.control.switch(|switches| {
        switches.page_cap = Some(100);
        switches.requests_per_token = NonZeroU32::new(50);
        switches.short_page_every = NonZeroU32::new(7);
    });
    bench.control.fail_every(Endpoint::Organizations, 31, Fault::status(503));
    bench.control.fail_every(Endpoint::Organizations, 67, Fault::Cut(200));
    bench.control.fail_every(Endpoint::Count, 41, Fault::Reset);
    bench.control.fail_every(Endpoint::Token, 5, Fault::retry_after(429, "1"));
}

/// Resident memory in kB.
fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_queries_with_a_schedule_of_a_minute_neither_overlap_nor_lose_a_run() {
    let Some(minutes) = std::env::var("VAINU_SYNC_SOAK").ok().and_then(|minutes| minutes.parse().ok()) else {
        println!("skipped: VAINU_SYNC_SOAK does not say for how many minutes");
        return;
    };
    let bench = Bench::start(World::Generated { size: 600 }, &queries()).await;
    troubles(&bench);
    let mut daemon = program(bench.folder.path()).arg("run").stderr(Stdio::null()).spawn().unwrap();
    let mut measured = Vec::new();
    for _ in 0..minutes {
        tokio::time::sleep(Duration::from_mins(1)).await;
        measured.push(memory(daemon.id()));
    }
    signal(&daemon, "TERM");
    let code = tokio::task::spawn_blocking(move || daemon.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(0));
    let overlaps = "SELECT count(*) FROM runs a JOIN runs b ON a.id < b.id AND b.started_at < a.finished_at";
    assert_eq!(bench.number(overlaps).await, 0);
    // Each tick from the first on has its run: none lies further from the one before than a minute.
    let gaps = "SELECT count(*) FROM (SELECT query, planned_at, lag(planned_at) OVER (PARTITION BY query ORDER BY id) \
                AS before FROM runs) WHERE round((julianday(planned_at) - julianday(before)) * 1440) > 1";
    assert_eq!(bench.number(gaps).await, 0);
    let runs = bench.number("SELECT count(*) FROM runs WHERE status = 'succeeded'").await;
    let retries = bench.number("SELECT sum(retries) FROM runs").await;
    println!("{runs} runs succeeded with {retries} retries; memory each minute, kB: {measured:?}");
    assert!(runs >= i64::try_from(QUERIES).unwrap() * (minutes - 1), "{runs}");
    let (early, late) = (measured[measured.len() / 3], measured[measured.len() - 1]);
    assert!(late <= early + early / 5, "memory grew from {early} to {late} kB");
}
