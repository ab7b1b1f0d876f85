use super::*;

const CATALOGUE: &str = "/api/v3/organizations_fields/";
const NAME: &str = r#"[{"api":{"v3":{"path":"name"}}}]"#;
const PATIENCE: Duration = Duration::from_mins(1);

async fn with_catalogue(answers: impl IntoIterator<Item = ResponseTemplate>) -> World {
    let world = World::healthy().await;
    world.on(CATALOGUE, Script::of(answers)).await;
    world
}

#[tokio::test]
async fn the_catalogue_is_asked_for_as_vainus_own_client_does() {
    let world = with_catalogue([rows(NAME)]).await;
    let catalogue = world.impatient().catalogue(PATIENCE, &world.meter).await.unwrap();
    assert!(catalogue.knows("name"));
    let request = &world.requests(CATALOGUE).await[0];
    assert_eq!((request.method.as_str(), request.url.query()), ("GET", Some("api_versions=v3")));
    assert_eq!(request.headers["authorization"], "Bearer t1");
    assert!(request.body.is_empty() && !request.headers.contains_key("content-type"));
    assert_eq!(world.meter.snapshot().requests, 2);
}

#[tokio::test]
async fn an_account_that_may_not_read_it_is_not_asked_twice() {
    for code in [400, 403, 404, 405] {
        let world = with_catalogue([status(code)]).await;
        let refusal = world.patient().catalogue(PATIENCE, &world.meter).await.unwrap_err();
        assert_eq!(refusal.to_string(), format!("the API does not give its field catalogue (status {code})"));
        assert_eq!(world.hits(CATALOGUE).await, 1, "{code}");
    }
}

#[tokio::test]
async fn a_token_that_ended_early_is_replaced_for_it_too() {
    let world = with_catalogue([status(401), rows(NAME)]).await;
    world.impatient().catalogue(PATIENCE, &world.meter).await.unwrap();
    assert_eq!((world.hits(REFRESH).await, world.hits(CATALOGUE).await), (2, 2));
}

#[tokio::test]
async fn a_bad_moment_passes_and_a_bad_day_is_not_waited_for() {
    let world = with_catalogue([status(503), rows("[]"), rows(NAME)]).await;
    assert!(world.patient().catalogue(PATIENCE, &world.meter).await.is_ok());
    let world = with_catalogue([status(503)]).await;
    let patience = Duration::from_millis(50);
    let refusal = world.patient().catalogue(patience, &world.meter).await.unwrap_err();
    assert!(refusal.to_string().contains("503") || matches!(refusal, NoCatalogue::TooSlow(_)), "{refusal}");
    let world = with_catalogue([rows(NAME).set_delay(Duration::from_hours(1))]).await;
    let refusal = world.patient().catalogue(patience, &world.meter).await.unwrap_err();
    assert_eq!(refusal.to_string(), "the field catalogue did not come within 50ms");
}
