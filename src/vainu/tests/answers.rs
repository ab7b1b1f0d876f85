use super::*;

/// A server that answers `[]` once it has given `bad`.
async fn after(bad: impl IntoIterator<Item = ResponseTemplate>) -> World {
    let world = World::new().await;
    world.on(REFRESH, tokens()).await;
    world.on(ORGANIZATIONS, Script::of(bad.into_iter().chain([rows("[]")]))).await;
    world
}

#[tokio::test]
async fn a_transient_status_is_tried_again() {
    for code in [408, 429, 500, 502, 503, 504, 520] {
        let world = after([status(code), status(code)]).await;
        world.page(&world.patient()).await.unwrap();
        assert_eq!(world.hits(ORGANIZATIONS).await, 3, "{code}");
        assert_eq!(world.meter.snapshot().retries, 2, "{code}");
    }
}

#[tokio::test]
async fn a_final_status_is_asked_once_and_tells_the_servers_words() {
    for code in [400, 404, 418, 422] {
        let world = after([status(code).set_body_json(json!({"detail": "limit is at most 100"}))]).await;
        let error = world.page(&world.patient()).await.unwrap_err();
        let Error::Refused { status, detail, .. } = &error else { panic!("{error:?}") };
        assert_eq!((*status, detail.as_deref()), (code, Some("limit is at most 100")));
        assert_eq!(world.hits(ORGANIZATIONS).await, 1, "{code}");
    }
}

#[tokio::test]
async fn a_gated_field_is_named() {
    let words = "Insufficient permissions for fields: vehicles";
    let body = json!({"detail": words, "error_code": "FORBIDDEN", "status_code": 403});
    let world = after([status(403).set_body_json(body)]).await;
    let error = world.page(&world.patient()).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    assert!(error.to_string().contains(words), "{error}");
    assert_eq!(world.hits(ORGANIZATIONS).await, 1);
}

#[tokio::test]
async fn a_success_without_a_list_is_no_page() {
    let timed_out = r#"{"detail":"Query timed out","status_code":504}"#;
    for body in [timed_out, "null", "{}", r#"{"result":null}"#, r#""ok""#, "", "<html>", "  "] {
        let world = after([rows(body), rows(body), rows(body)]).await;
        assert_eq!(world.page(&world.patient()).await.unwrap().rows().len(), 0, "{body}");
        assert_eq!(world.hits(ORGANIZATIONS).await, 4, "{body}");
    }
}

#[tokio::test]
async fn an_error_in_a_200_is_quoted_when_the_time_is_up() {
    let world = after([rows(r#"{"detail":"Query timed out","status_code":504}"#)]).await;
    let error = world.page(&world.impatient()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().contains("Query timed out"), "{error}");
}

#[tokio::test]
async fn the_same_broken_json_is_not_asked_for_a_third_time() {
    let bodies: [&[u8]; 4] = [
        b"[{\"staff_number\":NaN}]",
        b"[{\"name\":\"\xe4\"}]",
        b"[{\"a\":",
        b"\xef\xbb\xbf{\"result\":[NaN]}",
    ];
    for body in bodies {
        let broken = status(200).set_body_raw(body, "application/json");
        let world = after([broken.clone(), status(503), broken]).await;
        let error = world.page(&world.patient()).await.unwrap_err();
        let Error::Malformed { offset, place, .. } = &error else { panic!("{error:?}") };
        assert!(error.to_string().contains(&format!("byte {offset}")) && !place.is_empty(), "{error}");
        assert_eq!(world.hits(ORGANIZATIONS).await, 3);
    }
}

#[tokio::test]
async fn broken_json_that_changes_is_asked_for_again() {
    let world = after([rows("[1,"), rows("[2,"), rows("[3,")]).await;
    world.page(&world.patient()).await.unwrap();
    assert_eq!(world.hits(ORGANIZATIONS).await, 4);
}

#[tokio::test]
async fn a_count_that_is_none_is_asked_for_again() {
    let world = World::new().await;
    world.on(REFRESH, tokens()).await;
    world.on(COUNT, Script::of([rows("{}"), rows(r#"{"count":1,"count":300}"#)])).await;
    let answer = world.patient().count(&selection(), Duration::ZERO, &world.meter).await.unwrap();
    assert_eq!(answer.status, CountStatus::Ready(300));
    assert_eq!(world.hits(COUNT).await, 2);
}
