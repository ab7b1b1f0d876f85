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
async fn what_may_pass_is_tried_again_until_the_time_is_up_and_told_with_what_to_do() {
    let detail = |code| status(code).set_body_json(json!({"detail": "too much"}));
    let later = "; try later, and tell Vainu if it stays so";
    let cases = [
        (status(408), format!("status 408{later}")),
        (detail(429), "status 429: too much; if it stays so, ask less often: api.concurrency".to_owned()),
        (status(500), format!("status 500{later}")),
        (status(502).set_body_string("<html>Bad gateway</html>"), format!("status 502{later}")),
        (detail(503), format!("status 503: too much{later}")),
        (status(504).set_body_string("upstream timed out"), format!("status 504: upstream timed out{later}")),
        (rows(""), "a body that is not JSON at byte 0; try later, and check that no proxy".to_owned()),
        (
            rows("<html>Sign in"),
            "near `<html>Sign in`; try later, and check that no proxy or login".to_owned(),
        ),
        (status(204), "a body that is not JSON at byte 0".to_owned()),
        (rows("{}"), format!("status 200 without a list of rows{later}")),
        (rows(r#"{"detail":"Query timed out"}"#), format!("a list of rows: Query timed out{later}")),
    ];
    for (bad, told) in cases {
        let world = World::new().await;
        world.on(REFRESH, tokens()).await;
        world.on(ORGANIZATIONS, Script::of([bad])).await;
        let error = world.page(&world.hopeful()).await.unwrap_err();
        let Error::Unavailable { tries, .. } = error else { panic!("{error:?}") };
        assert!(tries > 1 && tries as usize == world.hits(ORGANIZATIONS).await, "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("{ORGANIZATIONS} gave nothing usable in {tries} tries")), "{text}");
        assert!(text.contains(&told), "{told:?} is not in {text:?}");
    }
}

#[tokio::test]
async fn a_final_status_is_asked_once_and_tells_the_servers_words() {
    let words = [
        (r#"{"detail":"limit is at most 100"}"#, Some("limit is at most 100")),
        (r#"{"limit":["at most 100"]}"#, Some(r#"{"limit":["at most 100"]}"#)),
        ("no such page", Some("no such page")),
        ("<html>", None),
        ("{}", None),
        ("", None),
    ];
    for code in [400, 402, 404, 405, 409, 410, 413, 418, 422, 451] {
        for (body, words) in words {
            let world = after([status(code).set_body_raw(body, "application/json")]).await;
            let error = world.page(&world.patient()).await.unwrap_err();
            let Error::Refused { status, detail, .. } = &error else { panic!("{error:?}") };
            assert_eq!((*status, detail.as_deref()), (code, words));
            assert_eq!(world.hits(ORGANIZATIONS).await, 1, "{code}");
        }
    }
}

#[tokio::test]
async fn a_final_status_tells_what_to_do() {
    for (code, told) in [
        (400, "(status 400): no; correct what the query asks for"),
        (404, "(status 404): no; is api.base_url right?"),
        (402, "(status 402): no; ask Vainu what this account may do"),
    ] {
        let world = after([status(code).set_body_string("no")]).await;
        let text = world.page(&world.patient()).await.unwrap_err().to_string();
        assert!(text.contains(ORGANIZATIONS) && text.ends_with(told), "{text}");
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
        assert_eq!(world.page(&world.patient()).await.unwrap().rows.len(), 0, "{body}");
        assert_eq!(world.hits(ORGANIZATIONS).await, 4, "{body}");
    }
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
async fn a_bom_before_a_page_a_count_or_a_token_answer_is_ignored() {
    let world = World::new().await;
    world.on(REFRESH, rows("\u{feff}{\"access\":\"t1\"}")).await;
    world.on(ORGANIZATIONS, rows("\u{feff}[{\"business_id\":\"FI1\"}]")).await;
    world.on(COUNT, rows("\u{feff}{\"count\":300}")).await;
    let client = world.impatient();
    let page = world.page(&client).await.unwrap();
    assert_eq!(page.texts().collect::<Vec<_>>(), [r#"{"business_id":"FI1"}"#]);
    let answer = client.count(&selection(), Duration::ZERO, &world.meter).await.unwrap();
    assert_eq!(answer.status, CountStatus::Ready(300));
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
