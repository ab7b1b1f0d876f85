//! Feeds on the status page and in the metrics.

use std::fs;

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
