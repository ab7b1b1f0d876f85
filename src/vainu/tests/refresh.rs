use futures_util::future::join_all;

use super::*;

/// What eight callers at once get.
async fn eight(world: &World, client: &Client) -> Vec<Result<Page, Error>> {
    join_all((0..8).map(|_| world.page(client))).await
}

#[tokio::test]
async fn one_refresh_serves_all_who_wait() {
    let world = World::healthy().await;
    let client = world.impatient();
    for result in eight(&world, &client).await {
        result.unwrap();
    }
    assert_eq!(world.hits(REFRESH).await, 1);
    assert_eq!(world.hits(ORGANIZATIONS).await, 8);
}

#[tokio::test]
async fn refused_credentials_are_told_to_all_after_one_request() {
    for code in [400, 401, 403] {
        let world = World::new().await;
        world.on(REFRESH, status(code).set_body_json(json!({"detail": "hush"}))).await;
        for result in eight(&world, &world.patient()).await {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), Kind::Credentials, "{error}");
            assert!(error.to_string().contains("get a new refresh token"), "{error}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
        assert_eq!(world.hits(REFRESH).await, 1, "{code}");
    }
}

#[tokio::test]
async fn a_failing_token_endpoint_is_not_asked_by_each_who_waits() {
    let world = World::new().await;
    world.on(REFRESH, status(503)).await;
    for result in eight(&world, &world.impatient()).await {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.to_string().contains(REFRESH), "{error}");
    }
    assert_eq!(world.hits(REFRESH).await, 1);
}

#[tokio::test]
async fn a_transient_failure_of_the_token_endpoint_is_tried_again() {
    let bad = [408, 429, 500, 502, 503, 504].map(status).into_iter();
    let bad = bad.chain(["", "<html>", "{}", r#"{"access":""}"#, "{"].map(rows));
    let world = World::new().await;
    world.on(REFRESH, Script::of(bad.chain([token("t1")]))).await;
    world.patient().authenticate(&world.meter).await.unwrap();
    assert_eq!(world.hits(REFRESH).await, 12);
    assert_eq!(world.meter.snapshot(), Costs { requests: 12, retries: 11, ..world.meter.snapshot() });
}

#[tokio::test]
async fn the_same_broken_token_answer_ends_it_and_is_not_quoted() {
    let world = World::new().await;
    world.on(REFRESH, rows(r#"{"access":"hush","expires_in":NaN}"#)).await;
    let error = world.patient().authenticate(&world.meter).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NoToken);
    assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
    assert_eq!(world.hits(REFRESH).await, 2);
}

#[tokio::test]
async fn a_wrong_base_url_is_no_matter_of_credentials() {
    for code in [404, 405, 422] {
        let world = World::new().await;
        world.on(REFRESH, status(code).set_body_json(json!({"detail": "hush"}))).await;
        let error = world.patient().authenticate(&world.meter).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (Kind::NoToken, Some(code)), "{error:?}");
        let told = format!("{REFRESH} gave no access token (status {code}); is api.base_url right?");
        assert!(error.to_string().ends_with(&told), "{error}");
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        assert_eq!(world.hits(REFRESH).await, 1, "{code}");
    }
}

#[tokio::test]
async fn a_revoked_token_is_replaced_once_for_all() {
    let world = World::new().await;
    world.on(REFRESH, tokens()).await;
    world.on(ORGANIZATIONS, Only("t2")).await;
    let client = world.impatient();
    client.authenticate(&world.meter).await.unwrap();
    for result in eight(&world, &client).await {
        result.unwrap();
    }
    assert_eq!(world.hits(REFRESH).await, 2);
}

#[tokio::test]
async fn a_second_401_with_a_fresh_token_ends_it() {
    let world = World::new().await;
    world.on(REFRESH, tokens()).await;
    world.on(ORGANIZATIONS, Only("none")).await;
    let error = world.page(&world.patient()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Credentials, "{error}");
    assert_eq!((world.hits(REFRESH).await, world.hits(ORGANIZATIONS).await), (2, 2));
}

/// `t2` is good for one request, and refused only once that is answered; `t3` for any.
#[derive(Default)]
struct UsedUp(Mutex<u32>);

impl Respond for UsedUp {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut used = self.0.lock().unwrap();
        match request.headers["authorization"].to_str().unwrap() {
            "Bearer t2" => {
                *used += 1;
                let refusal = status(401).set_delay(Duration::from_millis(200));
                if *used == 1 { rows("[]") } else { refusal }
            }
            "Bearer t3" => rows("[]"),
            _ => status(401),
        }
    }
}

#[tokio::test]
async fn a_token_that_others_have_used_up_is_no_refused_credential() {
    let world = World::new().await;
    world.on(REFRESH, tokens()).await;
    world.on(ORGANIZATIONS, UsedUp::default()).await;
    let client = world.patient();
    client.authenticate(&world.meter).await.unwrap();
    let (one, other) = tokio::join!(world.page(&client), world.page(&client));
    one.and(other).unwrap();
    assert_eq!(world.hits(REFRESH).await, 3);
}

#[tokio::test]
async fn a_token_that_ends_at_once_is_renewed_once_before_each_request() {
    let world = World::new().await;
    world.on(REFRESH, rows(r#"{"access":"t1","expires_in":0.000000001}"#)).await;
    world.on(ORGANIZATIONS, Only("t1")).await;
    let client = world.impatient();
    for _ in 0..3 {
        world.page(&client).await.unwrap();
    }
    assert_eq!((world.hits(REFRESH).await, world.hits(ORGANIZATIONS).await), (3, 3));
}

#[tokio::test]
async fn a_strange_life_costs_no_more_than_one_token() {
    for life in ["18446744073709551615", "\"3600\"", "3599.5", "0", "-1", "null", "true"] {
        let world = World::new().await;
        world.on(REFRESH, rows(&format!(r#"{{"access":"t1","expires_in":{life}}}"#))).await;
        world.on(ORGANIZATIONS, Only("t1")).await;
        let client = world.impatient();
        for _ in 0..3 {
            world.page(&client).await.unwrap();
        }
        assert_eq!(world.hits(REFRESH).await, 1, "{life}");
    }
}

#[tokio::test]
async fn client_credentials_are_sent_as_a_form() {
    let world = World::new().await;
    world.on(OAUTH, rows(r#"{"access_token":"o1","token_type":"Bearer","expires_in":3600}"#)).await;
    world.on(ORGANIZATIONS, Only("o1")).await;
    let client = client(&world.api(), &client_credentials());
    world.page(&client).await.unwrap();
    let request = &world.requests(OAUTH).await[0];
    assert!(request.headers.get("authorization").is_none());
    let body = "grant_type=client_credentials&client_id=me&client_secret=s%26e&scope=vainu%3Aapi";
    assert_eq!(String::from_utf8_lossy(&request.body), body);
}

#[tokio::test]
async fn refused_client_credentials_name_their_keys() {
    let world = World::new().await;
    world.on(OAUTH, status(401)).await;
    let secret = Secret::Value(SecretString::from("hush"));
    let client = client(&world.api(), &Credential::Client { id: "me".into(), secret });
    let error = client.authenticate(&world.meter).await.unwrap_err();
    assert!(error.to_string().contains("auth.client_id"), "{error}");
}

#[tokio::test]
async fn a_replaced_secret_file_is_read_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("refresh-token");
    std::fs::write(&file, "old\n").unwrap();
    let world = World::new().await;
    world.on(REFRESH, tokens()).await;
    world.on(ORGANIZATIONS, Only("t2")).await;
    let client = client(&world.api(), &Credential::RefreshToken(Secret::File(file.clone())));
    client.authenticate(&world.meter).await.unwrap();

    std::fs::write(folder.path().join("next"), "new\n").unwrap();
    std::fs::rename(folder.path().join("next"), &file).unwrap();
    world.page(&client).await.unwrap();

    assert_eq!(world.spent().await, ["old", "new"]);
}

#[tokio::test]
async fn a_missing_secret_file_is_named_and_nothing_is_sent() {
    let world = World::healthy().await;
    let client = client(&world.api(), &Credential::RefreshToken(Secret::File("/none/refresh-token".into())));
    let error = world.page(&client).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Setup);
    assert!(error.to_string().contains("/none/refresh-token"), "{error}");
    assert_eq!(world.meter.snapshot().requests, 0);
}
