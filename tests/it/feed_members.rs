//! Who is a member of a feed, and how long it is remembered whom it has told of.

use std::fs;

use crate::bench::{Bench, named, numbered, row};
use crate::consumer::{Consumer, feed, folder, manifest, rows, write_feeds, written};
use crate::feeds::{company, crm};
use crate::program::vainu_sync;

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_never_succeeded_takes_nobody_away() {
    let two = |queries: &str| {
        let query = |name: &str| named(name, r#"["name"]"#);
        let snapshot = feed("whole", queries, "content = \"snapshot\"", "Name = \"name\"");
        format!("{}{}{}{snapshot}", query("old"), query("new"), feed("crm", queries, "", "Name = \"name\""))
    };
    let mut bench = Bench::with_rows(numbered(4), &two("[\"old\"]")).await;
    let folder = folder(&bench);
    assert_eq!(vainu_sync(&bench, &["sync", "old"]).await.code, Some(0));
    bench.configure("", &two("[\"new\"]"));
    let early = vainu_sync(&bench, &["feed"]).await;
    assert_eq!(early.code, Some(1));
    let waits = "who is no member any more is told once these have succeeded: new";
    assert_eq!(early.out.matches(waits).count(), 2, "{}", early.out);
    assert_eq!(Consumer::of(&folder, "crm").len(), 4, "nobody is taken away unproved");
    let status = vainu_sync(&bench, &["status"]).await;
    assert!(status.out.contains("nobody until these have succeeded once: new"), "{}", status.out);
    assert!(vainu_sync(&bench, &["check"]).await.out.contains("removes nobody until"));
    bench.control.set_rows("FI", numbered(3));
    let late = vainu_sync(&bench, &["sync", "new"]).await;
    assert_eq!(late.code, Some(0), "{}", late.out);
    assert!(late.out.contains("crm-00000002.csv: 1 rows, 1 of them removals"), "{}", late.out);
    assert_eq!(Consumer::of(&folder, "crm").len(), 3);
    assert_eq!(rows(&folder.join("whole-00000002.csv")).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_no_longer_reaches_back_makes_the_feed_compare_everything() {
    let bench = Bench::with_rows(numbered(5), &crm("")).await;
    let folder = folder(&bench);
    bench.sync().await;
    write_feeds(&bench).await;
    let mut rows = numbered(5);
    rows.remove(1);
    rows[0] = row("FI00001", "other");
    bench.control.set_rows("FI", rows);
    bench.sync().await;
    bench.write("DELETE FROM _changes").await;
    assert_eq!(written(&write_feeds(&bench).await), "2");
    assert_eq!(Consumer::of(&folder, "crm").len(), 4);
    assert_eq!(written(&write_feeds(&bench).await), "-");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_that_gives_the_query_its_members_is_followed() {
    let one = |query: &str| {
        format!(
            "{}{}",
            named(query, r#"["name"]"#),
            feed("crm", &format!("[\"{query}\"]"), "", "Name = \"name\"")
        )
    };
    let mut bench = Bench::with_rows(numbered(3), &one("old")).await;
    let folder = folder(&bench);
    vainu_sync(&bench, &["sync"]).await;
    bench.configure("", &one("new"));
    assert_eq!(vainu_sync(&bench, &["rename", "old", "new"]).await.code, Some(0));
    let feed = vainu_sync(&bench, &["feed"]).await;
    assert_eq!((feed.code, &*feed.out), (Some(0), "feed crm: nothing new since crm-00000001.csv\n"));
    assert_eq!(manifest(&folder, "crm")["queries"][0]["name"], "new");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_departed_organization_is_kept_until_the_feed_has_told_of_it() {
    let keep = "[store]\nkeep_departed = \"1d\"\n";
    let mut bench = Bench::with_rows(numbered(3), &format!("{keep}{}", crm(""))).await;
    vainu_sync(&bench, &["sync"]).await;
    let folder = folder(&bench);
    vainu_sync(&bench, &["feed"]).await;
    fs::rename(&folder, bench.folder.path().join("aside")).unwrap();
    bench.control.set_rows("FI", numbered(2));
    vainu_sync(&bench, &["sync"]).await;
    let age = "UPDATE organizations SET gone_at = '2020-01-01T00:00:00.000Z' WHERE gone_at IS NOT NULL";
    bench.write(age).await;
    vainu_sync(&bench, &["sync"]).await;
    let count = "SELECT count(*) FROM organizations";
    assert_eq!(bench.number(count).await, 3, "its removal is still to be told");
    fs::rename(bench.folder.path().join("aside"), &folder).unwrap();
    vainu_sync(&bench, &["sync"]).await;
    assert_eq!((bench.number(count).await, Consumer::of(&folder, "crm").len()), (2, 2));
    // A feed that is not configured any more is not waited for, and finds whom it told of in its files.
    bench.configure("", &format!("{keep}{}", named("all", r#"["name", "website"]"#)));
    bench.control.set_rows("FI", numbered(1));
    vainu_sync(&bench, &["sync"]).await;
    bench.write(age).await;
    vainu_sync(&bench, &["sync"]).await;
    assert_eq!(bench.number(count).await, 1);
    assert!(vainu_sync(&bench, &["check"]).await.out.contains("remembers a feed \"crm\""));
    bench.configure("", &format!("{keep}{}", crm("")));
    let back = vainu_sync(&bench, &["feed"]).await;
    assert_eq!((back.code, Consumer::of(&folder, "crm").len()), (Some(0), 1), "{}", back.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_quiet_while_the_feed_was_away_is_written_when_it_is_back() {
    let mut bench = Bench::with_rows([company("FI1", "a", "x")], &crm("")).await;
    let folder = folder(&bench);
    vainu_sync(&bench, &["sync"]).await;
    let quiet = format!("{}quiet = [\"website\"]\n", named("all", r#"["name", "website"]"#));
    bench.configure("", &quiet);
    bench.control.set_rows("FI", vec![company("FI1", "a", "y")]);
    vainu_sync(&bench, &["sync"]).await;
    assert_eq!(bench.number("SELECT count(*) FROM changes WHERE kind = 'updated'").await, 0);
    bench.configure("", &crm(""));
    vainu_sync(&bench, &["sync"]).await;
    assert_eq!(Consumer::of(&folder, "crm")["FI1"]["Site"], "y");
}
