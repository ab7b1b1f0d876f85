//! Organizations, page by page and as an export.

use serde_json::json;
use vainu_sync::sandbox::{Absent, Endpoint, Shape, World};

use super::{Judge, WORLD, the_query};
use crate::vainu_cli::{Auth, can_export};

#[tokio::test(flavor = "multi_thread")]
async fn the_store_holds_what_the_client_lists() {
    for auth in Auth::BOTH {
        for absent in [Absent::Null, Absent::Missing] {
            let Some(judge) = Judge::start(WORLD, auth).await else { return };
            judge.bench.control.switch(|switches| switches.absent = absent);
            judge.sync().await;
            for format in ["json", "jsonl"] {
                let listed = judge.listed(&the_query(), format).await;
                assert!((100..400).contains(&listed.len()), "{} rows", listed.len());
                judge.assert_holds("rich", &listed, &format!("{auth:?}, {absent:?}, {format}")).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_holds_what_the_client_exports() {
    for auth in Auth::BOTH.into_iter().filter(|_| can_export()) {
        let Some(judge) = Judge::start(WORLD, auth).await else { return };
        judge.sync().await;
        for absent in [Absent::Null, Absent::Missing] {
            judge.bench.control.switch(|switches| (switches.absent, switches.export_polls) = (absent, 2));
            for format in ["json", "jsonl"] {
                let exported = judge.exported(&the_query(), format).await;
                judge.assert_holds("rich", &exported, &format!("{auth:?}, {absent:?}, {format}")).await;
            }
        }
        let downloads = judge.bench.control.requests_to(Endpoint::Download);
        assert_eq!(downloads.len(), 4);
        assert!(downloads.iter().all(|request| !request.is_authorized()), "a bearer token left the API");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_shape_of_an_answer_gives_the_client_and_the_store_the_same() {
    for shape in [Shape::Array, Shape::Result, Shape::Results] {
        let Some(judge) = Judge::start(WORLD, Auth::Jwt).await else { return };
        judge.bench.control.switch(|switches| (switches.shape, switches.next) = (shape, true));
        judge.sync().await;
        judge.assert_holds("rich", &judge.listed(&the_query(), "json").await, &format!("{shape:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_no_float_holds_and_texts_of_every_kind_come_to_both_as_they_are() {
    let rows = [
        r#"{"business_id":"FI1","name":"e\u0301\u2028\u0000\"","staff_number":1.0,
            "financial_data":{"revenue":12345678901234567890123,"profit":-0.10,"year":1e400}}"#,
        "{\"business_id\":\"FI2\",\"na\\u006de\":\"e\u{301} é \u{2028}\u{85} 😀\",\"website\":null,\"staff_number\":-0,
            \"contacts\":[null,[],{},[[1.50]]],\"vehicles\":[{\"make\":\"A\",\"seats\":5},{\"make\":null}]}",
        r#"{"business_id":"FI3","website":"","contacts":[],"financial_data":{}}"#,
    ];
    let rows = rows.map(|row| row.replace('\n', " ")).to_vec();
    let Some(judge) = Judge::start(World::Fixed(rows), Auth::Jwt).await else { return };
    judge.configure(&[("all", r#"query = '{"?ALL": []}'"#.to_owned())]);
    judge.sync().await;
    let everything = json!({ "query": { "?ALL": [] } });
    let listed = judge.listed(&everything, "jsonl").await;
    assert!(listed["FI1"].get().contains("12345678901234567890123") && listed.len() == 3);
    judge.assert_holds("all", &listed, "listed").await;
    if can_export() {
        judge.assert_holds("all", &judge.exported(&everything, "jsonl").await, "exported").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_days_pass_both_see_who_changed_came_and_left() {
    for auth in Auth::BOTH {
        let Some(judge) = Judge::start(WORLD, auth).await else { return };
        judge.sync().await;
        for _ in 0..3 {
            let _ = judge.bench.control.next_day();
            judge.sync().await;
        }
        let left = judge.bench.texts("SELECT business_id FROM memberships WHERE left_at IS NOT NULL").await;
        let listed = judge.listed(&the_query(), "jsonl").await;
        judge.assert_holds("rich", &listed, &format!("{auth:?}")).await;
        assert!(left.iter().all(|id| !listed.contains_key(id)), "{left:?} left, and are listed");
        let kinds = "SELECT DISTINCT kind FROM changes ORDER BY kind";
        assert_eq!(judge.bench.texts(kinds).await, ["created", "left", "updated"]);
    }
}
