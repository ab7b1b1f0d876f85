//! Exports, the second way to list.

use std::process::Stdio;
use std::time::Duration;

use vainu_sync::run::Report;
use vainu_sync::sandbox::{Endpoint, Fault, InFilters};
use vainu_sync::store::Status;

use crate::bench::{ALL_OF_FI, Bench, numbered, row};
use crate::program::{program, signal, to_its_end, until};

fn by_export() -> String {
    format!("{ALL_OF_FI}fetch = \"export\"\n")
}

async fn fetches(bench: &Bench) -> Vec<String> {
    bench.texts("SELECT fetch || ' ' || status FROM runs ORDER BY id").await
}

/// Whether a job is remembered, as a query of the only `_queries` row.
async fn remembers_a_job(bench: &Bench) -> bool {
    bench.number("SELECT export IS NOT NULL FROM _queries").await == 1
}

fn came(report: &Report) -> (Status, u64, u64) {
    (report.status, report.numbers.fetched, report.numbers.created)
}

#[tokio::test]
async fn an_export_is_loaded_then_finds_nothing_new_then_who_left() {
    for key in ["state", "status"] {
        let rows = numbered(2345);
        let bench = Bench::with_rows(rows.clone(), &by_export()).await;
        bench.control.switch(|switches| (switches.export_polls, switches.export_state_key) = (3, key));
        let report = bench.sync_one().await;
        assert_eq!(came(&report), (Status::Succeeded, 2345, 2345), "{:?}", report.error);
        assert_eq!(bench.control.hits(Endpoint::Organizations), 0);
        let log = bench.log().await;
        let report = bench.sync_one().await;
        assert_eq!((report.status, report.numbers.unchanged), (Status::Succeeded, 2345));
        assert_eq!(bench.log().await, log);
        bench.control.set_rows("FI", rows[4..].to_vec());
        let report = bench.sync_one().await;
        assert_eq!((report.status, report.numbers.left), (Status::Succeeded, 4));
        assert_eq!(bench.members("all").await.len(), 2341);
        assert_eq!(fetches(&bench).await, ["export succeeded"; 3]);
        assert!(!remembers_a_job(&bench).await);
    }
}

#[tokio::test]
async fn who_is_missing_from_an_export_is_asked_for_a_hundred_at_a_time() {
    let rows = numbered(1000);
    let bench = Bench::with_rows(rows.clone(), &by_export()).await;
    bench.sync_one().await;
    bench.control.set_rows("FI", rows[150..].to_vec());
    assert_eq!(bench.sync_one().await.numbers.left, 150);
    let asked = bench.control.requests_to(Endpoint::Organizations);
    let most = asked.iter().map(|request| request.body.matches("\"FI0").count()).max();
    assert_eq!(most, Some(100));
}

#[tokio::test]
async fn what_is_known_reaches_up_to_the_submission() {
    let bench = Bench::with_rows(numbered(5), &by_export()).await;
    bench
        .control
        .on_request(Endpoint::ExportPoll, 1, |control| control.advance_clock(Duration::from_hours(1)));
    let before = jiff::Timestamp::now();
    assert_eq!(bench.sync_one().await.status, Status::Succeeded);
    let watermark: jiff::Timestamp = bench.texts("SELECT watermark FROM _queries").await[0].parse().unwrap();
    assert!(watermark.duration_since(before).as_mins() < 30, "{watermark}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_while_its_export_is_polled_is_taken_up_by_the_next() {
    for (name, code) in [("TERM", Some(1)), ("KILL", None)] {
        let bench = Bench::with_rows(numbered(700), &by_export()).await;
        bench.control.switch(|switches| switches.export_polls = 3);
        let mut sync = program(bench.folder.path())
            .arg("sync")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until("the export is polled", async || bench.control.hits(Endpoint::ExportPoll) > 0).await;
        signal(&sync, name);
        let ended = tokio::task::spawn_blocking(move || sync.wait().unwrap().code()).await.unwrap();
        assert_eq!(ended, code);
        assert!(remembers_a_job(&bench).await);
        let report = bench.sync_one().await;
        assert_eq!(came(&report), (Status::Succeeded, 700, 700), "{:?}", report.error);
        assert_eq!(bench.control.hits(Endpoint::ExportSubmit), 1, "{name}");
        assert!(!remembers_a_job(&bench).await);
    }
}

/// A run that gave up on its polls, so that its job is remembered.
async fn left_under_way() -> Bench {
    let mut bench = Bench::with_rows(numbered(20), &by_export()).await;
    bench.configure("retry_for = \"20ms\"", &by_export());
    bench.control.fail_always(Endpoint::ExportPoll, Fault::status(504));
    assert_eq!(bench.sync_one().await.status, Status::Failed);
    assert!(remembers_a_job(&bench).await);
    bench.control.heal();
    bench
}

#[tokio::test]
async fn an_export_under_way_is_polled_again_while_it_lives() {
    let bench = left_under_way().await;
    let report = bench.sync_one().await;
    assert_eq!(came(&report), (Status::Succeeded, 20, 20), "{:?}", report.error);
    assert_eq!(bench.control.hits(Endpoint::ExportSubmit), 1);
    assert_eq!(fetches(&bench).await, ["export failed", "export succeeded"]);
}

#[tokio::test]
async fn an_export_of_another_definition_or_an_old_or_unknown_one_is_dropped() {
    let mut edited = left_under_way().await;
    edited.configure("", &by_export().replace("[\"name\"]", "[\"name\", \"website\"]"));
    let old = left_under_way().await;
    old.control.advance_clock(Duration::from_hours(7));
    let unknown = left_under_way().await;
    unknown.control.fail(Endpoint::ExportPoll, Fault::status(404), 1);
    for bench in [edited, old, unknown] {
        let report = bench.sync_one().await;
        assert_eq!(came(&report), (Status::Succeeded, 20, 20), "{:?}", report.error);
        assert_eq!(bench.control.hits(Endpoint::ExportSubmit), 2);
        assert!(!remembers_a_job(&bench).await);
    }
}

#[tokio::test]
async fn an_export_under_way_is_outdated_by_a_listing_by_pages() {
    let mut bench = left_under_way().await;
    bench.configure("", &by_export().replace("export", "pages"));
    assert_eq!(bench.sync_one().await.status, Status::Succeeded);
    bench.configure("", &by_export());
    bench.control.set_rows("FI", vec![row("FI00001", "Renamed")]);
    assert_eq!(bench.sync_one().await.numbers.updated, 1);
    assert_eq!(bench.control.hits(Endpoint::ExportSubmit), 2);
}

#[tokio::test]
async fn an_export_from_before_the_run_lets_nobody_go_unasked() {
    let [one, two] = ["1", "2"].map(|n| row(&format!("FI{n}"), "Same"));
    let mut bench = Bench::with_rows([one.clone()], &by_export()).await;
    bench.control.switch(|switches| switches.in_filters = InFilters::Ignored);
    bench.sync_one().await;
    bench.configure("retry_for = \"20ms\"", &by_export());
    bench.control.set_rows("FI", vec![two.clone()]);
    bench.control.fail_always(Endpoint::ExportPoll, Fault::status(504));
    bench.sync_one().await;
    bench.control.heal();
    bench.control.set_rows("FI", vec![one]);
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.left, report.numbers.candidates), (Status::Succeeded, 0, 1));
    assert_eq!(bench.control.hits(Endpoint::ExportSubmit), 2);
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.left), (Status::Succeeded, 1));
    assert_eq!(bench.members("all").await.into_keys().collect::<Vec<_>>(), ["FI1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_download_is_nowhere_to_be_found() {
    let bench = Bench::with_rows(numbered(20), &by_export()).await;
    bench.control.switch(|switches| switches.export_polls = 0);
    bench.control.fail(Endpoint::Download, Fault::Cut(20), 1);
    bench.control.fail(Endpoint::Download, Fault::status(403), 1);
    let mut sync = program(bench.folder.path());
    sync.args(["--log", "trace", "sync"]);
    let ended = to_its_end(sync).await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("fresh") && ended.err.contains("trying again"), "{}", ended.err);
    let downloads = bench.control.requests_to(Endpoint::Download);
    assert_eq!(downloads.len(), 3);
    for download in downloads {
        let token = download.target.split_once("token=").unwrap().1.as_bytes();
        assert!(!contains(ended.err.as_bytes(), token), "{}", ended.err);
        for suffix in ["", "-wal"] {
            let file = bench.folder.path().join(format!("vainu.db{suffix}"));
            assert!(!contains(&std::fs::read(file).unwrap(), token));
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_job_that_ended_badly_fails_its_run_and_is_forgotten() {
    for state in ["failure", "partial_failure_complete", "partial_failure_incomplete", "stopped", "paused"] {
        let bench = Bench::with_rows(numbered(20), &by_export()).await;
        bench.sync_one().await;
        bench.control.set_rows("FI", Vec::new());
        bench.control.switch(|switches| switches.export_end = state);
        let report = bench.sync_one().await;
        assert_eq!((report.status, report.numbers.left), (Status::Failed, 0));
        assert!(report.error.unwrap().contains(&format!("{state:?}")));
        assert!(!remembers_a_job(&bench).await);
        assert_eq!(bench.members("all").await.len(), 20);
    }
}

#[tokio::test]
async fn a_download_that_fails_in_any_way_gives_every_row_once() {
    let faults = [
        Fault::Cut(30_000),
        Fault::Cut(0),
        Fault::Reset,
        Fault::status(503),
        Fault::html(),
        Fault::body(r#"{"detail":"busy"}"#),
    ];
    for fault in faults {
        let bench = Bench::with_rows(numbered(2000), &by_export()).await;
        bench.control.fail(Endpoint::Download, fault.clone(), 1);
        let report = bench.sync_one().await;
        assert_eq!(came(&report), (Status::Succeeded, 2000, 2000), "{fault:?}: {:?}", report.error);
        assert_eq!(bench.control.hits(Endpoint::Download), 2, "{fault:?}");
        assert_eq!(bench.members("all").await.len(), 2000);
    }
}

#[tokio::test]
async fn a_link_that_expires_is_taken_afresh_and_one_that_never_lives_fails_the_run() {
    let bench = Bench::with_rows(numbered(20), &by_export()).await;
    bench.control.on_request(Endpoint::Download, 1, vainu_sync::sandbox::Control::expire_downloads);
    assert_eq!(bench.sync_one().await.status, Status::Succeeded);
    assert_eq!(bench.control.hits(Endpoint::Download), 2);

    bench.control.switch(|switches| switches.download_lifetime = Duration::ZERO);
    let report = bench.sync_one().await;
    assert_eq!(report.status, Status::Failed);
    let error = report.error.unwrap();
    assert!(error.contains("download links") && !error.contains("token="), "{error}");
}

#[tokio::test]
async fn lines_as_other_systems_write_them_are_read_and_a_broken_one_is_set_aside_alone() {
    let rows = numbered(300);
    let bench = Bench::with_rows(rows.clone(), &by_export()).await;
    let crlf = |body: Vec<u8>| {
        let text = String::from_utf8(body).unwrap().replace('\n', "\r\n");
        let text = text.replace("\"Company 7\"", "NaN").replace("Company 8\"", "Company \u{0}\"");
        let mut bytes = format!("\u{feff}{text}\r\n\r\n").into_bytes();
        bytes.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = 0xE4);
        bytes
    };
    bench.control.fail(Endpoint::Download, Fault::rewrite(crlf), 1);
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.rejected), (Status::Succeeded, 2), "{:?}", report.error);
    let reasons = bench.texts("SELECT reason FROM rejects ORDER BY rowid").await;
    assert!(reasons[0].contains("not valid JSON") && reasons[1].contains("no UTF-8"), "{reasons:?}");
    assert_eq!(bench.control.hits(Endpoint::Download), 1);
    assert_eq!(bench.members("all").await["FI00009"], rows[8]);
}

#[tokio::test]
async fn an_export_without_a_count_concludes_nothing() {
    let rows = numbered(50);
    let bench = Bench::with_rows(rows.clone(), &by_export()).await;
    bench.sync_one().await;
    bench.control.set_rows("FI", rows[1..].to_vec());
    let no_count = Fault::body(r#"{"status":"error","detail":"too busy"}"#);
    bench.control.fail_always(Endpoint::Count, no_count);
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.left), (Status::Incomplete, 0));
    assert!(report.error.unwrap().contains("no count"));
}

#[tokio::test]
async fn more_than_twenty_thousand_companies_are_exported() {
    let bench = Bench::with_rows(numbered(30_000), ALL_OF_FI).await;
    let report = bench.sync_one().await;
    assert_eq!(came(&report), (Status::Succeeded, 30_000, 30_000), "{:?}", report.error);
    assert_eq!(fetches(&bench).await, ["export succeeded"]);
    assert_eq!(bench.control.hits(Endpoint::Organizations), 0);
}

#[tokio::test]
async fn an_export_that_is_capped_is_incomplete_and_pages_are_kept_once_they_were_complete() {
    let bench = Bench::with_rows(numbered(21_000), ALL_OF_FI).await;
    bench.control.switch(|switches| switches.export_cap = Some(1000));
    let report = bench.sync_one().await;
    assert_eq!(came(&report), (Status::Incomplete, 1000, 1000));
    let error = report.error.unwrap();
    assert!(error.contains("after 1000 rows, but 21000 were counted"), "{error}");
    assert!(error.contains("the next run lists by pages") && !error.contains("--accept"), "{error}");
    bench.sync_one().await;
    bench.sync_one().await;
    assert_eq!(fetches(&bench).await, ["export incomplete", "pages succeeded", "pages succeeded"]);
    assert_eq!(bench.members("all").await.len(), 21_000);
}

#[tokio::test]
async fn a_refusal_of_a_later_page_is_followed_by_an_export() {
    let bench = Bench::with_rows(numbered(300), ALL_OF_FI).await;
    bench.control.switch(|switches| switches.page_cap = Some(100));
    bench.control.fail_after(Endpoint::Organizations, 1, Fault::status(400), 1000);
    let report = bench.sync_one().await;
    assert_eq!(report.status, Status::Failed);
    assert!(report.error.unwrap().contains("400 on demand"));
    let report = bench.sync_one().await;
    assert_eq!(report.status, Status::Succeeded, "{:?}", report.error);
    bench.sync_one().await;
    assert_eq!(fetches(&bench).await, ["pages failed", "export succeeded", "export succeeded"]);
}

#[tokio::test]
async fn where_one_way_fails_the_other_is_taken_until_it_is_complete() {
    let bench = Bench::with_rows(numbered(100), ALL_OF_FI).await;
    bench.control.switch(|switches| {
        switches.count_offset = 50;
        switches.export_end = "failure";
    });
    bench.sync_one().await;
    bench.sync_one().await;
    bench.control.switch(|switches| switches.count_offset = 0);
    bench.sync_one().await;
    let fetches = fetches(&bench).await;
    assert_eq!(fetches, ["pages incomplete", "export failed", "pages succeeded"]);
}

#[tokio::test]
async fn changes_are_exported_too_and_counted_for_themselves() {
    let query = format!("{}full_every = \"7d\"\n", by_export());
    let bench = Bench::start(vainu_sync::sandbox::World::Generated { size: 1000 }, &query).await;
    bench.sync_one().await;
    let _ = bench.control.next_day();
    bench.control.advance_clock(Duration::from_hours(1));
    let report = bench.sync_one().await;
    assert_eq!(report.status, Status::Succeeded, "{:?}", report.error);
    assert!(report.numbers.created > 0 && report.numbers.fetched < 500, "{:?}", report.numbers);
    let modes = bench.texts("SELECT mode || ' ' || fetch FROM runs ORDER BY id").await;
    assert_eq!(modes, ["full export", "incremental export"]);
    assert!(!remembers_a_job(&bench).await);
}
