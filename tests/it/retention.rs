//! What is let go once it is old, and what is kept however old it is.

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use vainu_sync::store::{Lock, Store, time};
use vainu_sync::upkeep::{Gone, let_go};

use crate::bench::{ALL_OF_FI, Bench, named, numbered};
use crate::program::vainu_sync;
use crate::replay::{Replayed, assert_log_is_true, replay_onto, stored};

const KEEP: &str = "[store]\nkeep_changes = \"400d\"\nkeep_runs = \"400d\"\nkeep_departed = \"400d\"\n";

fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

/// So many days before the present of these tests; negative: after it.
fn ago(days: i64) -> String {
    time::to_text(now() - SignedDuration::from_hours(24 * days))
}

/// A store that was made and nothing else.
async fn empty_store() -> Bench {
    let bench = Bench::with_rows([], &format!("{KEEP}{ALL_OF_FI}")).await;
    let lock = Lock::take(&bench.store_path(), "a test").unwrap();
    Store::open(&bench.store_path(), &lock).await.unwrap().close().await.unwrap();
    bench
}

async fn let_go_at(bench: &Bench, now: Timestamp, stop: &CancellationToken) -> Gone {
    let lock = Lock::take(&bench.store_path(), "a test").unwrap();
    let mut store = Store::open(&bench.store_path(), &lock).await.unwrap();
    let gone = let_go(&mut store, &bench.settings.store, now, stop).await.unwrap();
    store.close().await.unwrap();
    gone
}

async fn let_go_now(bench: &Bench) -> Gone {
    let_go_at(bench, now(), &CancellationToken::new()).await
}

async fn remember(bench: &Bench, query: &str) {
    let sql = format!(
        "INSERT INTO _queries (name, database, owned_keys, first_seen_at) \
         VALUES ('{query}', 'FI', '[\"business_id\"]', '{}')",
        ago(900)
    );
    bench.write(&sql).await;
}

#[tokio::test]
async fn of_the_runs_those_are_kept_that_something_needs() {
    let tries = |age: i64| (0..40).map(|n| format!("{} failed full", age - n)).collect::<Vec<_>>().join(", ");
    let (old_tries, kept_tries) = (tries(550), tries(550).split(", ").skip(8).collect::<Vec<_>>().join(", "));
    let after_success = format!("600 succeeded full, {old_tries}");
    let last_tries = format!("600 succeeded full, {kept_tries}");
    for (what, runs, kept) in [
        ("what is young", "399 failed full, 1 succeeded full", "399 failed full, 1 succeeded full"),
        ("nothing else", "500 succeeded full, 450 failed full, 10 succeeded full", "10 succeeded full"),
        ("the last run", "500 held full", "500 held full"),
        ("the last success", "500 succeeded full, 1 failed full", "500 succeeded full, 1 failed full"),
        (
            "the last full success",
            "500 succeeded full, 450 succeeded incremental, 1 succeeded incremental",
            "500 succeeded full, 1 succeeded incremental",
        ),
        ("what is under way", "500 running full, 1 succeeded full", "500 running full, 1 succeeded full"),
        (
            "the tries since the last success",
            "600 succeeded full, 500 failed full, 450 incomplete full",
            "600 succeeded full, 500 failed full, 450 incomplete full",
        ),
        ("as many tries as count", &after_success, &last_tries),
        (
            "tries that somebody ended",
            "600 succeeded full, 500 failed full, 450 held full",
            "600 succeeded full, 450 held full",
        ),
        (
            "the last success before a clock that was ahead",
            "500 succeeded full, -300 succeeded full",
            "500 succeeded full, -300 succeeded full",
        ),
        (
            "the last run before such a clock",
            "500 held full, -300 failed full",
            "500 held full, -300 failed full",
        ),
        (
            "what a clock that was behind has dated",
            "10 succeeded full, 450 failed full, 5 succeeded full",
            "10 succeeded full, 450 failed full, 5 succeeded full",
        ),
        (
            "what is not a day too old",
            "400 failed full, 1 succeeded full",
            "400 failed full, 1 succeeded full",
        ),
    ] {
        let bench = empty_store().await;
        remember(&bench, "all").await;
        for run in runs.split(", ") {
            let [age, status, mode] = run.split(' ').collect::<Vec<_>>()[..] else { panic!("{run}") };
            let at = ago(age.parse().unwrap());
            let run = "INSERT INTO runs (query, fetch, candidates, started_at, status, mode) VALUES ('all', 'pages'";
            bench.write(&format!("{run}, {age}, '{at}', '{status}', '{mode}')")).await;
        }
        bench.write("INSERT INTO rejects SELECT id, started_at, 'no id', '{}' FROM runs").await;
        let_go_now(&bench).await;
        let left =
            bench.texts("SELECT candidates || ' ' || status || ' ' || mode FROM runs ORDER BY id").await;
        assert_eq!(left.join(", "), kept, "{what}");
        let rejects = "SELECT count(*) FROM rejects WHERE run_id NOT IN (SELECT id FROM runs)";
        assert_eq!(bench.number(rejects).await, 0, "{what}");
    }
}

#[tokio::test]
async fn of_the_log_only_the_beginning_goes() {
    for (ages, kept) in [
        (&[500, 450, 10][..], &[10][..]),
        (&[500, 10, 450], &[10, 450]),
        (&[10], &[10]),
        (&[500, 450], &[]),
        (&[400], &[400]),
        (&[-300, 500, 10], &[10]),
        (&[500, -300, 10], &[-300, 10]),
        (&[-300, 10], &[-300, 10]),
        (&[-300], &[-300]),
    ] {
        let bench = empty_store().await;
        remember(&bench, "all").await;
        let organization = "INSERT INTO organizations VALUES (1, 'FI1', 'FI', 'x', 'x', 'x', NULL, '{}')";
        bench.write(organization).await;
        for age in ages {
            let (at, change) = (ago(*age), "INSERT INTO _changes (query, organization, kind, before, at)");
            bench.write(&format!("{change} VALUES (1, 1, 'updated', '{age}', '{at}')")).await;
        }
        let gone = let_go_now(&bench).await;
        assert_eq!(gone.changes, (ages.len() - kept.len()) as u64, "{ages:?}");
        let left = bench.texts("SELECT before FROM changes ORDER BY seq").await;
        assert_eq!(left, kept.iter().map(ToString::to_string).collect::<Vec<_>>(), "{ages:?}");
        bench.write("INSERT INTO _changes (query, organization, kind, at) VALUES (1, 1, 'left', 'x')").await;
        let last = bench.number("SELECT max(seq) FROM changes").await;
        assert_eq!(last, i64::try_from(ages.len() + 1).unwrap(), "{ages:?}: no number is given twice");
    }
}

/// A store of two queries in which FI00005 left 450 days ago, and FI00003 left and came back. Synced on these
/// days before the present.
async fn years_of_changes() -> Bench {
    let queries = format!("{KEEP}{ALL_OF_FI}{}", named("other", r#"["name"]"#));
    let bench =
        Bench::with_rows([], &queries.replace("schedule", "max_departures = \"100%\"\nschedule")).await;
    for (days, companies) in [(500, 5), (450, 2), (30, 4), (10, 3)] {
        bench.control.set_rows("FI", numbered(companies));
        bench.sync_at(now() - SignedDuration::from_hours(24 * days)).await;
    }
    // The sandbox's own clock is another.
    bench.write("UPDATE _queries SET watermark = NULL").await;
    bench
}

#[tokio::test]
async fn organizations_that_nobody_holds_go_with_all_that_is_known_of_them() {
    let bench = years_of_changes().await;
    let gone = let_go_now(&bench).await;
    assert_eq!(gone.organizations, 1);
    let left = "SELECT business_id FROM organizations WHERE gone_at IS NOT NULL";
    assert_eq!(bench.texts(left).await, ["FI00004"]);
    for table in ["memberships", "changes"] {
        let ids = bench.texts(&format!("SELECT DISTINCT business_id FROM {table} ORDER BY 1")).await;
        assert!(!ids.contains(&"FI00005".to_owned()), "{table}: {ids:?}");
    }
    assert_eq!(bench.texts("PRAGMA foreign_key_check").await.len(), 0);
    bench.control.set_rows("FI", numbered(5));
    let numbers = bench.sync_at(now()).await.remove(0).numbers;
    assert_eq!(
        (numbers.created, numbers.entered),
        (1, 1),
        "who was forgotten is new, who was not comes back"
    );
}

#[tokio::test]
async fn the_log_is_true_as_far_as_it_reaches() {
    let bench = years_of_changes().await;
    assert_log_is_true(&bench).await;
    let at_its_beginning =
        replay_onto(Replayed::default(), &bench, &format!("WHERE at < '{}'", ago(400))).await;
    assert!(let_go_now(&bench).await.changes > 0);
    assert_eq!(bench.number(&format!("SELECT count(*) FROM changes WHERE at < '{}'", ago(400))).await, 0);
    let mut replayed = replay_onto(at_its_beginning, &bench, "").await.without_empty();
    replayed.documents.remove("FI00005");
    assert_eq!(replayed, stored(&bench).await);
    assert_eq!(let_go_now(&bench).await, Gone::default(), "once is enough");
}

#[tokio::test]
async fn without_keep_departed_every_organization_is_kept() {
    let mut bench = years_of_changes().await;
    bench.settings.store.keep_departed = None;
    assert_eq!(let_go_now(&bench).await.organizations, 0);
    assert_eq!(bench.number("SELECT count(*) FROM organizations").await, 5);
}

#[tokio::test]
async fn a_clock_that_is_years_ahead_of_the_server_lets_nothing_go() {
    let bench = years_of_changes().await;
    bench.write(&format!("UPDATE _queries SET watermark = '{}'", ago(100))).await;
    let ahead = now() + SignedDuration::from_hours(24 * 1000);
    assert_eq!(let_go_at(&bench, ahead, &CancellationToken::new()).await, Gone::default());
    bench.write(&format!("UPDATE _queries SET watermark = '{}' WHERE name = 'other'", ago(0))).await;
    assert_ne!(let_go_at(&bench, ahead, &CancellationToken::new()).await, Gone::default());
}

#[tokio::test]
async fn a_signal_ends_it_between_two_commits() {
    let bench = years_of_changes().await;
    let stop = CancellationToken::new();
    stop.cancel();
    assert_eq!(let_go_at(&bench, now(), &stop).await, Gone::default());
    assert_log_is_true(&bench).await;
}

#[tokio::test]
async fn what_is_left_of_a_pruned_query_goes_in_time() {
    let mut bench = years_of_changes().await;
    bench.configure("", &format!("{KEEP}{ALL_OF_FI}"));
    assert_eq!(vainu_sync(&bench, &["prune", "other"]).await.code, Some(0));
    let_go_now(&bench).await;
    let young = "SELECT query || ' ' || count(*) FROM runs GROUP BY query ORDER BY query";
    assert_eq!(bench.texts(young).await, ["all 2", "other 2"]);
    bench.write(&format!("UPDATE runs SET started_at = '{}'", ago(600))).await;
    let_go_now(&bench).await;
    assert_eq!(bench.texts(young).await, ["all 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_lets_go_what_is_old_in_as_many_commits_as_it_takes() {
    let bench = Bench::with_rows(numbered(4500), &format!("{KEEP}{ALL_OF_FI}")).await;
    assert!(!vainu_sync(&bench, &["check"]).await.out.contains("no effect"));
    vainu_sync(&bench, &["sync"]).await;
    bench.write("UPDATE _changes SET at = '2020-01-01T00:00:00.000Z' WHERE seq <= 4400").await;
    bench.write("UPDATE runs SET started_at = '2020-01-01T00:00:00.000Z'").await;
    assert_eq!(vainu_sync(&bench, &["sync", "--dry-run"]).await.code, Some(0));
    assert_eq!(bench.number("SELECT min(seq) FROM changes").await, 1);
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(sync.code, Some(0), "{}", sync.err);
    assert!(sync.err.contains("what was old was let go"), "{}", sync.err);
    assert_eq!(bench.number("SELECT min(seq) FROM changes").await, 4401);
    assert_eq!(bench.texts("SELECT status FROM runs").await, ["succeeded"]);
    assert_eq!(bench.members("all").await.len(), 4500);
}
