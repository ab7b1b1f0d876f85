//! Access tokens that end early.

use std::num::NonZeroU32;
use std::process::Stdio;
use std::time::Duration;

use vainu_sync::sandbox::{Endpoint, Fault, Rotation};
use vainu_sync::store::Status;

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::{ended, program, signal, until, vainu_sync};

#[tokio::test]
async fn one_token_serves_a_whole_run() {
    let bench = Bench::with_rows(numbered(2500), ALL_OF_FI).await;
    bench.control.switch(|switches| switches.page_cap = Some(100));
    assert_eq!(bench.sync_one().await.status, Status::Succeeded);
    assert_eq!(bench.control.hits(Endpoint::Token), 1);
}

#[tokio::test]
async fn tokens_that_are_revoked_every_few_requests_are_replaced_each_time() {
    let bench = Bench::with_rows(numbered(950), ALL_OF_FI).await;
    bench.control.switch(|switches| {
        switches.page_cap = Some(100);
        switches.requests_per_token = NonZeroU32::new(4);
    });
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.created), (Status::Succeeded, 950), "{:?}", report.error);
    // 12 answers (a count, 10 pages, the proof of the end) at 4 a token.
    assert_eq!(bench.control.hits(Endpoint::Token), 3);
    assert_eq!(bench.members("all").await.len(), 950);
}

#[tokio::test]
async fn tokens_that_live_two_seconds_are_renewed_before_they_end() {
    let bench = Bench::with_rows(numbered(950), ALL_OF_FI).await;
    bench.control.switch(|switches| {
        switches.page_cap = Some(100);
        switches.access_lifetime = Duration::from_secs(2);
        switches.latency = Duration::from_millis(300);
    });
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.created), (Status::Succeeded, 950), "{:?}", report.error);
    let tokens = bench.control.hits(Endpoint::Token);
    assert!((2..=8).contains(&tokens), "{tokens} tokens for 12 requests of 0.3 s");
}

#[tokio::test]
async fn a_refused_refresh_token_is_asked_once_and_said() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.control.fail_always(Endpoint::Token, Fault::status(400));
    let report = bench.sync_one().await;
    assert_eq!(report.status, Status::Failed);
    assert_eq!(bench.control.hits(Endpoint::Token), 1);
    assert!(report.error.unwrap().contains("get a new refresh token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_is_good_for_one_use_serves_run_after_run_and_its_last_days_are_told() {
    let bench = Bench::with_rows(numbered(950), ALL_OF_FI).await;
    bench.control.switch(|switches| {
        switches.page_cap = Some(100);
        switches.requests_per_token = NonZeroU32::new(4);
        switches.rotation = Rotation::OldEnds;
        switches.refresh_lifetime = Duration::from_hours(3 * 24 + 12);
    });
    for run in 1..=3 {
        let ended = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(ended.code, Some(0), "run {run}: {}", ended.err);
        let told = ended.err.matches("\"days_left\":3").count();
        assert_eq!(told, 1, "the end of the token is told once a run: {}", ended.err);
    }
    assert!(bench.folder.path().join("vainu.db.token").exists());
}

#[tokio::test]
async fn a_run_without_a_token_is_no_run_without_a_count() {
    for fault in [Fault::status(404), Fault::status(503), Fault::html(), Fault::redirect("/elsewhere")] {
        let mut bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
        bench.configure("retry_for = \"0s\"", ALL_OF_FI);
        bench.control.fail(Endpoint::Token, fault, 1);
        let report = bench.sync_one().await;
        assert_eq!(report.status, Status::Failed);
        assert!(report.error.unwrap().contains("/token_authentication/refresh/"));
        assert_eq!(bench.control.hits(Endpoint::Organizations), 0, "it went on unguarded");
        assert_eq!(bench.sync_one().await.numbers.created, 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_outlasts_the_end_is_told_as_what_it_is() {
    for args in [&["run"][..], &["sync"]] {
        let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
        bench.control.fail_always(Endpoint::Token, Fault::Stall);
        let mut command = program(bench.folder.path());
        let child = command.args(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        until("a token is asked for", async || bench.control.hits(Endpoint::Token) > 0).await;
        signal(&child, "TERM");
        let ended =
            tokio::task::spawn_blocking(move || ended(child.wait_with_output().unwrap())).await.unwrap();
        assert!(
            ended.err.contains("a refresh token that it may have renewed is lost"),
            "{args:?}: {}",
            ended.err
        );
        assert!(!ended.err.contains("marks it as interrupted"), "{args:?}: {}", ended.err);
    }
}
