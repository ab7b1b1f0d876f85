use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};

use super::{Api, read};
use crate::sandbox::{Endpoint, Fault, Options, Sandbox, World};

async fn api() -> Api {
    Api::start(World::Generated { size: 3 }, |_| ()).await
}

async fn send(api: &Api) -> reqwest::Result<Response> {
    api.request("/v3/organizations/", &json!({"query": {"?ALL": []}, "database": "FI"})).send().await
}

async fn fault(api: &Api, fault: Fault) -> reqwest::Result<Response> {
    api.control.fail(Endpoint::Organizations, fault, 1);
    send(api).await
}

#[tokio::test]
async fn a_made_answer_comes_as_often_as_asked() {
    let api = api().await;
    api.control.fail(Endpoint::Organizations, Fault::retry_after(429, "120"), 2);
    for _ in 0..2 {
        let answer = send(&api).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()),
            (429, "120")
        );
    }
    assert_eq!(send(&api).await.unwrap().status(), 200);
    assert_eq!(api.control.hits(Endpoint::Organizations), 3);
}

#[tokio::test]
async fn a_reset_connection_gives_no_answer_and_the_next_one_works() {
    let api = api().await;
    assert!(fault(&api, Fault::Reset).await.is_err());
    assert_eq!(send(&api).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_cut_body_ends_before_its_length() {
    let api = api().await;
    let answer = fault(&api, Fault::Cut(10)).await.unwrap();
    assert!(answer.content_length().unwrap() > 10);
    assert!(answer.bytes().await.is_err());
}

#[tokio::test]
async fn a_stall_ends_with_the_sandbox() {
    let api = api().await;
    api.control.fail(Endpoint::Organizations, Fault::Stall, 1);
    let request = api.request("/v3/organizations/", &json!({}));
    let (arrived, arrival) = tokio::sync::oneshot::channel();
    api.control.on_request(Endpoint::Organizations, 1, |_| {
        let _ = arrived.send(());
    });
    let sandbox = api.sandbox;
    let (answer, ()) = tokio::join!(request.send(), async {
        arrival.await.unwrap();
        sandbox.stop().await;
    });
    assert!(answer.is_err());
}

#[tokio::test]
async fn a_body_can_stop_halfway_and_stay_open() {
    let api = api().await;
    let mut answer = fault(&api, Fault::StallAfter(10)).await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap().len(), 10);
    api.sandbox.stop().await;
    assert!(answer.chunk().await.is_err());
}

#[tokio::test]
async fn the_body_can_be_replaced_and_rewritten() {
    let api = api().await;
    for (planned, expected) in [
        (Fault::body("{\"staff_number\":NaN}"), b"{\"staff_number\":NaN}".to_vec()),
        (Fault::body(Vec::new()), Vec::new()),
        (Fault::body(*b"n\xE4me"), b"n\xE4me".to_vec()),
    ] {
        let answer = fault(&api, planned).await.unwrap();
        assert_eq!(answer.bytes().await.unwrap(), expected);
    }
    let marked = fault(&api, Fault::bom()).await.unwrap().bytes().await.unwrap();
    let plain = send(&api).await.unwrap().bytes().await.unwrap();
    assert_eq!(marked, [b"\xEF\xBB\xBF".as_slice(), &plain].concat());
}

#[tokio::test]
async fn a_fault_on_one_endpoint_leaves_the_others_alone() {
    let api = api().await;
    api.control.fail_always(Endpoint::Token, Fault::status(503));
    assert_eq!(api.refresh().await.0, 503);
    assert_eq!(send(&api).await.unwrap().status(), 200);
    api.control.heal();
    assert_eq!(api.refresh().await.0, 200);
}

#[tokio::test]
async fn a_stopped_sandbox_frees_its_port_for_the_next() {
    let api = api().await;
    let base_url = api.sandbox.base_url();
    let port = base_url.rsplit(':').next().unwrap().trim_end_matches("/api").parse().unwrap();
    api.sandbox.stop().await;
    let again = Sandbox::start(Options { port, ..Options::default() }).await.unwrap();
    assert_eq!(again.base_url(), base_url);
}

#[tokio::test]
async fn answers_are_dated_by_the_clock_of_the_sandbox() {
    let api = api().await;
    api.control.advance_clock(Duration::from_hours(10 * 24));
    let answer = send(&api).await.unwrap();
    let date = httpdate::parse_http_date(answer.headers()["date"].to_str().unwrap()).unwrap();
    assert!(date > std::time::SystemTime::now() + Duration::from_hours(9 * 24));
}

#[tokio::test]
async fn another_process_can_pass_a_day_and_plan_a_failure() {
    let api = api().await;
    let root = api.sandbox.base_url().replace("/api", "/sandbox");
    let (_, day) = read(api.client.post(format!("{root}/day"))).await;
    assert_eq!((day, api.control.day()), (json!({"day": 1}), 1));
    let failing = |endpoint: &str| format!("{root}/fail?endpoint={endpoint}&status=502");
    assert_eq!(read(api.client.post(failing("organizations"))).await.0, 204);
    assert_eq!(send(&api).await.unwrap().status(), 502);
    let (_, hits): (u16, Value) = read(api.client.get(format!("{root}/hits"))).await;
    assert_eq!(hits["organizations"], 1);
    let (status, refusal) = read(api.client.post(failing("typo"))).await;
    assert_eq!(status, 400);
    assert!(refusal["detail"].as_str().unwrap().contains("organizations"));
}

#[tokio::test]
async fn another_process_can_have_each_request_wait() {
    let api = api().await;
    let root = api.sandbox.base_url().replace("/api", "/sandbox");
    assert_eq!(read(api.client.post(format!("{root}/wait?latency_ms=50"))).await.0, 204);
    let began = std::time::Instant::now();
    send(&api).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(50));
}
