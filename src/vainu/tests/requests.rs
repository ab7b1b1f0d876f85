use reqwest::header::HeaderMap;

use super::*;

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_page_is_asked_for_as_the_api_documents_it() {
    let world = World::new().await;
    world.on(REFRESH, tokens()).await;
    let answer = rows(r#"[{"business_id":"FI1"}]"#).insert_header("date", "Mon, 30 Mar 2026 15:49:00 GMT");
    world.on(ORGANIZATIONS, Script::of([answer])).await;

    let page = world.page(&world.impatient()).await.unwrap();

    assert_eq!(page.texts().collect::<Vec<_>>(), [r#"{"business_id":"FI1"}"#]);
    assert_eq!(page.date.unwrap().to_string(), "2026-03-30T15:49:00Z");
    let request = &world.requests(ORGANIZATIONS).await[0];
    assert_eq!(request.method.as_str(), "POST");
    assert_eq!(request.url.query(), None);
    assert_eq!(header(&request.headers, "authorization"), Some("Bearer t1"));
    assert_eq!(header(&request.headers, "accept"), Some("application/json"));
    assert_eq!(header(&request.headers, "accept-language"), Some("fi"));
    assert_eq!(header(&request.headers, "content-type"), Some("application/json"));
    assert_eq!(header(&request.headers, "accept-encoding"), Some("gzip"));
    let agent = concat!("vainu-sync/", env!("CARGO_PKG_VERSION"));
    assert_eq!(header(&request.headers, "user-agent"), Some(agent));
    let body = r#"{"query":{"?ALL":[]},"database":"FI","fields":["business_id"],"limit":10,"offset":0,"order":"business_id"}"#;
    assert_eq!(String::from_utf8_lossy(&request.body), body);
}

#[tokio::test]
async fn a_count_is_asked_for_once_and_without_order() {
    let world = World::new().await;
    world.on(REFRESH, tokens()).await;
    world.on(COUNT, Script::of([rows(r#"{"count":null,"status":"scheduled"}"#)])).await;

    let answer = world.impatient().count(&selection(), Duration::ZERO, &world.meter).await.unwrap();

    assert_eq!(answer.status, CountStatus::Pending);
    let requests = world.requests(COUNT).await;
    assert_eq!(requests.len(), 1);
    let body = r#"{"query":{"?ALL":[]},"database":"FI","recount_if_cache_max_age":0}"#;
    assert_eq!(String::from_utf8_lossy(&requests[0].body), body);
}

#[tokio::test]
async fn requests_and_bytes_are_counted_those_for_tokens_too() {
    let world = World::healthy().await;
    world.page(&world.impatient()).await.unwrap();
    let token = json!({"access": "t1", "expires_in": 3600}).to_string();
    let costs = Costs { requests: 2, retries: 0, bytes: (token.len() + "[]".len()) as u64 };
    assert_eq!(world.meter.snapshot(), costs);
}

#[tokio::test]
async fn a_compressed_answer_is_read_and_counted_by_what_it_holds() {
    const GZIPPED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x8b\x36\xd4\x31\x8a\x05\x00\xbf\x50\x8b\x08\x05\x00\x00\x00";
    let world = World::new().await;
    world.on(REFRESH, tokens()).await;
    let answer =
        status(200).set_body_raw(GZIPPED, "application/json").insert_header("content-encoding", "gzip");
    world.on(ORGANIZATIONS, Script::of([answer])).await;
    let client = world.impatient();
    client.authenticate(&world.meter).await.unwrap();
    let meter = Meter::new();
    let page = organizations(&client, &meter).await.unwrap();
    assert_eq!(page.texts().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(meter.snapshot().bytes, "[1,2]".len() as u64);
}

#[test]
fn an_unusable_setting_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let with_ca = |path: &Path| Api { ca_file: Some(path.to_owned()), ..api("https://127.0.0.1:1") };
    let cases = [
        (with_ca(&folder.path().join("none.pem")), "none.pem: there is no such file"),
        (with_ca(&empty), "empty.pem: is empty"),
        (api("not a URL"), "api.base_url"),
    ];
    for (api, word) in cases {
        let error = Client::new(&api, &refresh_token(), Path::new("vainu.db")).err().unwrap();
        assert_eq!(error.kind(), Kind::Setup, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}
