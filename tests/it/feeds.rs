//! What a feed writes, when, and what it says of it.

use std::collections::BTreeSet;
use std::fs;

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use vainu_sync::feed::FeedError;
use vainu_sync::sandbox::{Endpoint, Fault};

use crate::bench::{ALL_OF_FI, Bench, named, numbered, row};
use crate::consumer::{
    Consumer, csv_rows, feed, folder, manifest, numbered as files, rows, write_feeds, write_feeds_as, written,
};
use crate::program::vainu_sync;

/// Everything in FI, with name and website, and a CSV feed of both.
pub fn crm(lines: &str) -> String {
    let query = named("all", r#"["name", "website"]"#);
    format!("{query}{}", feed("crm", "[\"all\"]", lines, "Name = \"name\"\nSite = \"website\""))
}

pub fn company(id: &str, name: &str, site: &str) -> String {
    format!(r#"{{"business_id":"{id}","name":"{name}","website":"{site}"}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_come_in_the_order_of_the_file() {
    let columns = "Z = \"name\"\nA = \"website\"\n\"M, last\" = \"business_id\"";
    let queries =
        format!("{}{}", named("all", r#"["name", "website"]"#), feed("crm", "[\"all\"]", "", columns));
    let bench = Bench::with_rows([company("FI1", "Acme", "a.example")], &queries).await;
    let folder = folder(&bench);
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(sync.code, Some(0), "{}{}", sync.out, sync.err);
    assert!(sync.out.ends_with("\nfeed crm: crm-00000001.csv: 1 rows\n"), "{}", sync.out);
    let text = fs::read_to_string(folder.join("crm-00000001.csv")).unwrap();
    let changed_at = &bench.texts("SELECT changed_at FROM organizations").await[0];
    let expected = format!(
        "change,business_id,Z,A,\"M, last\",changed_at\r\nupsert,FI1,Acme,a.example,FI1,{changed_at}\r\n"
    );
    assert_eq!(text, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_has_what_differs_in_its_columns_and_who_left() {
    let queries = format!(
        "{}{}",
        named("all", r#"["name", "website", "founded"]"#),
        feed("crm", "[\"all\"]", "", "Name = \"name\"\nSite = \"website\"")
    );
    let row = |id: &str, name: &str, founded: u8| {
        format!(r#"{{"business_id":"{id}","name":"{name}","website":null,"founded":{founded}}}"#)
    };
    let first: Vec<String> = (0..20).map(|n| row(&format!("FI{n:02}"), "a", 1)).collect();
    let bench = Bench::with_rows(first.clone(), &queries).await;
    let folder = folder(&bench);
    bench.sync().await;
    assert_eq!(written(&write_feeds(&bench).await), "20");
    let told = manifest(&folder, "crm");
    let mut second = first;
    second[3] = row("FI03", "b", 1);
    second[4] = row("FI04", "a", 2);
    second.remove(5);
    bench.control.set_rows("FI", second);
    bench.sync().await;
    assert_eq!(bench.number("SELECT count(*) FROM changes WHERE kind = 'updated'").await, 2);
    assert_eq!(written(&write_feeds(&bench).await), "2", "what is not mapped is no row");
    let rows = rows(&folder.join("crm-00000002.csv"));
    assert_eq!(rows.iter().map(|row| &*row.change).collect::<Vec<_>>(), ["upsert", "remove"]);
    assert_eq!((&*rows[0].id, &*rows[0].columns["Name"], &*rows[1].id), ("FI03", "b", "FI05"));
    assert!(rows[1].columns.values().all(String::is_empty));
    let left_at = &bench.texts("SELECT left_at FROM memberships WHERE left_at IS NOT NULL").await[0];
    assert_eq!(rows[1].changed_at, *left_at);
    let second = manifest(&folder, "crm");
    bench.sync().await;
    assert_eq!(written(&write_feeds(&bench).await), "-");
    let third = manifest(&folder, "crm");
    for key in ["sequence", "file", "rows", "columns", "sha256", "written_at"] {
        assert_eq!(second[key], third[key], "{key}");
        assert!(second[key] != told[key] || ["columns"].contains(&key), "{key}");
    }
    assert!(third["checked_at"].as_str() > second["checked_at"].as_str());
    assert_eq!(files(&folder, "crm").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manifest_says_which_file_is_the_last_and_how_far_it_can_be_trusted() {
    let bench = Bench::with_rows(numbered(5), &crm("")).await;
    let folder = folder(&bench);
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    let first = manifest(&folder, "crm");
    let keys: BTreeSet<&str> = first.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["checked_at", "columns", "feed", "file", "queries", "rows", "sequence", "sha256", "written_at"];
    assert_eq!(keys, BTreeSet::from(expected));
    assert_eq!((&first["feed"], &first["sequence"]), (&"crm".into(), &1.into()));
    assert_eq!((&first["file"], &first["rows"]), (&"crm-00000001.csv".into(), &5.into()));
    assert_eq!(first["columns"], serde_json::json!(["Name", "Site"]));
    let digest = Sha256::digest(fs::read(folder.join("crm-00000001.csv")).unwrap());
    let told = first["sha256"].as_str().unwrap();
    assert_eq!((told.len(), u128::from_str_radix(&told[..32], 16)), (64, Ok(half(&digest[..16]))));
    assert_eq!(u128::from_str_radix(&told[32..], 16), Ok(half(&digest[16..])));
    let success = bench.texts("SELECT started_at FROM runs WHERE status = 'succeeded'").await;
    let query = |status: &str| serde_json::json!([{ "name": "all", "last_success_at": success[0], "status": status }]);
    assert_eq!(first["queries"], query("succeeded"));
    bench.control.fail_always(Endpoint::Organizations, Fault::status(400));
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(1));
    let second = manifest(&folder, "crm");
    assert_eq!((&second["file"], &second["queries"]), (&first["file"], &query("failed")));
    assert!(second["checked_at"].as_str() > first["checked_at"].as_str(), "a feed follows failed runs too");
}

fn half(bytes: &[u8]) -> u128 {
    u128::from_be_bytes(bytes.try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manifest_tells_of_no_success_from_before_a_query_was_pruned() {
    let mut bench = Bench::with_rows([company("FI1", "Acme", "a.example")], &crm("")).await;
    let folder = folder(&bench);
    bench.sync().await;
    write_feeds(&bench).await;
    assert!(manifest(&folder, "crm")["queries"][0]["last_success_at"].is_string());
    bench.configure("", &named("other", r#"["name"]"#));
    assert_eq!(vainu_sync(&bench, &["prune", "all"]).await.code, Some(0));
    bench.configure("", &crm(""));
    write_feeds(&bench).await;
    assert!(manifest(&folder, "crm")["queries"][0]["last_success_at"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_feeds_of_one_query_go_each_its_way() {
    let columns = "Name = \"name\"";
    let queries = [
        crm("delimiter = \";\"\nline_ending = \"lf\"\nbom = true\nnull = \"#N/A\""),
        feed("lake", "[\"all\"]", "format = \"jsonl\"", columns),
        feed("whole", "[\"all\"]", "content = \"snapshot\"", columns),
    ];
    let bench = Bench::with_rows([row("FI1", "Ä\\u0000"), row("FI2", "")], &queries.concat()).await;
    let folder = folder(&bench);
    bench.sync().await;
    assert_eq!(written(&write_feeds(&bench).await), "2 2 2");
    let csv = fs::read_to_string(folder.join("crm-00000001.csv")).unwrap();
    assert!(
        csv.starts_with("\u{feff}change;business_id;Name;Site;changed_at\nupsert;FI1;Ä\u{fffd};#N/A;"),
        "{csv}"
    );
    assert!(csv.contains("\nupsert;FI2;#N/A;#N/A;"), "{csv}");
    let json = fs::read_to_string(folder.join("lake-00000001.jsonl")).unwrap();
    assert!(json.starts_with(
        "{\"change\":\"upsert\",\"business_id\":\"FI1\",\"Name\":\"Ä\u{fffd}\",\"changed_at\":\""
    ));
    assert!(json.contains("\"business_id\":\"FI2\",\"Name\":\"\","), "{json}");
    bench.control.set_rows("FI", vec![row("FI1", "b"), row("FI3", "c"), row("FI4", "d")]);
    bench.sync().await;
    assert_eq!(written(&write_feeds(&bench).await), "4 4 3");
    assert_eq!(written(&write_feeds(&bench).await), "- - -");
    let snapshot = rows(&folder.join("whole-00000002.csv"));
    assert_eq!(snapshot.iter().map(|row| &*row.id).collect::<Vec<_>>(), ["FI1", "FI3", "FI4"]);
    assert!(snapshot.iter().all(|row| row.change == "upsert"));
    let ids: Vec<String> = Consumer::of(&folder, "lake").into_keys().collect();
    assert_eq!(ids, ["FI1", "FI3", "FI4"]);
    assert_eq!(csv_rows(&folder.join("crm-00000002.csv"), b';').len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_mapping_writes_what_reads_otherwise_and_nothing_else() {
    let mut bench =
        Bench::with_rows([company("FI1", "a", "a.example"), company("FI2", "b", "")], &crm("")).await;
    let folder = folder(&bench);
    bench.sync().await;
    let query = named("all", r#"["name", "website"]"#);
    for (lines, columns, rows) in [
        ("", "Name = \"name\"\nSite = \"website\"", "2"),
        ("", "Site = \"website\"\nName = \"name\"", "-"),
        ("delimiter = \"|\"", "Site = \"website\"\nName = \"name\"", "-"),
        ("null = \"-\"", "Site = \"website\"\nName = \"name\"", "1"),
        ("null = \"-\"", "Name = \"name\"", "2"),
        ("null = \"-\"", "Title = \"name\"", "2"),
        ("null = \"-\"", "Title = \"name\"\nId = \"business_id\"", "2"),
        ("null = \"-\"", "Title = \"name\"\nId = \"business_id\"", "-"),
    ] {
        bench.configure("", &format!("{query}{}", feed("crm", "[\"all\"]", lines, columns)));
        assert_eq!(written(&write_feeds(&bench).await), rows, "{lines} {columns}");
    }
    let last = &Consumer::of(&folder, "crm")["FI2"];
    assert_eq!((&*last["Title"], &*last["Id"]), ("b", "FI2"));
    assert_eq!(written(&write_feeds_as(&bench, true, &CancellationToken::new()).await), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_leaves_nothing_half_written() {
    let bench = Bench::with_rows(numbered(10), &crm("")).await;
    let folder = folder(&bench);
    bench.sync().await;
    let stop = CancellationToken::new();
    stop.cancel();
    let reports = write_feeds_as(&bench, false, &stop).await;
    assert!(matches!(reports[0].outcome, Err(FeedError::Stopped)));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    assert_eq!(written(&write_feeds(&bench).await), "10");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_writes_what_is_asked_for_and_needs_no_credential() {
    let mut bench = Bench::with_rows(numbered(2), &crm("")).await;
    let _ = folder(&bench);
    let early = vainu_sync(&bench, &["feed"]).await;
    assert_eq!(early.code, Some(1));
    assert!(
        early.err.contains("there is no store") && early.err.contains("vainu-sync sync"),
        "{}",
        early.err
    );
    assert!(!bench.store_path().exists());
    let dry = vainu_sync(&bench, &["sync", "--dry-run"]).await;
    assert_eq!((dry.code, dry.out.contains("feed crm")), (Some(0), false), "{}", dry.out);
    bench.sync().await;
    let path = bench.folder.path().join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    let without: Vec<&str> = text.lines().filter(|line| !line.starts_with("refresh_token")).collect();
    fs::write(&path, without.join("\n")).unwrap();
    let first = vainu_sync(&bench, &["feed"]).await;
    assert_eq!((first.code, &*first.out), (Some(0), "feed crm: crm-00000001.csv: 2 rows\n"), "{}", first.err);
    let again = vainu_sync(&bench, &["feed", "crm"]).await;
    assert_eq!((again.code, &*again.out), (Some(0), "feed crm: nothing new since crm-00000001.csv\n"));
    let whole = vainu_sync(&bench, &["feed", "crm", "--snapshot"]).await;
    assert_eq!((whole.code, &*whole.out), (Some(0), "feed crm: crm-00000002.csv: 2 rows\n"));
    let status = vainu_sync(&bench, &["status"]).await;
    assert!(status.out.contains("feed crm: crm-00000002.csv, 2 rows; written "), "{}", status.out);
    let json = vainu_sync(&bench, &["status", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&json["feeds"][0]["file"], &json["feeds"][0]["rows"]),
        (&"crm-00000002.csv".into(), &2.into())
    );
    let unknown = vainu_sync(&bench, &["feed", "cmr"]).await;
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.err.contains("no feed \"cmr\"") && unknown.err.contains("there are: crm"),
        "{}",
        unknown.err
    );
    bench.configure("", ALL_OF_FI);
    let none = vainu_sync(&bench, &["feed"]).await;
    assert_eq!(none.code, Some(78));
    assert!(none.err.contains("add a [[feeds]] table"), "{}", none.err);
    let removed = vainu_sync(&bench, &["status"]).await;
    assert!(removed.out.contains("feed crm: not in the configuration any more"), "{}", removed.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_file_is_written_though_it_has_no_rows() {
    let bench = Bench::with_rows([], &crm("")).await;
    let folder = folder(&bench);
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    assert_eq!(rows(&folder.join("crm-00000001.csv")), []);
    assert_eq!(manifest(&folder, "crm")["rows"], 0);
    assert_eq!(written(&write_feeds(&bench).await), "-");
}
