use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Api, read};
use crate::sandbox::{Endpoint, ExpiresIn, Options, Rotation, Sandbox, World};

const SMALL: World = World::Generated { size: 3 };

async fn ask(api: &Api) -> u16 {
    api.post("/v3/organizations/", &json!({"query": {"?ALL": []}, "database": "FI"})).await.0
}

#[tokio::test]
async fn without_a_good_bearer_token_nothing_is_answered() {
    let mut api = Api::start(SMALL, |_| ()).await;
    assert_eq!(ask(&api).await, 200);
    let bare = api.client.post(api.url("/v3/organizations/")).body("{}");
    assert_eq!(read(bare).await.0, 401);
    api.access = "eyJhbGciOiJIUzI1NiJ9.e30.x".to_owned();
    assert_eq!(ask(&api).await, 401);
    let asked = api.control.requests_to(Endpoint::Organizations);
    assert_eq!(
        asked.iter().map(super::super::Request::is_authorized).collect::<Vec<_>>(),
        [true, false, true]
    );
}

#[tokio::test]
async fn a_wrong_refresh_token_draws_400() {
    let api = Api::start(SMALL, |_| ()).await;
    assert_eq!(api.refresh_with("nonsense").await.0, 400);
    assert_eq!(api.refresh_with(&api.access).await.0, 400, "an access token is no refresh token");
    assert_eq!(api.control.hits(Endpoint::Token), 3);
}

#[tokio::test]
async fn tokens_end_with_their_time_their_requests_or_on_demand() {
    let mut api = Api::start(SMALL, |switches| switches.access_lifetime = Duration::ZERO).await;
    assert_eq!(ask(&api).await, 401);
    api.control.switch(|switches| {
        switches.access_lifetime = Duration::from_hours(1);
        switches.requests_per_token = NonZeroU32::new(2);
    });
    api.access = api.refresh().await.1["access"].as_str().unwrap().to_owned();
    assert_eq!([ask(&api).await, ask(&api).await, ask(&api).await], [200, 200, 401]);
    api.access = api.refresh().await.1["access"].as_str().unwrap().to_owned();
    api.control.revoke_tokens();
    assert_eq!(ask(&api).await, 401);
}

#[tokio::test]
async fn expires_in_is_what_the_switch_says() {
    let api = Api::start(SMALL, |_| ()).await;
    assert!(api.refresh().await.1.get("expires_in").is_none());
    api.control.switch(|switches| switches.expires_in = ExpiresIn::Sent);
    assert_eq!(api.refresh().await.1["expires_in"], 3600);
    api.control.switch(|switches| switches.expires_in = ExpiresIn::Verbatim(r#""3600""#.to_owned()));
    assert_eq!(api.refresh().await.1["expires_in"], "3600");
}

#[tokio::test]
async fn a_rotated_refresh_token_may_end_the_old_one() {
    let api = Api::start(SMALL, |switches| switches.rotation = Rotation::OldStays).await;
    let old = api.sandbox.refresh_token();
    assert!(api.refresh_with(&old).await.1["refresh"].is_string());
    api.control.switch(|switches| switches.rotation = Rotation::OldEnds);
    let (_, answer) = api.refresh_with(&old).await;
    assert_eq!(api.refresh_with(&old).await.0, 400);
    assert_eq!(api.refresh_with(answer["refresh"].as_str().unwrap()).await.0, 200);
}

#[tokio::test]
async fn a_restarted_sandbox_of_the_same_seed_takes_the_same_refresh_token() {
    let api = Api::start(SMALL, |_| ()).await;
    let token = api.sandbox.refresh_token();
    let again = Sandbox::start(Options::default()).await.unwrap();
    let other = Sandbox::start(Options { seed: 7, ..Options::default() }).await.unwrap();
    for (sandbox, status) in [(&again, 200), (&other, 400)] {
        let url = format!("{}/token_authentication/refresh/", sandbox.base_url());
        let body = json!({ "refresh": token }).to_string();
        assert_eq!(read(api.client.post(url).body(body)).await.0, status);
    }
}

#[tokio::test]
async fn client_credentials_give_a_token_and_wrong_ones_do_not() {
    let mut api = Api::start(SMALL, |_| ()).await;
    let (id, secret) = (api.sandbox.client_id(), api.sandbox.client_secret());
    let form = |secret: &str| {
        [
            ("grant_type", "client_credentials"),
            ("client_id", &id),
            ("client_secret", secret),
            ("scope", "vainu:api"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
    };
    let url = api.url("/oauth/token/");
    let (status, answer) = read(api.client.post(&url).form(&form(&secret))).await;
    assert_eq!((status, &answer["token_type"], &answer["expires_in"]), (200, &json!("Bearer"), &json!(3600)));
    assert_eq!(answer.get("refresh"), None::<&Value>);
    api.access = answer["access_token"].as_str().unwrap().to_owned();
    assert_eq!(ask(&api).await, 200);
    assert_eq!(read(api.client.post(&url).form(&form("wrong"))).await.0, 401);
}
