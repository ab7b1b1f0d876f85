use serde_json::{Value, json};

use super::{Api, ids, read, rows};
use crate::sandbox::{Endpoint, Fault, World};

const SUBMIT: &str = "/v3/organizations/async/?async_format=jsonl";

async fn submit(api: &Api, path: &str) -> String {
    let body =
        json!({"query": {"?ALL": []}, "database": "FI", "fields": ["business_id"], "order": "business_id"});
    let (status, job) = api.post(path, &body).await;
    assert_eq!((status, &job["state"]), (200, &json!("accepted")));
    job["link"].as_str().unwrap().to_owned()
}

async fn poll(api: &Api, link: &str) -> Value {
    read(api.client.get(link).bearer_auth(&api.access)).await.1
}

async fn download(api: &Api, job: &Value) -> (u16, Value) {
    read(api.client.get(job["download_link"].as_str().unwrap())).await
}

#[tokio::test]
async fn a_job_is_accepted_runs_completes_and_is_downloaded_without_a_bearer_token() {
    let api = Api::start(World::Generated { size: 1200 }, |switches| switches.export_polls = 2).await;
    let link = submit(&api, SUBMIT).await;
    for _ in 0..2 {
        assert_eq!(poll(&api, &link).await["state"], "process");
    }
    let job = poll(&api, &link).await;
    assert_eq!((&job["state"], &job["progress"]), (&json!("completed"), &json!(100)));
    assert!(!job["download_link"].as_str().unwrap().starts_with(&api.sandbox.base_url().replace("/api", "")));
    let Value::String(lines) = download(&api, &job).await.1 else { panic!("1200 lines are no JSON value") };
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1200);
    assert!(!api.control.requests_to(Endpoint::Download)[0].is_authorized());
}

#[tokio::test]
async fn an_export_in_json_is_one_array_of_the_rows_at_its_submission() {
    let api = Api::start(rows(&[r#"{"business_id":"FI2"}"#, r#"{"business_id":"FI1"}"#]), |_| ()).await;
    let link = submit(&api, "/v3/organizations/async/?async_format=json").await;
    api.control.set_rows("FI", Vec::new());
    poll(&api, &link).await;
    let job = poll(&api, &link).await;
    assert_eq!(ids(&download(&api, &job).await.1), ["FI1", "FI2"]);
}

#[tokio::test]
async fn an_expired_link_is_renewed_by_a_poll() {
    let api = Api::start(World::Generated { size: 5 }, |switches| switches.export_polls = 0).await;
    let link = submit(&api, SUBMIT).await;
    let job = poll(&api, &link).await;
    api.control.expire_downloads();
    assert_eq!(download(&api, &job).await.0, 403);
    let renewed = poll(&api, &link).await;
    assert_eq!(download(&api, &renewed).await.0, 200);
}

#[tokio::test]
async fn a_job_can_end_badly_be_capped_and_be_struck_by_faults() {
    let api = Api::start(World::Generated { size: 50 }, |switches| {
        switches.export_polls = 0;
        switches.export_end = "partial_failure_incomplete";
    })
    .await;
    let link = submit(&api, SUBMIT).await;
    let job = poll(&api, &link).await;
    assert_eq!(job["state"], "partial_failure_incomplete");
    assert!(job.get("download_link").is_none());

    api.control.switch(|switches| (switches.export_end, switches.export_cap) = ("completed", Some(10)));
    let link = submit(&api, "/v3/organizations/async/?async_format=json").await;
    let job = poll(&api, &link).await;
    assert_eq!(ids(&download(&api, &job).await.1).len(), 10);

    api.control.fail(Endpoint::ExportPoll, Fault::status(504), 1);
    assert_eq!(poll(&api, &link).await["status_code"], 504);
    api.control.fail(Endpoint::Download, Fault::Cut(5), 1);
    let cut = api.client.get(job["download_link"].as_str().unwrap()).send().await.unwrap();
    assert!(cut.bytes().await.is_err());
}

#[tokio::test]
async fn a_job_that_nobody_submitted_is_not_found() {
    let api = Api::start(World::Generated { size: 5 }, |_| ()).await;
    assert_eq!(api.get("/v3/organizations/async/000000000000000000000009/").await.0, 404);
}
