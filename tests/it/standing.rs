//! The one view of how things stand.

use std::fs;

use jiff::Timestamp;
use vainu_sync::run::Order;
use vainu_sync::standing::{Counts, Overview, View};
use vainu_sync::store::Store;

use crate::bench::{ALL_OF_FI, Bench, named, numbered};
use crate::program::vainu_sync;

async fn overview(bench: &Bench, counts: &mut Counts) -> Overview {
    let view = View { settings: &bench.settings, max_age: None, now: Timestamp::now() };
    let mut store = Store::open_if_there(&bench.store_path()).await.unwrap();
    view.overview(store.as_mut(), counts).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_were_counted_before_are_counted_anew_whatever_changed_them() {
    let two = format!("{}{}", named("one", r#"["name"]"#), named("two", r#"["website"]"#));
    let mut bench = Bench::with_rows(numbered(20), &two).await;
    let mut counts = Counts::default();
    let mut members = async |bench: &Bench| -> Vec<u64> {
        let (again, anew) =
            (overview(bench, &mut counts).await, overview(bench, &mut Counts::default()).await);
        let members = |overview: &Overview| overview.queries.iter().map(|query| query.members).collect();
        let (again, anew): (Vec<u64>, Vec<u64>) = (members(&again), members(&anew));
        assert_eq!(again, anew);
        again
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
    let held = async || overview(&bench, &mut Counts::default()).await.queries[0].held.clone();
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
