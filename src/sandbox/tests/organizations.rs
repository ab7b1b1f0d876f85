use std::collections::HashSet;
use std::num::NonZeroU32;

use serde_json::{Value, json};

use super::{Api, ids, rows};
use crate::sandbox::{
    AboveCap, Absent, AggregationKey, Endpoint, InFilters, Order, Shape, UnknownField, World,
};

const PATH: &str = "/v3/organizations/";
const COUNT: &str = "/v3/organizations/count/";

fn everything(limit: usize, offset: usize) -> Value {
    json!({"query": {"?ALL": []}, "database": "FI", "fields": ["business_id"], "limit": limit, "offset": offset,
        "order": "business_id"})
}

#[tokio::test]
async fn pages_in_order_hold_every_company_once() {
    let api = Api::start(World::Generated { size: 250 }, |switches| switches.page_cap = Some(100)).await;
    let mut seen = Vec::new();
    loop {
        let (status, page) = api.post(PATH, &everything(1000, seen.len())).await;
        assert_eq!(status, 200);
        if page == json!([]) {
            break;
        }
        assert!(ids(&page).len() <= 100);
        seen.extend(ids(&page).into_iter().map(str::to_owned));
    }
    assert_eq!(seen.len(), 250);
    assert!(seen.is_sorted_by(|a, b| a < b));
}

#[tokio::test]
async fn each_shape_holds_the_same_rows() {
    let api = Api::start(World::Generated { size: 30 }, |_| ()).await;
    let (_, bare) = api.post(PATH, &everything(10, 0)).await;
    for (shape, key) in [(Shape::Result, "result"), (Shape::Results, "results")] {
        api.control.switch(|switches| (switches.shape, switches.next) = (shape, true));
        let (_, page) = api.post(PATH, &everything(10, 0)).await;
        assert_eq!(page[key], bare);
        assert_eq!(page["count"], 30);
        assert!(page["next"].as_str().unwrap().ends_with("?offset=10"));
        let (_, last) = api.post(PATH, &everything(10, 20)).await;
        assert_eq!(last["next"], Value::Null);
    }
    let lines = api.text("/v3/organizations/?format=jsonl", &everything(10, 0)).await;
    let lines: Vec<Value> = lines.split('\n').map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Value::Array(lines), bare);
    let accepted = api.request(PATH, &everything(2, 0)).header("accept", "application/jsonlines");
    assert_eq!(accepted.send().await.unwrap().text().await.unwrap().lines().count(), 2);
}

#[tokio::test]
async fn a_query_selects_and_fields_project() {
    let api = Api::start(World::Generated { size: 400 }, |_| ()).await;
    let query = json!({"?ALL": [{"?GTE": {"financial_data.revenue": 5_000_000}},
        {"?MATCH": {"vehicles": {"?EQ": {"make": "SKODA"}}}}]});
    let body = json!({"query": query, "database": "SE", "limit": 1000,
        "fields": ["business_id", "financial_data.revenue", "vehicles.make", "business_units.visiting_address"]});
    let (_, page) = api.post(PATH, &body).await;
    let page = page.as_array().unwrap();
    assert!(!page.is_empty() && page.len() < 400, "{} rows", page.len());
    for row in page {
        assert!(row["financial_data"]["revenue"].as_u64().unwrap() >= 5_000_000);
        assert!(row["vehicles"].as_array().unwrap().contains(&json!({"make": "SKODA"})));
        assert_eq!(row["financial_data"].as_object().unwrap().len(), 1);
        assert!(row["business_units"][0]["visiting_address"]["city"].is_string());
        assert!(row.get("name").is_none());
    }
    let (_, count) = api.post(COUNT, &json!({"query": query, "database": "SE"})).await;
    assert_eq!(count["count"], page.len());
}

#[tokio::test]
async fn a_misspelt_path_widens_the_query() {
    let api = Api::start(World::Generated { size: 40 }, |_| ()).await;
    let body = json!({"query": {"?GTE": {"financial_data.revenu": 1e12}}, "database": "FI"});
    assert_eq!(api.post(COUNT, &body).await.1["count"], 40);
    let body = json!({"query": {"?GTE": {"financial_data.revenue": 1e12}}, "database": "FI"});
    assert_eq!(api.post(COUNT, &body).await.1["count"], 0);
}

#[tokio::test]
async fn what_the_api_refuses_says_why_in_detail() {
    let api = Api::start(World::Generated { size: 5 }, |_| ()).await;
    for (path, body, detail) in [
        (PATH, json!({"query": {"?LIKE": {"name": "x"}}, "database": "FI"}), "unknown operator ?LIKE"),
        (PATH, json!({"database": "FI"}), "query: This field is required."),
        (PATH, json!({"query": {"?ALL": []}}), "database: This field is required."),
        (PATH, json!({"query": {"?ALL": []}, "database": "DE"}), "Database not supported permission"),
        (
            PATH,
            json!({"query": {"?ALL": []}, "database": "FI", "limit": -1}),
            "limit: A valid integer is required.",
        ),
        (COUNT, json!({"query": {"?ALL": []}, "database": "FI", "order": "name"}), "invalid order by value"),
    ] {
        let (status, answer) = api.post(path, &body).await;
        assert_eq!((status, answer["detail"].as_str()), (400, Some(detail)), "{body}");
    }
    let (status, answer) = api.post("/v3/organizations/?limit=5", &everything(1, 0)).await;
    assert_eq!(status, 400);
    assert!(answer["detail"].as_str().unwrap().starts_with("Include the parameters only in"));
    assert_eq!(api.post(PATH, &json!({"list": "0123456789abcdef01234567"})).await.0, 404);
}

#[tokio::test]
async fn limits_above_the_cap_and_orders_can_be_refused() {
    let api = Api::start(World::Generated { size: 5 }, |switches| {
        switches.page_cap = Some(100);
        switches.above_cap = AboveCap::Refused;
    })
    .await;
    assert_eq!(api.post(PATH, &everything(101, 0)).await.0, 400);
    assert_eq!(api.post(PATH, &everything(100, 0)).await.0, 200);
    api.control.switch(|switches| switches.order = Order::Refused);
    assert_eq!(api.post(PATH, &everything(100, 0)).await.0, 400);
}

#[tokio::test]
async fn without_an_order_rows_may_come_differently_each_time() {
    let api = Api::start(World::Generated { size: 100 }, |switches| {
        switches.order = Order::Ignored;
        switches.unstable = true;
    })
    .await;
    let (_, one) = api.post(PATH, &everything(10, 0)).await;
    let (_, other) = api.post(PATH, &everything(10, 0)).await;
    assert_ne!(ids(&one), ids(&other));
    let (_, whole) = api.post(PATH, &everything(1000, 0)).await;
    assert_eq!(ids(&whole).into_iter().collect::<HashSet<_>>().len(), 100);
}

#[tokio::test]
async fn every_second_page_may_be_short() {
    let api =
        Api::start(World::Generated { size: 100 }, |switches| switches.short_page_every = NonZeroU32::new(2))
            .await;
    assert_eq!(ids(&api.post(PATH, &everything(10, 0)).await.1).len(), 10);
    assert_eq!(ids(&api.post(PATH, &everything(10, 0)).await.1).len(), 5);
}

#[tokio::test]
async fn given_rows_come_back_byte_for_byte() {
    let given = [
        r#"{"business_id":"FI1","staff_number":12345678901234567890,"turnover":0.1000000000000000055511151231257827}"#,
        r#"{"business_id":"FI1","name":"\ud800","name":"Nul\u0000Byte"}"#,
        r#"{"business\u005fid":"FI2", "a": 1.0}"#,
        r#"{"name":"no id"}"#,
        r#"{"business_id":"FI3","staff_number":NaN}"#,
    ];
    let api = Api::start(rows(&given), |switches| switches.absent = Absent::Missing).await;
    let body = json!({"query": {"?ALL": []}, "database": "FI"});
    assert_eq!(api.text(PATH, &body).await, format!("[{}]", given.join(",")));
    let cut = json!({"query": {"?ALL": []}, "database": "FI", "fields": ["business_id", "turnover"]});
    let lines = api.text("/v3/organizations/?format=jsonl", &cut).await;
    let turnover = r#"{"business_id":"FI1","turnover":0.1000000000000000055511151231257827}"#;
    assert_eq!(
        lines.lines().collect::<Vec<_>>(),
        [turnover, r#"{"business_id":"FI1"}"#, r#"{"business\u005fid":"FI2"}"#, "{}", given[4]]
    );
}

#[tokio::test]
async fn rows_can_be_replaced_between_two_pages_of_a_listing() {
    let row = |number: u32| format!(r#"{{"business_id":"FI{number}"}}"#);
    let api = Api::start(World::Fixed((1..=4).map(row).collect()), |_| ()).await;
    api.control.on_request(Endpoint::Organizations, 2, move |control| {
        control.set_rows("FI", [1, 3, 4].map(row).to_vec());
    });
    assert_eq!(ids(&api.post(PATH, &everything(2, 0)).await.1), ["FI1", "FI2"]);
    assert_eq!(ids(&api.post(PATH, &everything(2, 2)).await.1), ["FI4"]);
    assert_eq!(api.post(COUNT, &everything(2, 2)).await.0, 400);
}

#[tokio::test]
async fn an_in_filter_can_be_ignored() {
    let api = Api::start(rows(&[r#"{"business_id":"FI1"}"#, r#"{"business_id":"FI2"}"#]), |_| ()).await;
    let body =
        json!({"query": {"?ALL": [{"?ALL": []}, {"?IN": {"business_id": ["FI2"]}}]}, "database": "FI"});
    assert_eq!(ids(&api.post(PATH, &body).await.1), ["FI2"]);
    api.control.switch(|switches| switches.in_filters = InFilters::Ignored);
    assert_eq!(ids(&api.post(PATH, &body).await.1), ["FI1", "FI2"]);
}

#[tokio::test]
async fn a_gated_and_an_unknown_field_draw_what_the_switches_say() {
    let api =
        Api::start(World::Generated { size: 3 }, |switches| switches.gated = vec!["vehicles".to_owned()])
            .await;
    let asking =
        |field: &str| json!({"query": {"?ALL": []}, "database": "FI", "fields": ["business_id", field]});
    let (status, answer) = api.post(PATH, &asking("vehicles.make")).await;
    let documented = json!({"detail": "Insufficient permissions for fields: vehicles.make",
        "error_code": "FORBIDDEN", "status_code": 403});
    assert_eq!((status, answer), (403, documented));
    for (switch, status) in
        [(UnknownField::Ignored, 200), (UnknownField::Refused, 400), (UnknownField::Forbidden, 403)]
    {
        api.control.switch(|switches| switches.unknown_field = switch);
        assert_eq!(api.post(PATH, &asking("nmae")).await.0, status, "{switch:?}");
    }
}

#[tokio::test]
async fn a_saved_list_supplies_its_query_and_database() {
    let api = Api::start(World::Generated { size: 200 }, |_| ()).await;
    let (_, lists) = api.get("/v3/lists/organizations/").await;
    assert_eq!(lists.as_array().unwrap().len(), 10);
    let list = &lists[0];
    let id = list["id"].as_str().unwrap();
    assert_eq!(id.len(), 24);
    assert_eq!(api.get(&format!("/v3/lists/organizations/{id}/")).await.1, *list);
    let (_, page) = api.post(PATH, &json!({"list": id, "limit": 1000})).await;
    assert_eq!(ids(&page).len(), 50);
    api.control.switch(|switches| switches.list_needs_database = true);
    assert_eq!(api.post(PATH, &json!({"list": id})).await.0, 400);
    assert_eq!(api.post(PATH, &json!({"list": id, "database": list["country"]})).await.0, 200);
}

#[tokio::test]
async fn a_count_is_scheduled_then_under_way_then_ready_and_cached() {
    let api = Api::start(World::Generated { size: 100 }, |switches| switches.count_polls = 2).await;
    let body = json!({"query": {"?ALL": []}, "database": "NO"});
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(api.post(COUNT, &body).await.1);
    }
    let statuses: Vec<_> = answers.iter().map(|answer| answer["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["scheduled", "process", "ready"]);
    assert_eq!((&answers[0]["count"], &answers[2]["count"]), (&Value::Null, &json!(100)));
    api.control.set_rows("NO", Vec::new());
    assert_eq!(api.post(COUNT, &body).await.1["count"], 100, "a cached count is up to a day old");
    let fresh = json!({"query": {"?ALL": []}, "database": "NO", "async": false, "recount": true});
    assert_eq!(api.post(COUNT, &fresh).await.1["count"], 0);
}

#[tokio::test]
async fn an_age_of_zero_on_a_poll_may_start_the_count_anew() {
    let api = Api::start(World::Generated { size: 10 }, |switches| switches.count_polls = 1).await;
    let body = json!({"query": {"?ALL": []}, "database": "DK", "recount_if_cache_max_age": 0});
    for _ in 0..3 {
        assert_eq!(api.post(COUNT, &body).await.1["status"], "scheduled");
    }
    api.control.switch(|switches| switches.zero_age_restarts = false);
    assert_eq!(api.post(COUNT, &body).await.1["status"], "ready");
}

#[tokio::test]
async fn a_count_can_lie() {
    let api = Api::start(World::Generated { size: 10 }, |switches| switches.count_offset = -3).await;
    assert_eq!(api.post(COUNT, &json!({"query": {"?ALL": []}, "database": "FI"})).await.1["count"], 7);
}

#[tokio::test]
async fn an_aggregation_comes_when_its_name_is_in_fields() {
    let api = Api::start(rows(&[r#"{"business_id":"FI1","vehicles":[{"make":"SKODA"}]}"#]), |_| ()).await;
    let body = json!({"query": {"?ALL": []}, "database": "FI", "fields": ["business_id", "?cars"],
        "aggregation": [{"id": "cars", "?AGGREGATE": [{"?COUNT": {"path": "vehicles"}}]}]});
    assert_eq!(api.post(PATH, &body).await.1, json!([{"business_id": "FI1", "cars": 1}]));
    api.control.switch(|switches| switches.aggregation_key = AggregationKey::Question);
    assert_eq!(api.post(PATH, &body).await.1, json!([{"business_id": "FI1", "?cars": 1}]));
}

#[tokio::test]
async fn the_catalogue_names_every_path_of_a_row() {
    let api = Api::start(World::Generated { size: 1 }, |_| ()).await;
    let (_, catalogue) = api.get("/v3/organizations_fields/?api_versions=v3").await;
    let paths: Vec<_> = catalogue
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["api"]["v3"]["path"].as_str().unwrap())
        .collect();
    let (_, page) = api.post(PATH, &json!({"query": {"?ALL": []}, "database": "FI"})).await;
    for key in page[0].as_object().unwrap().keys() {
        let below = format!("{key}.");
        assert!(paths.iter().any(|path| path == key || path.starts_with(&below)), "{key} is missing");
    }
}

#[tokio::test]
async fn a_window_on_modifications_holds_what_a_day_changed_and_brought() {
    let api = Api::start(World::Generated { size: 300 }, |switches| switches.page_cap = None).await;
    let all = json!({"query": {"?ALL": []}, "database": "FI", "limit": 1000});
    let before = api.post(PATH, &all).await.1;
    let start = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert_eq!(api.control.next_day(), 1);
    let after = api.post(PATH, &all).await.1;
    let known = before.as_array().unwrap();
    let different = after.as_array().unwrap().iter().filter(|row| !known.contains(row));
    let different: HashSet<_> = different.map(|row| row["business_id"].as_str().unwrap()).collect();
    let window = json!({"query": {"?RANGE": {"modifications.basic": [start, "2999-01-01T00:00:00Z"]}},
        "database": "FI", "limit": 1000});
    let windowed = api.post(PATH, &window).await.1;
    assert!(!different.is_empty());
    assert_eq!(ids(&windowed).into_iter().collect::<HashSet<_>>(), different);
}

#[tokio::test]
async fn a_field_without_a_value_is_null_or_missing() {
    let api = Api::start(World::Generated { size: 50 }, |switches| switches.page_cap = None).await;
    let body = json!({"query": {"?ALL": []}, "database": "FI", "fields": ["website"], "limit": 50});
    let (_, with_nulls) = api.post(PATH, &body).await;
    api.control.switch(|switches| switches.absent = Absent::Missing);
    let (_, without) = api.post(PATH, &body).await;
    let nulls = with_nulls.as_array().unwrap().iter().filter(|row| row.get("website") == Some(&Value::Null));
    let missing = without.as_array().unwrap().iter().filter(|row| row.get("website").is_none());
    let (nulls, missing) = (nulls.count(), missing.count());
    assert!(nulls > 0);
    assert_eq!(nulls, missing);
}
