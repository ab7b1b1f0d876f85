//! A query with a path that Vainu does not know, and so ignores.

use vainu_sync::run::{Order, Report};
use vainu_sync::sandbox::{Endpoint, Fault};
use vainu_sync::store::Status;

use crate::bench::{ALL_OF_FI, Bench, numbered};

const ACCEPT: Order = Order { planned_at: None, accept: true, full: false, dry_run: false };

fn asking(vql: &str) -> String {
    ALL_OF_FI.replace(r#"{"?ALL": []}"#, vql)
}

/// Selects the same as [`misspelt`] does: everything.
fn right() -> String {
    asking(r#"{"?STARTSWITH": {"name": "Company"}}"#)
}

fn misspelt() -> String {
    asking(r#"{"?ALL": [{"?EQ": {"nmae": "Company 1"}}, {"?STARTSWITH": {"name": "Company"}}]}"#)
}

async fn accept(bench: &Bench) -> Report {
    bench.sync_as(ACCEPT).await.remove(0)
}

fn asked(bench: &Bench) -> u64 {
    bench.control.hits(Endpoint::Catalogue)
}

#[tokio::test]
async fn a_new_query_with_a_misspelt_path_is_held_and_stores_nothing_until_a_person_lets_it_through() {
    let bench = Bench::with_rows(numbered(30), &misspelt()).await;
    for _ in 0..2 {
        let report = bench.sync_one().await;
        assert_eq!((report.status, report.numbers.created), (Status::Held, 0));
        let error = report.error.unwrap();
        assert!(error.contains(r#"does not know "nmae" (did you mean "name"?)"#), "{error}");
        assert!(error.contains("`vainu-sync sync all --accept`"), "{error}");
    }
    assert_eq!(bench.number("SELECT count(*) FROM organizations").await, 0);
    assert_eq!(bench.control.hits(Endpoint::Organizations), 0);
    let report = accept(&bench).await;
    assert_eq!((report.status, report.numbers.created), (Status::Succeeded, 30));
    assert_eq!(bench.sync_one().await.status, Status::Succeeded);
    assert_eq!(asked(&bench), 3, "a query that has succeeded is not asked about");
}

#[tokio::test]
async fn an_edit_that_misspells_a_path_keeps_the_members_of_the_old_query() {
    let mut bench = Bench::with_rows(numbered(30), &asking(r#"{"?EQ": {"name": "Company 7"}}"#)).await;
    assert_eq!(bench.sync_one().await.numbers.created, 1);
    bench.configure("", &misspelt());
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.created, report.numbers.left), (Status::Held, 0, 0));
    assert_eq!(bench.members("all").await.len(), 1);
    bench.configure("", &right());
    let report = bench.sync_one().await;
    assert_eq!(
        (report.status, report.numbers.created),
        (Status::Succeeded, 29),
        "corrected, it needs no word"
    );
}

#[tokio::test]
async fn the_catalogue_is_asked_once_for_a_query_and_never_for_one_without_paths_or_a_list() {
    let bench = Bench::with_rows(numbered(3), &right()).await;
    for _ in 0..3 {
        assert_eq!(bench.sync_one().await.status, Status::Succeeded);
    }
    assert_eq!(asked(&bench), 1);
    let id = r#"query = '{"?IN": {"business_ids": ["FI00001"]}}'"#;
    for without in [r#"query = '{"?ALL": []}'"#, id] {
        let queries = ALL_OF_FI.replace(r#"query = '{"?ALL": []}'"#, without);
        let bench = Bench::with_rows(numbered(3), &queries).await;
        assert_eq!((bench.sync_one().await.status, asked(&bench)), (Status::Succeeded, 0), "{without}");
    }
}

#[tokio::test]
async fn a_path_above_known_ones_and_a_subdocuments_own_path_are_known() {
    let vql = r#"{"?ALL": [{"?MATCH": {"vehicles": {"?EQ": {"make": "SKODA"}}}}, {"?EXISTS": {"business_units.visiting_address": true}}]}"#;
    let mut bench = Bench::with_rows([], &asking(vql)).await;
    bench.configure("retry_for = \"0s\"", &asking(vql));
    let report = bench.sync_one().await;
    assert_ne!(report.status, Status::Held, "{:?}", report.error);
    assert_eq!(asked(&bench), 1);
}

#[tokio::test]
async fn without_a_catalogue_a_run_goes_on() {
    for fault in [Fault::status(403), Fault::status(404), Fault::status(503), Fault::body("[]"), Fault::Reset]
    {
        let mut bench = Bench::with_rows(numbered(3), &misspelt()).await;
        bench.configure("retry_for = \"50ms\"", &misspelt());
        bench.control.fail_always(Endpoint::Catalogue, fault.clone());
        let report = bench.sync_one().await;
        assert_eq!((report.status, report.numbers.created), (Status::Succeeded, 3), "{fault:?}");
    }
}

#[tokio::test]
async fn a_catalogue_that_can_not_be_read_any_more_releases_nobody() {
    let mut bench = Bench::with_rows(numbered(30), &misspelt()).await;
    bench.sync_one().await;
    bench.configure("retry_for = \"0s\"", &misspelt());
    bench.control.fail_always(Endpoint::Catalogue, Fault::status(503));
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.created), (Status::Held, 0));
    assert!(report.error.unwrap().contains("\"nmae\""));
}

#[tokio::test]
async fn other_unknown_paths_than_those_let_through_hold_again() {
    let mut bench = Bench::with_rows(numbered(30), &misspelt()).await;
    bench.sync_one().await;
    bench.configure("", &asking(r#"{"?ALL": [{"?EQ": {"nmae": "x"}}, {"?EQ": {"websiet": "y"}}]}"#));
    let report = accept(&bench).await;
    assert_eq!(report.status, Status::Held, "another query was held");
    let error = report.error.unwrap();
    assert!(
        error.contains("\"nmae\"") && error.contains("\"websiet\" (did you mean \"website\"?)"),
        "{error}"
    );
    assert_eq!(accept(&bench).await.status, Status::Succeeded);
}

#[tokio::test]
async fn what_was_let_through_stays_so_until_the_query_succeeds() {
    let bench = Bench::with_rows(numbered(30), &misspelt()).await;
    bench.sync_one().await;
    bench.control.switch(|switches| switches.count_offset = 5);
    assert_eq!(accept(&bench).await.status, Status::Incomplete);
    let report = bench.sync_one().await;
    assert_eq!(report.status, Status::Incomplete, "the paths hold it no more: {:?}", report.error);
    assert_eq!(accept(&bench).await.status, Status::Succeeded, "the missing rows are let through too");
    assert_eq!(bench.sync_one().await.status, Status::Incomplete, "for that once");
}

#[tokio::test]
async fn a_run_that_waits_for_the_catalogue_can_be_stopped() {
    use crate::program::{program, signal, until};
    let bench = Bench::with_rows(numbered(3), &right()).await;
    bench.control.fail_always(Endpoint::Catalogue, Fault::Stall);
    let mut sync = program(bench.folder.path()).arg("sync").spawn().unwrap();
    until("the catalogue is asked for", async || asked(&bench) > 0).await;
    signal(&sync, "INT");
    let ended = tokio::task::spawn_blocking(move || sync.wait().unwrap()).await.unwrap();
    assert_eq!(ended.code(), Some(1));
    assert_eq!(bench.texts("SELECT status FROM runs").await, ["interrupted"]);
}
