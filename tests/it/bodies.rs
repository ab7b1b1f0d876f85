//! Answers that are no answers.

use vainu_sync::sandbox::{Endpoint, Fault};
use vainu_sync::store::Status;

use crate::bench::{ALL_OF_FI, Bench, numbered};

async fn bench() -> Bench {
    let mut bench = Bench::with_rows(numbered(150), ALL_OF_FI).await;
    bench.configure("retry_for = \"1500ms\"\ntimeout = \"1s\"", ALL_OF_FI);
    bench.control.switch(|switches| switches.page_cap = Some(100));
    bench
}

#[tokio::test]
async fn a_second_page_that_is_an_error_object_with_status_200_is_no_page() {
    for (body, quoted) in [
        (r#"{"detail": "Query timed out", "status_code": 504}"#, "Query timed out"),
        ("null", ""),
        ("{}", ""),
        (r#"{"result": null}"#, ""),
        (r#""ok""#, ""),
    ] {
        let bench = bench().await;
        bench.control.fail_after(Endpoint::Organizations, 1, Fault::body(body), 1000);
        let report = bench.sync_one().await;
        assert_eq!((report.status, report.numbers.left), (Status::Failed, 0), "{body}");
        let error = bench.texts("SELECT error FROM runs").await.remove(0);
        assert!(error.contains(quoted), "{body}: {error}");
        assert!(report.numbers.retries > 0, "{body} was not tried again");
    }
}

#[tokio::test]
async fn a_body_that_comes_right_at_the_second_try_is_one_page() {
    for fault in
        [Fault::Cut(500), Fault::html(), Fault::body(""), Fault::body("[{\"busi"), Fault::Reset, Fault::Stall]
    {
        let bench = bench().await;
        let told = format!("{fault:?}");
        bench.control.fail(Endpoint::Organizations, fault, 1);
        let report = bench.sync_one().await;
        assert_eq!(
            (report.status, report.numbers.created),
            (Status::Succeeded, 150),
            "{told}: {:?}",
            report.error
        );
        assert_eq!(report.numbers.retries, 1, "{told}");
    }
}

#[tokio::test]
async fn nan_or_a_latin_1_byte_in_a_page_fails_the_run_after_two_tries_and_shows_the_place() {
    for bad in [
        b"[{\"business_id\":\"FI1\",\"staff_number\":NaN}]".to_vec(),
        b"[{\"business_id\":\"FI1\",\"name\":\"J\xE4\"}]".to_vec(),
    ] {
        let mut bench = bench().await;
        bench.configure("retry_for = \"15m\"", ALL_OF_FI);
        bench.control.fail_always(Endpoint::Organizations, Fault::body(bad));
        let report = bench.sync_one().await;
        assert_eq!(report.status, Status::Failed);
        assert_eq!(bench.control.hits(Endpoint::Organizations), 2);
        let error = report.error.unwrap();
        assert!(error.contains("byte ") && error.contains("FI1"), "{error}");
    }
}

#[tokio::test]
async fn a_count_that_comes_twice_has_its_last_value() {
    let bench = bench().await;
    let body = r#"{"count":1,"status":"ready","count":150}"#;
    bench.control.fail(Endpoint::Count, Fault::body(body), 1);
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.expected), (Status::Succeeded, Some(150)));
}

#[tokio::test]
async fn without_a_count_a_proved_listing_is_complete() {
    let bench = bench().await;
    bench.control.fail_always(Endpoint::Count, Fault::status(403));
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.expected), (Status::Succeeded, None));
}

#[tokio::test]
async fn an_api_that_is_down_fails_the_run_and_leaves_the_store_as_it_was() {
    let bench = bench().await;
    bench.sync_one().await;
    bench.control.fail_always(Endpoint::Organizations, Fault::Reset);
    bench.control.fail_always(Endpoint::Count, Fault::Reset);
    let report = bench.sync_one().await;
    assert_eq!(report.status, Status::Failed);
    assert_eq!(bench.members("all").await.len(), 150);
    assert_eq!(bench.texts("SELECT status FROM runs ORDER BY id").await, ["succeeded", "failed"]);
}
