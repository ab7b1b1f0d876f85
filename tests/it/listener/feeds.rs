//! Feeds on the status page and in the metrics.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use jiff::Timestamp;

use super::metrics::samples;
use super::{Served, read};
use crate::bench::{ALL_OF_FI, Bench, named, numbered};
use crate::consumer::{feed, folder, write_feeds};
use crate::feeds::crm;
use crate::program::vainu_sync;

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_told_of_before_its_first_file_after_it_and_when_nothing_is_new() {
    let bench = Bench::with_rows(numbered(5), &crm("")).await;
    folder(&bench);
    let served = Served::of(&bench, Timestamp::now).await;
    let (_, page) = read(served.address, "/").await;
    assert!(page.contains("> Waits<") && page.contains("<td>none yet</td>"), "{page}");
    let told = samples(served.address).await;
    assert_eq!(told["vainu_sync_feed_sequence{feed=\"crm\"}"], "0");
    assert_eq!(told["vainu_sync_feed_waiting{feed=\"crm\"}"], "1", "its query has not succeeded yet");
    for name in ["checked_timestamp_seconds", "written_timestamp_seconds", "rows"] {
        assert!(!told.contains_key(&format!("vainu_sync_feed_{name}{{feed=\"crm\"}}")), "{name}");
    }
    bench.sync().await;
    write_feeds(&bench).await;
    let status = vainu_sync(&bench, &["status", "--json"]).await;
    let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
    let later = Served::of(&bench, || Timestamp::now() + jiff::SignedDuration::from_hours(3)).await;
    let told = samples(later.address).await;
    for (name, value) in [("sequence", "1"), ("rows", "5"), ("failing", "0"), ("waiting", "0")] {
        assert_eq!(told[&format!("vainu_sync_feed_{name}{{feed=\"crm\"}}")], value, "{name}");
    }
    for moment in ["checked", "written"] {
        let at: Timestamp = status["feeds"][0][format!("{moment}_at")].as_str().unwrap().parse().unwrap();
        let seconds: f64 =
            told[&format!("vainu_sync_feed_{moment}_timestamp_seconds{{feed=\"crm\"}}")].parse().unwrap();
        assert!((seconds - at.as_duration().as_secs_f64()).abs() < 0.001, "{moment}: {seconds} and {at}");
    }
    let (_, page) = read(later.address, "/").await;
    for words in ["> Right<", "crm-00000001.csv", "<td class=\"number\">5</td>", "3 h 0 min ago", "/feeds<"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let (_, metrics) = read(later.address, "/metrics").await;
    super::alerts::promtool(&["check", "metrics"], Some(&metrics)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_can_not_be_written_is_told_with_the_reason_until_it_is() {
    let feeds = format!("{}{}", crm(""), feed("other", "[\"all\"]", "", "Name = \"name\""));
    let bench = Bench::with_rows(numbered(5), &feeds).await;
    let folder = folder(&bench);
    bench.sync().await;
    write_feeds(&bench).await;
    fs::rename(&folder, folder.with_extension("away")).unwrap();
    write_feeds(&bench).await;
    let served = Served::of(&bench, Timestamp::now).await;
    let told = samples(served.address).await;
    assert_eq!(told["vainu_sync_feed_failing{feed=\"crm\"}"], "1");
    assert_eq!(told["vainu_sync_feed_sequence{feed=\"crm\"}"], "1", "its last file is still the last");
    let (_, page) = read(served.address, "/").await;
    assert!(page.contains("<title>The query is on time, but 2 of 2 feeds can't be written"), "{page}");
    assert!(page.contains("> Not written<") && page.contains("Held back: its directory"), "{page}");
    assert!(page.contains("does not exist"), "{page}");
    fs::rename(folder.with_extension("away"), &folder).unwrap();
    write_feeds(&bench).await;
    let served = Served::of(&bench, Timestamp::now).await;
    assert_eq!(samples(served.address).await["vainu_sync_feed_failing{feed=\"crm\"}"], "0");
    let (_, page) = read(served.address, "/").await;
    assert!(page.contains("<title>The query is on time ·") && !page.contains("Held back"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_waits_names_the_query_that_never_succeeded() {
    let queries = format!("{}{}", ALL_OF_FI, named("never", r#"["name"]"#));
    let both = format!("{queries}{}", feed("crm", "[\"all\", \"never\"]", "", "Name = \"name\""));
    let mut bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    folder(&bench);
    bench.sync().await;
    bench.configure("", &both);
    write_feeds(&bench).await;
    let served = Served::of(&bench, Timestamp::now).await;
    assert_eq!(samples(served.address).await["vainu_sync_feed_waiting{feed=\"crm\"}"], "1");
    let (_, page) = read(served.address, "/").await;
    assert!(page.contains("> Waits<"), "{page}");
    assert!(page.contains("Removes nobody until these have succeeded once: never<"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_nobody_takes_are_told_with_the_reason_until_somebody_does() {
    let bench = Bench::with_rows(numbered(5), &crm("after = [\"./consumer\"]")).await;
    let folder = folder(&bench);
    let consumer = bench.folder.path().join("consumer");
    fs::write(&consumer, "#!/bin/sh\n[ -e up ] || { echo 'the <CRM> is down'; exit 3; }\n").unwrap();
    fs::set_permissions(&consumer, fs::Permissions::from_mode(0o755)).unwrap();
    for rows in [5, 6] {
        bench.control.set_rows("FI", numbered(rows));
        assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(1));
    }
    let of_way = |name: &str| format!("vainu_sync_feed_{name}{{feed=\"crm\",way=\"after\"}}");
    let served = Served::of(&bench, Timestamp::now).await;
    let told = samples(served.address).await;
    for (name, value) in [("handed_sequence", "0"), ("files_waiting", "2"), ("handover_failures", "2")] {
        assert_eq!(told[&of_way(name)], value, "{name}");
    }
    assert!(!told.contains_key(&of_way("handed_timestamp_seconds")));
    let (_, page) = read(served.address, "/").await;
    assert!(
        page.contains("<title>The query is on time, but the feed's files can't be handed over"),
        "{page}"
    );
    for words in
        ["> Not taken<", "no file handed over yet; 2 files wait; failed 2 times, last ", "the &lt;CRM&gt; is"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    fs::write(folder.join("up"), "").unwrap();
    assert_eq!(vainu_sync(&bench, &["feed"]).await.code, Some(0));
    let served = Served::of(&bench, Timestamp::now).await;
    let told = samples(served.address).await;
    for (name, value) in [("handed_sequence", "2"), ("files_waiting", "0"), ("handover_failures", "0")] {
        assert_eq!(told[&of_way(name)], value, "{name}");
    }
    assert!(told.contains_key(&of_way("handed_timestamp_seconds")));
    let (_, page) = read(served.address, "/").await;
    assert!(
        page.contains("<title>The query is on time ·") && page.contains("after: file 2 handed over"),
        "{page}"
    );
    let (_, metrics) = read(served.address, "/metrics").await;
    super::alerts::promtool(&["check", "metrics"], Some(&metrics)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_into_tables_is_told_by_its_table() {
    let lines =
        "\n[[feeds]]\nname = \"warehouse\"\nqueries = [\"all\"]\nformat = \"postgres\"\nurl_file = \"url\"\n";
    let bench = Bench::with_rows(numbered(5), &format!("{ALL_OF_FI}{lines}")).await;
    fs::write(bench.folder.path().join("url"), "postgres://u:s3cret@127.0.0.1:1/db").unwrap();
    assert!(vainu_sync(&bench, &["sync"]).await.out.contains("can't be reached"));
    let served = Served::of(&bench, Timestamp::now).await;
    let told = samples(served.address).await;
    assert_eq!(told["vainu_sync_feed_failing{feed=\"warehouse\"}"], "1");
    assert!(!told.contains_key("vainu_sync_feed_sequence{feed=\"warehouse\"}"), "there are no files");
    let (_, page) = read(served.address, "/").await;
    for words in ["<td>public.organizations</td>", "> Not written<", "can't be reached"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("s3cret"));
    bench
        .write(
            "UPDATE _feeds SET error = NULL, warehouse = '{\"table\":\"public.organizations\",\"rows\":7,\
             \"written_at\":\"2026-03-30T01:02:03.000Z\",\"checked_at\":\"2026-03-31T01:02:03.000Z\"}'",
        )
        .await;
    let served = Served::of(&bench, Timestamp::now).await;
    let told = samples(served.address).await;
    assert_eq!(told["vainu_sync_feed_rows{feed=\"warehouse\"}"], "7");
    for moment in ["checked", "written"] {
        assert!(
            told.contains_key(&format!("vainu_sync_feed_{moment}_timestamp_seconds{{feed=\"warehouse\"}}"))
        );
    }
    let (_, page) = read(served.address, "/").await;
    assert!(page.contains("> Right<") && page.contains("<td class=\"number\">7</td>"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_store_of_a_feed_is_text_and_no_metric_of_one_that_was_removed() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.sync().await;
    bench
        .write(
            "INSERT INTO _feeds (name, directory, file, rows, written_at, checked_at, error) VALUES \
             ('<script>a</script>', '<img src=x>', '\"><b>f', 3, '<i>', '<u>', '</td><script>b</script>\u{202e}')",
        )
        .await;
    let served = Served::of(&bench, Timestamp::now).await;
    let (status, page) = read(served.address, "/").await;
    assert_eq!(status, 200);
    for tag in ["<script", "<img", "<b>", "<i>", "<u>", "\u{202e}"] {
        assert!(!page.contains(tag), "{tag}: {page}");
    }
    assert!(page.contains("> Removed<") && page.contains("&lt;script&gt;a"), "{page}");
    assert!(page.contains("<title>The query is on time ·"), "a removed feed concerns nobody: {page}");
    assert!(!samples(served.address).await.keys().any(|name| name.contains("feed")));
}
