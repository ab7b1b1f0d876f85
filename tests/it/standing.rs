//! The one view of how things stand.

use std::fs;

use jiff::{SignedDuration, Timestamp};
use vainu_sync::run::Order;
use vainu_sync::standing::{Overview, View};
use vainu_sync::store::{Lock, Store};

use crate::bench::{ALL_OF_FI, Bench, named, numbered};
use crate::program::vainu_sync;

async fn overview(bench: &Bench) -> Overview {
    overview_at(bench, Timestamp::now()).await
}

async fn overview_at(bench: &Bench, now: Timestamp) -> Overview {
    let view = View { settings: &bench.settings, max_age: None, now };
    let mut store = Store::open_if_there(&bench.store_path()).await.unwrap();
    view.overview(store.as_mut()).await.unwrap()
}

/// Which queries are late so many days from now.
async fn late_in(bench: &Bench, days: i64) -> Vec<String> {
    let now = Timestamp::now() + SignedDuration::from_hours(24 * days);
    let overview = overview_at(bench, now).await;
    let late: Vec<String> =
        overview.queries.iter().filter(|query| query.late).map(|query| query.query.clone()).collect();
    assert_eq!(overview.late, !late.is_empty());
    late
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_store_is_gone_every_query_is_late_and_before_a_first_start_none() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    assert!(
        late_in(&bench, 0).await.is_empty() && late_in(&bench, 9).await.is_empty(),
        "nothing was started"
    );
    let daemon = Lock::take_for_daemon(&bench.store_path(), "a daemon").unwrap();
    assert!(late_in(&bench, 0).await.is_empty(), "it has only just started");
    assert_eq!(late_in(&bench, 3).await, ["all"], "it has not made a store in all that time");
    drop(daemon);
    bench.sync_one().await;
    assert!(late_in(&bench, 0).await.is_empty());
    fs::remove_file(bench.store_path()).unwrap();
    assert_eq!(late_in(&bench, 3).await, ["all"]);
    let status = vainu_sync(&bench, &["status"]).await;
    assert!(status.out.contains("though vainu-sync has been at work there since 20"), "{}", status.out);
    let within = vainu_sync(&bench, &["status", "--max-age", "1h"]).await;
    assert_eq!(within.code, Some(1), "{}", within.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_never_came_to_its_first_run_is_late_two_ticks_after_it_was_configured() {
    let mut bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.sync_one().await;
    bench.configure("", &format!("{ALL_OF_FI}{}", named("added", r#"["website"]"#)));
    assert!(late_in(&bench, 0).await.is_empty());
    assert_eq!(late_in(&bench, 3).await, ["all", "added"]);
    let status = vainu_sync(&bench, &["status"]).await;
    assert_eq!(status.code, Some(0), "{}", status.out);
    assert!(
        status.out.contains("added: never ran") && status.out.contains("next run     due now"),
        "{}",
        status.out
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_process_died_is_shown_as_interrupted_before_anybody_marks_it() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.sync_one().await;
    bench.write("UPDATE runs SET status = 'running', finished_at = NULL").await;
    let shown = async || overview(&bench).await.queries.remove(0);
    let dead = shown().await;
    let last = dead.last_run.as_ref().unwrap();
    assert_eq!((last.status.as_str(), last.error.as_deref()), ("interrupted", Some("its process died")));
    assert_eq!(dead.failures_in_a_row(), 1);
    let status = vainu_sync(&bench, &["status"]).await.out;
    assert!(status.contains(" interrupted: ") && status.contains(": its process died"), "{status}");
    let lock = Lock::take(&bench.store_path(), "who runs it").unwrap();
    let alive = shown().await;
    assert_eq!(alive.last_run.unwrap().status, "running");
    assert!(alive.next_run_at.unwrap() > Timestamp::now(), "one under way is not tried again");
    drop(lock);
    assert_eq!(bench.texts("SELECT status FROM runs").await, ["running"], "a look writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_were_counted_before_are_counted_anew_whatever_changed_them() {
    let two = format!("{}{}", named("one", r#"["name"]"#), named("two", r#"["website"]"#));
    let mut bench = Bench::with_rows(numbered(20), &two).await;
    let members = async |bench: &Bench| -> Vec<u64> {
        let standings = overview(bench).await.queries;
        let remembered: Vec<u64> = standings.iter().map(|query| query.members).collect();
        let Some(mut store) = Store::open_if_there(&bench.store_path()).await.unwrap() else {
            return remembered;
        };
        let counted = [store.count_members(1).await.unwrap(), store.count_members(2).await.unwrap()];
        assert_eq!(remembered, counted[..remembered.len()]);
        remembered
    };
    assert_eq!(members(&bench).await, [0, 0], "no store yet");
    bench.sync().await;
    assert_eq!(members(&bench).await, [20, 20]);
    bench.control.set_rows("FI", numbered(24).split_off(3));
    bench.sync().await;
    assert_eq!(members(&bench).await, [21, 21]);
    bench.control.set_rows("FI", numbered(24));
    bench.sync().await;
    assert_eq!(members(&bench).await, [24, 24], "some came back");
    bench.configure("", &named("one", r#"["name"]"#));
    assert_eq!(vainu_sync(&bench, &["prune", "two"]).await.code, Some(0));
    assert_eq!(members(&bench).await, [24]);
    bench.configure("", &two);
    bench.sync().await;
    assert_eq!(members(&bench).await, [24, 24], "it begins anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_told_names_the_configuration_that_was_named() {
    let bench = Bench::with_rows(numbered(100), ALL_OF_FI).await;
    bench.sync().await;
    bench.control.set_rows("FI", numbered(50));
    let named = bench.folder.path().join("my acme.toml");
    fs::rename(bench.folder.path().join("config.toml"), &named).unwrap();
    let told = format!("vainu-sync --config '{}' sync all --accept", named.display());
    let named = ["--config", named.to_str().unwrap()];
    let held = vainu_sync(&bench, &[&named[..], &["sync"]].concat()).await;
    assert!(held.out.contains(&told), "{} {}", held.out, held.err);
    let status = vainu_sync(&bench, &[&named[..], &["status", "--json"]].concat()).await.out;
    assert!(status.contains(&format!(r#""held":"{told}""#)), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_query_is_told_with_its_command_until_somebody_lets_it_through() {
    let bench = Bench::with_rows(numbered(100), ALL_OF_FI).await;
    let held = async || overview(&bench).await.queries[0].held.clone();
    bench.sync().await;
    assert_eq!(held().await, None);
    bench.control.set_rows("FI", numbered(50));
    bench.sync().await;
    let command = held().await.unwrap();
    assert_eq!(command, "vainu-sync sync all --accept");
    let json = vainu_sync(&bench, &["status", "--json"]).await.out;
    assert!(json.contains(&format!(r#""held":"{command}""#)), "{json}");
    bench.sync_as(Order { accept: true, ..Order::default() }).await;
    assert_eq!(held().await, None);
    assert_eq!(bench.number("SELECT count(*) FROM memberships WHERE left_at IS NULL").await, 50);
}
