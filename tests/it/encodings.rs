//! Files as Windows editors save them: a byte order mark in front, CR LF at the ends of lines.

use std::fs;

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::vainu_sync;

const MARK: &str = "\u{feff}";
const ALL: &str = "query = '{\"?ALL\": []}'";

/// A bench whose configuration has a mark and CR LF, and asks in this way.
async fn bench_with(ask: &str) -> Bench {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let path = bench.folder.path().join("config.toml");
    let text = fs::read_to_string(&path).unwrap().replace(ALL, ask).replace('\n', "\r\n");
    fs::write(path, format!("{MARK}{text}")).unwrap();
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_and_windows_line_ends_are_no_part_of_configuration_query_or_payload() {
    for (ask, file) in [
        (ALL, ""),
        ("query_file = 'ask.json'", "{\r\n  \"?ALL\": []\r\n}\r\n"),
        ("payload_file = 'ask.json'", "{\r\n  \"query\": {\"?ALL\": []}\r\n}\r\n"),
    ] {
        let bench = bench_with(ask).await;
        fs::write(bench.folder.path().join("ask.json"), format!("{MARK}{file}")).unwrap();
        let sync = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(
            (sync.code, sync.out.contains("5 created")),
            (Some(0), true),
            "{ask}: {}{}",
            sync.out,
            sync.err
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_counted_right_behind_a_mark_and_windows_line_ends() {
    let bench = bench_with("query_file = 'ask.json'").await;
    let path = bench.folder.path().join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    let line = text.lines().position(|line| line.starts_with("query_file")).unwrap() + 1;
    let json = bench.folder.path().join("ask.json");
    for (config, query, told) in [
        (
            text.replace("'ask.json'", "'none.json'"),
            "",
            format!("config.toml:{line}: queries.all.query_file"),
        ),
        (text.replace("query_file", "qury_file"), "", format!("config.toml:{line}: queries.all.qury_file")),
        (text.replace("'ask.json'", "ask.json"), "", format!("config.toml:{line}: is not TOML")),
        (text.clone(), "{\r\n\"?ALL\": [],\r\n}", "ask.json:3: ".to_owned()),
    ] {
        fs::write(&path, config).unwrap();
        fs::write(&json, format!("{MARK}{query}")).unwrap();
        let check = vainu_sync(&bench, &["check"]).await;
        assert_eq!((check.code, check.err.contains(&told)), (Some(78), true), "{told}: {}", check.err);
    }
}
