//! Queries that are renamed, removed and forgotten, as a user does it.

use std::fs::{self, File};
use std::process::Stdio;

use vainu_sync::sandbox::{Endpoint, Fault};
use vainu_sync::store::{Lock, Status};

use crate::bench::{ALL_OF_FI, Bench, named, numbered, row};
use crate::program::{program, until, vainu_sync};
use crate::replay::assert_log_is_true;

fn company(id: &str) -> String {
    format!(r#"{{"business_id":"{id}","name":"x","website":"{id}.example"}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pruned_query_lets_everybody_go_and_is_mentioned_no_more() {
    let (names, sites) = (named("names", r#"["name"]"#), named("sites", r#"["website"]"#));
    let mut bench = Bench::with_rows([company("FI1"), company("FI2")], &format!("{names}{sites}")).await;
    bench.control.set_rows("SE", vec![company("SE1")]);
    let swedes = named("swedes", r#"["name"]"#).replace("\"FI\"", "\"SE\"");
    bench.configure("", &format!("{names}{sites}{swedes}"));
    bench.sync().await;
    bench.configure("", &names);
    for (query, told) in [("sites", "2 members left, 0 of them"), ("swedes", "1 members left, 1 of them")] {
        let pruned = vainu_sync(&bench, &["prune", query]).await;
        assert_eq!((pruned.code, pruned.out.contains(told)), (Some(0), true), "{}{}", pruned.out, pruned.err);
    }
    assert_log_is_true(&bench).await;
    assert_eq!(bench.members("names").await["FI1"], row("FI1", "x"));
    let log =
        "SELECT query || ' ' || kind || ' ' || business_id FROM changes WHERE run_id IS NULL ORDER BY 1";
    let expected =
        ["sites left FI1", "sites left FI2", "sites updated FI1", "sites updated FI2", "swedes left SE1"];
    assert_eq!(bench.texts(log).await, expected);
    assert_eq!(bench.texts("SELECT business_id FROM organizations WHERE gone_at IS NOT NULL").await, ["SE1"]);
    let views = bench.texts("SELECT name FROM sqlite_master WHERE name LIKE 'members\\_%' ESCAPE '\\'").await;
    assert_eq!(views, ["members_names"]);
    for command in ["check", "status"] {
        let said = vainu_sync(&bench, &[command]).await;
        assert!(!said.out.contains("sites") && said.out.contains("names"), "{command}: {}", said.out);
    }
    assert_eq!(vainu_sync(&bench, &["changes", "--query", "sites"]).await.out.lines().count(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_pruned_is_refused_with_the_reason_and_the_way_out() {
    let bench = Bench::with_rows(numbered(3), ALL_OF_FI).await;
    let absent = vainu_sync(&bench, &["prune", "old"]).await;
    assert_eq!((absent.code, bench.store_path().exists()), (Some(1), false), "{}", absent.err);
    vainu_sync(&bench, &["sync"]).await;
    for (name, told) in [("all", "remove it there first"), ("al", "has no query \"al\"; it has: all")] {
        let refused = vainu_sync(&bench, &["prune", name]).await;
        assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""));
        assert!(refused.err.contains(told), "{}", refused.err);
    }
    assert_eq!(bench.members("all").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pruned_query_that_is_added_again_begins_anew_and_is_not_late() {
    let mut bench =
        Bench::with_rows(numbered(30), &format!("{ALL_OF_FI}{}", named("other", r#"["name"]"#))).await;
    bench.sync().await;
    bench.configure("", ALL_OF_FI);
    assert_eq!(vainu_sync(&bench, &["prune", "other"]).await.code, Some(0));
    assert_eq!(vainu_sync(&bench, &["prune", "other"]).await.code, Some(1), "there is nothing left of it");
    bench.configure("retry_for = \"20ms\"", &format!("{ALL_OF_FI}{}", named("other", r#"["name"]"#)));
    let status = vainu_sync(&bench, &["status"]).await;
    assert!(
        status.out.contains("other: never ran to its end yet; 0 members; no success yet"),
        "{}",
        status.out
    );
    bench.control.fail_always(Endpoint::Organizations, Fault::status(503));
    bench.sync().await;
    let status = vainu_sync(&bench, &["status"]).await;
    assert!(
        status.out.contains("other: never ran to its end yet; 0 members; no success yet"),
        "{}",
        status.out
    );
    bench.control.heal();
    let report = bench.sync().await.remove(1);
    assert_eq!((report.status, report.numbers.entered), (Status::Succeeded, 30));
    assert_log_is_true(&bench).await;
}

/// What a rename must not touch: everything but names.
async fn content(bench: &Bench) -> Vec<String> {
    let mut content = bench.texts("SELECT document || changed_at || first_seen_at FROM organizations").await;
    content.extend(
        bench.texts("SELECT business_id || entered_at || ifnull(left_at, '') FROM memberships").await,
    );
    content.extend(bench.texts("SELECT seq || kind || business_id || at FROM changes").await);
    content.extend(bench.texts("SELECT id || status || started_at FROM runs").await);
    content.extend(bench.texts("SELECT definition || watermark || last_full_at FROM _queries").await);
    content
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_query_keeps_its_members_its_history_and_its_runs() {
    let mut bench = Bench::with_rows(numbered(30), &named("old-name", r#"["name"]"#)).await;
    bench.sync().await;
    bench.control.set_rows("FI", numbered(28));
    bench.sync().await;
    let before = content(&bench).await;
    bench.configure("", &named("new-name", r#"["name"]"#));
    let renamed = vainu_sync(&bench, &["rename", "old-name", "new-name"]).await;
    assert_eq!((renamed.code, renamed.err.as_str()), (Some(0), ""));
    assert_eq!(renamed.out, "old-name: called new-name from now on, with 28 members and their history\n");
    assert_eq!(content(&bench).await, before);
    assert_log_is_true(&bench).await;
    for table in ["changes", "runs", "memberships"] {
        let names = bench.texts(&format!("SELECT DISTINCT query FROM {table}")).await;
        assert_eq!(names, ["new-name"], "{table}");
    }
    assert_eq!(bench.number("SELECT count(name) FROM members_new_name").await, 28);
    assert_eq!(bench.texts("SELECT name FROM sqlite_master WHERE name = 'members_old_name'").await.len(), 0);
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.unchanged, report.numbers.entered), (Status::Succeeded, 28, 0));
    assert_eq!(vainu_sync(&bench, &["status", "--max-age", "1h"]).await.code, Some(0));
    assert!(!vainu_sync(&bench, &["check"]).await.out.contains("note:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_renamed_is_refused_with_the_reason_and_the_way_out() {
    let queries = format!("{ALL_OF_FI}{}", named("other", r#"["name"]"#));
    let bench = Bench::with_rows(numbered(3), &queries).await;
    let absent = vainu_sync(&bench, &["rename", "all", "new"]).await;
    assert_eq!((absent.code, bench.store_path().exists()), (Some(1), false), "{}", absent.err);
    vainu_sync(&bench, &["sync"]).await;
    let before = content(&bench).await;
    for (old, new, code, told) in [
        ("al", "new", 1, "has no query \"al\"; it has: all, other"),
        ("all", "all", 1, "is called \"all\" already"),
        ("all", "other", 1, "\"other\" has 3 members of its own: give another name"),
        ("all", "New", 2, "letters a to z, digits and hyphens"),
        ("all", "", 2, "letters a to z, digits and hyphens"),
    ] {
        let refused = vainu_sync(&bench, &["rename", old, new]).await;
        assert_eq!((refused.code, refused.out.as_str()), (Some(code), ""), "{old} {new}");
        assert!(refused.err.contains(told), "{}", refused.err);
    }
    assert_eq!(content(&bench).await, before);
    let unknown = vainu_sync(&bench, &["rename", "all", "new"]).await;
    assert_eq!(unknown.code, Some(0));
    assert!(unknown.err.contains("yet: rename it there too"), "{}", unknown.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_whose_query_only_failed_is_free_and_its_failed_runs_stay_under_it() {
    let mut bench = Bench::with_rows(numbered(30), &named("old", r#"["name"]"#)).await;
    bench.sync().await;
    bench.configure("retry_for = \"20ms\"", &named("new", r#"["name"]"#));
    bench.control.fail_always(Endpoint::Organizations, Fault::status(503));
    assert_eq!(vainu_sync(&bench, &["sync", "new"]).await.code, Some(75));
    bench.control.heal();
    assert_eq!(vainu_sync(&bench, &["rename", "old", "new"]).await.code, Some(0));
    assert_eq!(
        bench.texts("SELECT status || ' ' || query FROM runs ORDER BY id").await,
        ["succeeded new", "failed new"]
    );
    assert_eq!(bench.texts("SELECT name FROM _queries").await, ["new"]);
    let report = bench.sync_one().await;
    assert_eq!((report.numbers.unchanged, report.numbers.entered), (30, 0));
    assert_log_is_true(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_whose_query_was_pruned_is_free_and_both_histories_stay_apart() {
    let (old, new) = (named("old", r#"["name"]"#), named("new", r#"["name"]"#));
    let mut bench = Bench::with_rows(numbered(30), &format!("{old}{new}")).await;
    bench.sync().await;
    bench.configure("", &old);
    assert_eq!(vainu_sync(&bench, &["prune", "new"]).await.code, Some(0));
    bench.configure("", &new);
    assert_eq!(vainu_sync(&bench, &["rename", "old", "new"]).await.code, Some(0));
    assert_log_is_true(&bench).await;
    assert_eq!(bench.members("new").await.len(), 30);
    let kinds = "SELECT group_concat(DISTINCT kind) FROM changes WHERE query";
    assert_eq!(bench.texts(&format!("{kinds} = 'new'")).await, ["created"]);
    assert_eq!(bench.texts(&format!("{kinds} LIKE 'new@%'")).await, ["entered,left"]);
    assert_eq!(bench.sync_one().await.numbers.unchanged, 30);
    for command in ["status", "check"] {
        assert!(!vainu_sync(&bench, &[command]).await.out.contains("new@"), "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_a_user_put_in_place_of_ours_stays() {
    let mut bench =
        Bench::with_rows(numbered(3), &format!("{ALL_OF_FI}{}", named("other", r#"["name"]"#))).await;
    bench.sync().await;
    let theirs = "DROP VIEW members_other; CREATE VIEW members_other AS SELECT 1 AS one";
    bench.write(theirs).await;
    bench.configure("", ALL_OF_FI);
    assert_eq!(vainu_sync(&bench, &["prune", "other"]).await.code, Some(0));
    assert_eq!(bench.number("SELECT one FROM members_other").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_use_is_said_and_waited_for() {
    let mut bench = Bench::with_rows(numbered(3), &named("old", r#"["name"]"#)).await;
    bench.sync().await;
    bench.configure("", ALL_OF_FI);
    for args in [&["rename", "old", "new"][..], &["prune", "new"]] {
        let lock = Lock::take(&bench.store_path(), "a run").unwrap();
        let refused = vainu_sync(&bench, args).await;
        assert_eq!(
            (refused.code, refused.err.contains("is in use by a run")),
            (Some(75), true),
            "{}",
            refused.err
        );
        let log = bench.folder.path().join("log");
        let mut waiting = program(bench.folder.path());
        waiting.args(args).args(["--wait", "10m"]).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        let mut waiting = waiting.spawn().unwrap();
        let said = || fs::read_to_string(&log).unwrap();
        until("it waits", async || said().contains("the store is in use: waiting")).await;
        drop(lock);
        let code = tokio::task::spawn_blocking(move || waiting.wait().unwrap().code()).await.unwrap();
        assert_eq!(code, Some(0), "{}", said());
    }
}
