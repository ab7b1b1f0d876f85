//! Tokens are for the API's own origin only.

use super::*;

/// What a client does with `credential` at each endpoint that it asks.
async fn asked(world: &World, at: &str) -> Error {
    let credential = if at == OAUTH { client_credentials() } else { refresh_token() };
    let patient = client(&Api { retry_for: Duration::from_mins(15), ..world.api() }, &credential);
    match at {
        COUNT => patient.count(&selection(), Duration::ZERO, &world.meter).await.unwrap_err(),
        _ => world.page(&patient).await.unwrap_err(),
    }
}

#[tokio::test]
async fn a_redirect_is_asked_once_and_never_followed() {
    for at in [ORGANIZATIONS, COUNT, REFRESH, OAUTH] {
        for code in [301, 302, 303, 307, 308] {
            let (world, elsewhere) = (World::new().await, World::healthy().await);
            let target = format!("{}{at}?secret=hush", elsewhere.server.uri());
            world.on(at, status(code).insert_header("location", target)).await;
            world.on(REFRESH, tokens()).await;

            let error = asked(&world, at).await;

            assert_eq!(error.status(), Some(code), "{error:?}");
            let text = error.to_string();
            assert!(text.contains("which is not followed"), "{text}");
            assert!(text.contains(at) && text.contains(&elsewhere.server.uri()), "{text}");
            assert!(!text.contains("hush"), "{text}");
            assert_eq!(world.hits(at).await, 1, "{at} {code}");
            assert_eq!(elsewhere.server.received_requests().await.unwrap().len(), 0, "{at} {code}");
        }
    }
}

#[tokio::test]
async fn a_redirect_without_another_origin_is_told_as_such() {
    for (location, told) in [
        (Some("/login?token=hush"), "redirects to another path there"),
        (Some("data:text/plain,hush"), "redirects to nowhere"),
        (Some("http://[hush"), "redirects to nowhere"),
        (None, "redirects to nowhere"),
    ] {
        let world = World::new().await;
        let answer = status(302);
        let answer = location.into_iter().fold(answer, |answer, to| answer.insert_header("location", to));
        world.on(REFRESH, answer).await;
        let text = asked(&world, REFRESH).await.to_string();
        assert!(text.contains(told) && !text.contains("hush"), "{text}");
        assert_eq!(world.hits(REFRESH).await, 1);
    }
}

#[tokio::test]
async fn an_access_token_goes_to_the_api_only_and_no_secret_into_a_url() {
    let world = World::healthy().await;
    world.on(COUNT, rows(r#"{"count":1,"status":"ready"}"#)).await;
    world.on(OAUTH, rows(r#"{"access_token":"o1","expires_in":3600}"#)).await;
    for credential in [refresh_token(), client_credentials()] {
        let client = client(&world.api(), &credential);
        world.page(&client).await.unwrap();
        client.count(&selection(), Duration::ZERO, &world.meter).await.unwrap();
    }
    let requests = world.server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 6);
    for request in requests {
        assert_eq!(request.url.query(), None, "{}", request.url);
        let for_tokens = [REFRESH, OAUTH].contains(&request.url.path());
        assert_eq!(request.headers.contains_key("authorization"), !for_tokens, "{}", request.url);
    }
}
