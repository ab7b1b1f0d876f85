//! Runs that read only what changed.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use vainu_sync::run::Order;
use vainu_sync::sandbox::{Endpoint, Fault, World};
use vainu_sync::store::{Lock, Status, Store};
use vainu_sync::upkeep::{Pruning, prune};

use crate::bench::Bench;
use crate::histories::until_death;
use crate::program::vainu_sync;

const EVERYONE: &str = r#"
[[queries]]
name = "all"
database = "FI"
query = '{"?ALL": []}'
fields = ["name", "website", "financial_data.revenue", "business_units.visiting_address.city"]
schedule = "@daily"
full_every = "7d"
"#;

/// A store that a full run has filled, and a day later.
async fn a_day_later() -> Bench {
    let bench = Bench::start(World::Generated { size: 1000 }, EVERYONE).await;
    assert_eq!(bench.sync_one().await.status, Status::Succeeded);
    pass_a_day(&bench);
    bench
}

fn pass_a_day(bench: &Bench) {
    let _ = bench.control.next_day();
    bench.control.advance_clock(Duration::from_hours(1));
}

async fn modes(bench: &Bench) -> Vec<String> {
    bench.texts("SELECT mode || ' ' || status FROM runs ORDER BY id").await
}

/// What a full run would store of the present world, from a store of its own.
async fn listed(bench: &Bench) -> BTreeMap<String, String> {
    let fresh = Bench::start(World::Generated { size: 1000 }, EVERYONE).await;
    fresh.control.set_day(bench.control.day());
    fresh.sync_one().await;
    fresh.members("all").await
}

#[tokio::test]
async fn what_changed_and_who_came_is_found_with_fewer_rows_and_who_left_waits_for_a_full_run() {
    let bench = a_day_later().await;
    let report = bench.sync_one().await;
    assert_eq!(report.status, Status::Succeeded, "{:?}", report.error);
    assert_eq!(modes(&bench).await, ["full succeeded", "incremental succeeded"]);
    let numbers = report.numbers;
    assert!(numbers.updated > 0 && numbers.created > 0 && numbers.fetched < 500, "{numbers:?}");
    let (stored, listed) = (bench.members("all").await, listed(&bench).await);
    for (id, document) in &listed {
        assert_eq!(stored.get(id), Some(document), "{id}");
    }
    assert!(stored.len() > listed.len(), "who left is still a member");
    let full = bench.sync_as(Order { full: true, ..Order::default() }).await.remove(0);
    assert!(full.numbers.left > 0 && full.numbers.updated == 0 && full.numbers.created == 0, "{full:?}");
    assert_eq!(bench.members("all").await, listed);
}

#[tokio::test]
async fn windows_join_and_are_told() {
    let bench = a_day_later().await;
    bench.sync_one().await;
    pass_a_day(&bench);
    bench.sync_one().await;
    let windows = "SELECT window_start || ' ' || window_end FROM runs WHERE mode = 'incremental' ORDER BY id";
    let windows = bench.texts(windows).await;
    let bounds: Vec<jiff::Timestamp> =
        windows.iter().flat_map(|window| window.split(' ')).map(|at| at.parse().unwrap()).collect();
    assert_eq!(bounds.len(), 4, "{windows:?}");
    assert_eq!((bounds[1] - bounds[2]).as_secs(), 3600, "the second begins an hour before the first's end");
    assert!(bounds.iter().all(|at| at.subsec_nanosecond() == 0), "{windows:?}");
    let changed = bench.number("SELECT count(*) FROM changes WHERE run_id = 3 AND kind = 'updated'").await;
    let again = "SELECT count(*) FROM changes a JOIN changes b USING (business_id, kind, after) \
                 WHERE a.run_id = 2 AND b.run_id = 3 AND kind = 'updated'";
    assert!(changed > 0);
    assert_eq!(bench.number(again).await, 0, "what both windows hold is logged once");
}

#[tokio::test]
async fn a_run_is_full_when_one_is_due_and_when_the_query_was_edited() {
    let mut bench = a_day_later().await;
    bench.sync_one().await;
    bench.configure("", &EVERYONE.replace("\"website\", ", ""));
    bench.sync_one().await;
    bench.sync_one().await;
    bench.configure("", &EVERYONE.replace("\"website\", ", "").replace("\"7d\"", "\"1ms\""));
    bench.sync_one().await;
    let modes: Vec<String> = modes(&bench).await;
    let modes: Vec<&str> = modes.iter().filter_map(|mode| mode.split(' ').next()).collect();
    assert_eq!(modes, ["full", "incremental", "full", "incremental", "full"]);
}

/// The failed run has taken a key out of some documents.
#[tokio::test]
async fn a_query_that_was_edited_back_after_a_failed_run_begins_with_a_full_run() {
    let mut bench = a_day_later().await;
    let before = bench.members("all").await;
    let settings = "page_size = 100\nretry_for = \"20ms\"";
    bench.configure(settings, &EVERYONE.replace("\"website\", ", ""));
    bench.control.set_day(0);
    bench.control.fail_after(Endpoint::Organizations, 3, Fault::status(503), 1000);
    let edited = bench.sync_one().await;
    assert_eq!(edited.status, Status::Failed);
    bench.control.heal();
    bench.configure(settings, EVERYONE);
    assert_eq!(bench.sync_one().await.status, Status::Succeeded);
    assert_eq!(modes(&bench).await, ["full succeeded", "full failed", "full succeeded"]);
    assert_eq!(bench.members("all").await, before);
}

#[tokio::test]
async fn a_query_that_a_prune_left_half_way_begins_with_a_full_run() {
    let bench = a_day_later().await;
    let mut settings = bench.settings.clone();
    settings.queries.clear();
    for polls in 1.. {
        let lock = Lock::take(&bench.store_path(), "a test").unwrap();
        let mut store = Store::open(&bench.store_path(), &lock).await.unwrap();
        let (now, stop) = (Timestamp::now(), CancellationToken::new());
        let pruning = Pruning { settings: &settings, now, stop: &stop, batch_members: 100 };
        let ended = until_death(Box::pin(prune(&mut store, "all", pruning)), polls).await;
        store.close().await.unwrap();
        assert!(ended.is_none(), "it was to die half way");
        if bench.members("all").await.len() < 1000 {
            break;
        }
    }
    assert_eq!(bench.sync_one().await.status, Status::Succeeded);
    assert_eq!(modes(&bench).await, ["full succeeded", "full succeeded"]);
    assert_eq!(bench.members("all").await, listed(&bench).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_was_removed_and_added_again_begins_with_a_full_run() {
    let mut bench = a_day_later().await;
    let other = EVERYONE.replace("\"all\"", "\"other\"").replace("?ALL", "?ANY");
    bench.configure("", &other);
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    bench.configure("", EVERYONE);
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    assert_eq!(vainu_sync(&bench, &["sync", "all", "--full"]).await.code, Some(0));
    let modes = bench.texts("SELECT mode FROM runs WHERE query = 'all' ORDER BY id").await;
    assert_eq!(modes, ["full", "full", "incremental", "full"]);
}

#[tokio::test]
async fn a_window_that_failed_is_asked_for_again() {
    let mut bench = a_day_later().await;
    bench.configure("retry_for = \"20ms\"", EVERYONE);
    bench.control.fail_always(Endpoint::Organizations, Fault::status(503));
    assert_eq!(bench.sync_one().await.status, Status::Failed);
    bench.control.heal();
    let report = bench.sync_one().await;
    assert!(report.numbers.updated > 0, "{report:?}");
    let starts = bench.texts("SELECT window_start FROM runs WHERE mode = 'incremental' ORDER BY id").await;
    assert_eq!((starts.len(), &starts[0]), (2, &starts[1]));
}

#[tokio::test]
async fn a_window_whose_count_is_far_too_high_is_held_before_anything_is_stored() {
    let bench = a_day_later().await;
    bench.control.switch(|switches| switches.count_offset = 5000);
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.fetched), (Status::Held, 0), "{:?}", report.error);
}
