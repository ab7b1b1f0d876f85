//! Queries that wait for a person instead of telling everybody twice.

use jiff::SignedDuration;

use crate::bench::{Bench, named, numbered};
use crate::daemon::{Clock, beats, setup, watch};
use crate::program::vainu_sync;

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn query(name: &str) -> String {
    named(name, r#"["name"]"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_of_which_only_the_name_was_edited_waits_and_says_so() {
    let mut bench = Bench::with_rows(numbered(5), &query("old")).await;
    bench.sync().await;
    bench.configure("", &query("new"));
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(sync.code, Some(1), "{}", sync.err);
    for (command, told) in
        [("status", "new: waits; 0 members"), ("check", "note: \"new\" is not run: it never ran")]
    {
        let said = vainu_sync(&bench, &[command]).await;
        assert_eq!((said.code, said.out.contains(told)), (Some(0), true), "{}", said.out);
        for way_out in ["`vainu-sync rename old new`", "`vainu-sync sync new`"] {
            assert!(said.out.contains(way_out) && sync.out.contains(way_out), "{}", said.out);
        }
    }
    let json: serde_json::Value =
        serde_json::from_str(&vainu_sync(&bench, &["status", "--json"]).await.out).unwrap();
    assert!(json["queries"][0]["waits"].as_str().unwrap().contains("\"old\""), "{json}");
    assert_eq!(bench.number("SELECT count(*) FROM runs").await, 1);
    let named = vainu_sync(&bench, &["sync", "new"]).await;
    assert!(named.out.starts_with("new: succeeded: 5 companies"), "{}", named.out);
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0), "it has run, so it waits no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_does_not_run_a_query_of_which_only_the_name_was_edited() {
    let mut bench = Bench::with_rows(numbered(5), &query("old")).await;
    let (client, clock) = (bench.client(), Clock::at("2026-11-25T12:00:00Z"));
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    bench.configure("", &query("new"));
    daemon.take_over(setup(&bench, &client));
    clock.set_forward(DAY * 2);
    assert_eq!(beats(&mut daemon, 3).await, "---");
    assert_eq!(vainu_sync(&bench, &["rename", "old", "new"]).await.code, Some(0));
    clock.set_forward(DAY);
    assert_eq!(beats(&mut daemon, 3).await, "R--");
    assert_eq!(bench.texts("SELECT DISTINCT kind FROM changes").await, ["created"]);
    bench.configure("", &query("another").replace("?ALL", "?ANY"));
    daemon.take_over(setup(&bench, &client));
    assert_eq!(beats(&mut daemon, 2).await, "R-", "another definition is another query");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_has_not_read_the_configuration_again_does_not_undo_a_rename() {
    let mut bench = Bench::with_rows(numbered(5), &query("old")).await;
    let (client, clock) = (bench.client(), Clock::at("2026-11-25T12:00:00Z"));
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    bench.configure("", &query("new"));
    clock.set_forward(DAY);
    assert_eq!(vainu_sync(&bench, &["rename", "old", "new"]).await.code, Some(0));
    assert_eq!(beats(&mut daemon, 3).await, "---", "neither what was planned nor anything else");
    daemon.take_over(setup(&bench, &client));
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    assert_eq!(bench.texts("SELECT DISTINCT kind FROM changes").await, ["created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_has_not_read_the_configuration_again_does_not_undo_a_prune() {
    let mut bench = Bench::with_rows(numbered(5), &format!("{}{}", query("kept"), query("pruned"))).await;
    // The program's own clock is the real one: a daemon of a century ago has read its file before.
    let (client, clock) = (bench.client(), Clock::at("1926-11-25T12:00:00Z"));
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 3).await, "RR-");
    bench.configure("", &query("kept"));
    assert_eq!(vainu_sync(&bench, &["prune", "pruned"]).await.code, Some(0));
    clock.set_forward(DAY);
    assert_eq!(beats(&mut daemon, 3).await, "R--");
    assert_eq!(bench.members("pruned").await.len(), 0);
    bench.configure("", &format!("{}{}", query("kept"), query("pruned")));
    let mut restarted_later = {
        clock.set_forward(DAY * 365 * 200);
        watch(&bench, &client, &now).await
    };
    assert_eq!(beats(&mut restarted_later, 3).await, "RR-");
    assert_eq!(bench.members("pruned").await.len(), 5, "added again, it begins anew");
}
