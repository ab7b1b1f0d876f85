//! `/metrics`, as Prometheus reads it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use vainu_sync::sandbox::{Endpoint, Fault};
use vainu_sync::store::Lock;

use super::{Served, get, read};
use crate::bench::{ALL_OF_FI, Bench, named, numbered, row};
use crate::life::{Service, until_succeeded};
use crate::program::{signal, until, vainu_sync};

/// Each sample's value, by its name and labels; whole numbers without a point.
pub async fn samples(address: std::net::SocketAddr) -> BTreeMap<String, String> {
    let (status, text) = read(address, "/metrics").await;
    assert_eq!(status, 200, "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.strip_suffix(".0").unwrap_or(value).to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_told_by_query_endpoint_code_kind_and_reason() {
    let rows = numbered(20).into_iter().chain([r#"{"business_id":"","name":"None Oy"}"#.to_owned()]);
    let bench = Bench::with_rows(rows, ALL_OF_FI).await;
    bench.control.fail(Endpoint::Organizations, Fault::status(503), 1);
    let before = Timestamp::now().as_second();
    let (service, address) = Service::listening(&bench).await;
    until_succeeded(&bench, "all", 1).await;
    let told = async |name: &str| samples(address).await.get(name).cloned();
    until("the run is told", async || {
        told("vainu_sync_runs_total{query=\"all\",status=\"succeeded\"}").await.as_deref() == Some("1")
    })
    .await;
    for (name, value) in [
        ("vainu_sync_runs_total{query=\"all\",status=\"failed\"}", "0"),
        ("vainu_sync_rows_fetched_total{query=\"all\"}", "21"),
        ("vainu_sync_rows_rejected_total{query=\"all\"}", "1"),
        ("vainu_sync_last_run_rejected_rows{query=\"all\"}", "1"),
        ("vainu_sync_changes_total{query=\"all\",kind=\"created\"}", "20"),
        ("vainu_sync_changes_total{query=\"all\",kind=\"left\"}", "0"),
        ("vainu_sync_members{query=\"all\"}", "20"),
        ("vainu_sync_late{query=\"all\"}", "0"),
        ("vainu_sync_held{query=\"all\"}", "0"),
        ("vainu_sync_failures_in_a_row{query=\"all\"}", "0"),
        ("vainu_sync_run_duration_seconds_count{query=\"all\"}", "1"),
        ("vainu_sync_run_duration_seconds_bucket{query=\"all\",le=\"+Inf\"}", "1"),
        ("vainu_sync_api_requests_total{endpoint=\"token\",code=\"200\"}", "1"),
        ("vainu_sync_api_requests_total{endpoint=\"organizations\",code=\"503\"}", "1"),
        ("vainu_sync_api_retries_total{reason=\"status_503\"}", "1"),
        ("vainu_sync_ready", "1"),
    ] {
        assert_eq!(told(name).await.as_deref(), Some(value), "{name}: {:#?}", samples(address).await);
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    let before = before as f64;
    for name in
        ["last_success_timestamp_seconds", "last_attempt_timestamp_seconds", "next_run_timestamp_seconds"]
    {
        let at: f64 = told(&format!("vainu_sync_{name}{{query=\"all\"}}")).await.unwrap().parse().unwrap();
        assert!((before..before + 2.0 * 86_400.0).contains(&at), "{name}: {at}");
    }
    let end: f64 = told("vainu_sync_token_expiry_timestamp_seconds").await.unwrap().parse().unwrap();
    let days = (end - before) / 86_400.0;
    assert!((29.0..31.0).contains(&days), "{days}");
    for name in ["store_size_bytes", "store_wal_size_bytes", "disk_free_bytes", "disk_size_bytes"] {
        assert!(told(&format!("vainu_sync_{name}")).await.is_some(), "{name}");
    }
    let (_, text) = read(address, "/metrics").await;
    assert!(!text.contains("FI0") && !text.contains("Company") && !text.contains("None Oy"), "{text}");
    assert!(
        get(address, "/metrics").await.headers()["content-type"].to_str().unwrap().contains("version=0.0.4")
    );
    super::alerts::promtool(&["check", "metrics"], Some(&text)).await;
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_come_back_after_a_restart_and_never_fall_while_the_daemon_lives() {
    let bench = Bench::with_rows(numbered(20), ALL_OF_FI).await;
    bench.sync().await;
    bench.sync().await;
    let served = Served::of(&bench, Timestamp::now).await;
    let runs = async |served: &Served, status: &str| {
        let name = format!("vainu_sync_runs_total{{query=\"all\",status=\"{status}\"}}");
        samples(served.address).await[&name].parse::<u64>().unwrap()
    };
    assert_eq!(runs(&served, "succeeded").await, 2);
    // One that begins, is seen, and ends is counted once; one that is old goes.
    let lock = Lock::take(&bench.store_path(), "who runs it").unwrap();
    bench
        .write(
            "INSERT INTO runs (query, mode, fetch, started_at, status) \
             VALUES ('all', 'full', 'pages', '2026-01-01T00:00:00.000Z', 'running')",
        )
        .await;
    until("the cache is over", async || read(served.address, "/").await.1.contains("running")).await;
    assert_eq!(runs(&served, "failed").await, 0);
    bench.write("DELETE FROM runs WHERE id = 1").await;
    bench.write("UPDATE runs SET status = 'failed', finished_at = started_at WHERE status = 'running'").await;
    until("the end is seen", async || runs(&served, "failed").await > 0).await;
    drop(lock);
    bench.sync().await;
    until("the third is seen", async || runs(&served, "succeeded").await > 2).await;
    assert_eq!((runs(&served, "failed").await, runs(&served, "succeeded").await), (1, 3));
    let restarted = Served::of(&bench, Timestamp::now).await;
    assert_eq!((runs(&restarted, "failed").await, runs(&restarted, "succeeded").await), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn status_page_and_metrics_call_the_same_queries_late() {
    let queries = format!("{}{}", named("fresh", r#"["name"]"#), named("stale", r#"["website"]"#));
    let mut bench = Bench::with_rows([row("FI1", "One")], &queries).await;
    let long_ago = Timestamp::now() - jiff::SignedDuration::from_hours(24 * 5);
    bench.sync_at(long_ago).await;
    bench.configure("", &named("fresh", r#"["name"]"#));
    bench.sync().await;
    bench.configure("", &queries);
    let status = vainu_sync(&bench, &["status", "--json"]).await;
    assert_eq!(status.code, Some(1));
    let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
    let served = Served::of(&bench, Timestamp::now).await;
    let samples = samples(served.address).await;
    for (which, (query, late)) in [("fresh", false), ("stale", true)].into_iter().enumerate() {
        assert_eq!(status["queries"][which]["late"], late, "{status}");
        assert_eq!(samples[&format!("vainu_sync_late{{query=\"{query}\"}}")], if late { "1" } else { "0" });
        let (_, page) = read(served.address, &format!("/queries/{query}")).await;
        assert_eq!((page.contains("> Late<"), page.contains("> On time<")), (late, !late), "{page}");
    }
    let (_, page) = read(served.address, "/").await;
    assert!(page.contains("1 of 2 queries is late"), "{page}");
    assert!(page.find(">stale<").unwrap() < page.find(">fresh<").unwrap(), "what is late comes first");
    assert!(page.contains("5 d 0 h ago"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_can_not_be_read_what_was_known_last_is_told_and_who_is_late_by_now() {
    let bench = Bench::with_rows(numbered(20), ALL_OF_FI).await;
    bench.sync().await;
    let days = Arc::<AtomicI64>::default();
    let served = Served::of(&bench, {
        let days = Arc::clone(&days);
        move || Timestamp::now() + jiff::SignedDuration::from_hours(24 * days.load(Ordering::Relaxed))
    })
    .await;
    let before = samples(served.address).await;
    assert_eq!(before["vainu_sync_store_readable"], "1");
    std::fs::rename(bench.store_path(), bench.folder.path().join("aside.db")).unwrap();
    let told = async |name: &str| samples(served.address).await.get(name).cloned().unwrap_or_default();
    until("it can't be read", async || told("vainu_sync_store_readable").await == "0").await;
    for name in ["last_success_timestamp_seconds", "members", "late", "failures_in_a_row"] {
        let name = format!("vainu_sync_{name}{{query=\"all\"}}");
        assert_eq!(told(&name).await, before[&name], "{name}");
    }
    days.store(3, Ordering::Relaxed);
    until("it is late", async || told("vainu_sync_late{query=\"all\"}").await == "1").await;
    let (_, page) = read(served.address, "/").await;
    assert!(page.contains("The store can't be read"), "{page}");
    std::fs::rename(bench.folder.path().join("aside.db"), bench.store_path()).unwrap();
    until("it is read again", async || told("vainu_sync_store_readable").await == "1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_was_refused_and_a_run_that_is_under_way_are_told() {
    let mut bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.control.fail_always(Endpoint::Organizations, Fault::Stall);
    let (service, address) = Service::listening(&bench).await;
    let told = async |name: &str| samples(address).await.get(name).cloned();
    let run = "vainu_sync_run_start_timestamp_seconds{query=\"all\"}";
    until("a run is under way", async || told(run).await.is_some()).await;
    let read = "vainu_sync_config_last_reload_successful";
    assert_eq!(told(read).await.as_deref(), Some("1"));
    let path = bench.folder.path().join("config.toml");
    let right = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, right.replace("schedule", "shedule")).unwrap();
    signal(&service.child, "HUP");
    until("it is refused", async || told(read).await.as_deref() == Some("0")).await;
    let (_, page) = super::read(address, "/").await;
    assert!(page.contains("The configuration was refused") && page.contains("vainu-sync check"), "{page}");
    std::fs::write(&path, right).unwrap();
    signal(&service.child, "HUP");
    until("it is right again", async || told(read).await.as_deref() == Some("1")).await;
    assert!(!super::read(address, "/").await.1.contains("was refused"));
    bench.control.heal();
    assert_eq!(service.stop().await, Some(0));
    bench.configure("", ALL_OF_FI);
    let served = Served::of(&bench, Timestamp::now).await;
    assert!(!samples(served.address).await.contains_key(run), "none is under way");
}
