//! Files of exports that hold no rows, though rows were counted.

use vainu_sync::sandbox::{Endpoint, Fault};
use vainu_sync::store::Status;

use crate::bench::{ALL_OF_FI, Bench, numbered};

async fn bench(rows: usize) -> Bench {
    Bench::with_rows(numbered(rows), &format!("{ALL_OF_FI}fetch = \"export\"\n")).await
}

async fn remembers_a_job(bench: &Bench) -> bool {
    bench.number("SELECT export IS NOT NULL FROM _queries").await == 1
}

#[tokio::test]
async fn an_empty_file_is_downloaded_once_more_where_rows_were_counted() {
    let bench = bench(30).await;
    bench.control.fail(Endpoint::Download, Fault::body(""), 1);
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.created), (Status::Succeeded, 30), "{:?}", report.error);
    assert_eq!((report.numbers.retries, bench.control.hits(Endpoint::Download)), (1, 2));
}

#[tokio::test]
async fn a_file_that_stays_empty_makes_the_run_incomplete() {
    let bench = bench(30).await;
    bench.sync_one().await;
    bench.control.fail_always(Endpoint::Download, Fault::body(""));
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.left), (Status::Incomplete, 0));
    assert!(report.error.unwrap().contains("0 rows, but 30 were counted"));
    assert_eq!(bench.control.hits(Endpoint::Download), 3);
}

#[tokio::test]
async fn a_query_without_a_company_is_downloaded_once() {
    let bench = bench(0).await;
    assert_eq!(bench.sync_one().await.status, Status::Succeeded);
    assert_eq!(bench.control.hits(Endpoint::Download), 1);
}

#[tokio::test]
async fn an_array_in_place_of_lines_is_named_and_its_job_is_not_taken_up_again() {
    let bench = bench(3).await;
    let array = |body: Vec<u8>| format!("[{}]", String::from_utf8(body).unwrap().replace('\n', ","));
    bench.control.fail(Endpoint::Download, Fault::rewrite(move |body| array(body).into()), 2);
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.rejected), (Status::Failed, 0));
    let error = report.error.unwrap();
    assert!(error.contains("is not in JSON lines") && error.contains("FI00001"), "{error}");
    assert!(!remembers_a_job(&bench).await);
    assert_eq!(bench.sync_one().await.numbers.created, 3);
    assert_eq!(bench.control.hits(Endpoint::ExportSubmit), 2);
}

#[tokio::test]
async fn a_token_endpoint_that_is_not_found_says_nothing_about_the_job() {
    let bench = bench(3).await;
    bench.control.on_request(Endpoint::ExportPoll, 1, |control| {
        control.revoke_tokens();
        control.fail(Endpoint::Token, Fault::status(404), 1);
    });
    let report = bench.sync_one().await;
    assert_eq!(report.status, Status::Failed);
    assert!(report.error.unwrap().contains("gave no access token (status 404)"));
    assert!(remembers_a_job(&bench).await);
    assert_eq!(bench.sync_one().await.numbers.created, 3);
    assert_eq!(bench.control.hits(Endpoint::ExportSubmit), 1);
}
