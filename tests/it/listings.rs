//! Whatever shape, cap or order an account sees: the store equals the listing.

use std::collections::BTreeMap;

use vainu_sync::sandbox::{AboveCap, Endpoint, Order, Shape};
use vainu_sync::store::Status;

use crate::bench::{ALL_OF_FI, Bench, numbered, row};

fn named(rows: &[String]) -> BTreeMap<String, String> {
    let id = |row: &String| row.split('"').nth(3).unwrap().to_owned();
    rows.iter().map(|row| (id(row), row.clone())).collect()
}

#[tokio::test]
async fn three_answer_shapes_and_two_caps_give_the_same_store() {
    for shape in [Shape::Array, Shape::Result, Shape::Results] {
        for (cap, above) in [(100, AboveCap::Capped), (1000, AboveCap::Capped), (100, AboveCap::Refused)] {
            let rows = numbered(2345);
            let bench = Bench::with_rows(rows.clone(), ALL_OF_FI).await;
            bench.control.switch(|switches| {
                switches.shape = shape;
                switches.page_cap = Some(cap);
                switches.above_cap = above;
            });
            let report = bench.sync_one().await;
            assert_eq!(report.status, Status::Succeeded, "{shape:?} {cap}: {:?}", report.error);
            assert_eq!(bench.members("all").await, named(&rows), "{shape:?}, {cap} rows a page, {above:?}");
            assert_eq!((report.numbers.created, report.numbers.expected), (2345, Some(2345)));
        }
    }
}

#[tokio::test]
async fn an_account_that_refuses_an_order_is_read_without_one() {
    let rows = numbered(250);
    let bench = Bench::with_rows(rows.clone(), ALL_OF_FI).await;
    bench.control.switch(|switches| {
        switches.order = Order::Refused;
        switches.page_cap = Some(100);
    });
    assert_eq!(bench.sync_one().await.status, Status::Succeeded);
    assert_eq!(bench.members("all").await, named(&rows));
}

#[tokio::test]
async fn a_second_run_writes_its_own_line_and_nothing_else() {
    let bench = Bench::with_rows(numbered(1500), ALL_OF_FI).await;
    bench.sync_one().await;
    let tables = ["organizations", "_memberships", "_changes", "rejects"];
    let dump = |table: &str| format!("SELECT json_group_array(json_array(*)) FROM {table}");
    let mut before = Vec::new();
    for table in tables {
        before.push(contents(&bench, table).await);
    }
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.unchanged), (Status::Succeeded, 1500));
    for (table, before) in tables.iter().zip(before) {
        assert_eq!(contents(&bench, table).await, before, "{}", dump(table));
    }
    assert_eq!(bench.number("SELECT count(*) FROM runs").await, 2);
}

/// Every value of a table, as one text.
async fn contents(bench: &Bench, table: &str) -> String {
    let columns = bench.texts(&format!("SELECT name FROM pragma_table_info('{table}')")).await.join(", ");
    let sql = format!(
        "SELECT coalesce(group_concat(row, char(10)), '') FROM \
         (SELECT json_array({}) AS row FROM {table} ORDER BY 1)",
        columns.replace("fingerprint", "hex(fingerprint)")
    );
    bench.texts(&sql).await.remove(0)
}

#[tokio::test]
async fn companies_that_move_while_they_are_read_lose_nobody() {
    let rows = numbered(1000);
    let bench = Bench::with_rows(rows.clone(), ALL_OF_FI).await;
    bench.control.switch(|switches| switches.page_cap = Some(100));
    let fewer: Vec<String> = rows.iter().skip(3).cloned().collect();
    bench.control.on_request(Endpoint::Organizations, 4, move |control| control.set_rows("FI", fewer));
    let report = bench.sync_one().await;
    assert_eq!(report.status, Status::Succeeded, "{:?}", report.error);
    let members = bench.members("all").await;
    assert!(rows[3..].iter().all(|row| members.values().any(|document| document == row)));
}

#[tokio::test]
async fn an_order_that_changes_with_each_request_concludes_nothing() {
    let bench = Bench::with_rows(numbered(300), ALL_OF_FI).await;
    bench.sync_one().await;
    bench.control.switch(|switches| {
        switches.order = Order::Ignored;
        switches.unstable = true;
        switches.page_cap = Some(20);
    });
    let report = bench.sync_one().await;
    assert_ne!(report.status, Status::Succeeded);
    assert_eq!(report.numbers.left, 0);
    assert_eq!(bench.members("all").await.len(), 300);
}

#[tokio::test]
async fn a_listing_far_below_its_count_is_incomplete_until_it_is_accepted() {
    let bench = Bench::with_rows(numbered(90), ALL_OF_FI).await;
    bench.control.switch(|switches| switches.count_offset = 10);
    let report = bench.sync_one().await;
    assert_eq!(report.status, Status::Incomplete);
    let error = report.error.unwrap();
    assert!(error.contains("90 rows") && error.contains("100 were counted"), "{error}");
    assert!(error.contains("vainu-sync sync all --accept"), "{error}");
    let accepted = vainu_sync::run::Order { accept: true, ..vainu_sync::run::Order::default() };
    assert_eq!(bench.sync_as(accepted).await[0].status, Status::Succeeded);
}

#[tokio::test]
async fn no_company_at_all_is_a_listing_too() {
    let bench = Bench::with_rows([], ALL_OF_FI).await;
    assert_eq!(bench.sync_one().await.status, Status::Succeeded);
    bench.control.set_rows("FI", vec![row("FI1", "Only")]);
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.created), (Status::Succeeded, 1));
}
