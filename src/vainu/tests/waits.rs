use std::sync::Arc;

use tokio::time::Instant;

use super::*;

fn limited(retry_after: &str) -> ResponseTemplate {
    status(429).insert_header("retry-after", retry_after)
}

/// A server that answers `[]` once it has given `first`.
async fn after(first: ResponseTemplate) -> World {
    let world = World::new().await;
    world.on(REFRESH, tokens()).await;
    world.on(ORGANIZATIONS, Script::of([first, rows("[]")])).await;
    world
}

/// When the answers below were made, which a wait until a date is measured from.
const DATE: &str = "Fri, 27 Feb 2026 12:00:00 GMT";

fn dated(code: u16, retry_after: &str) -> ResponseTemplate {
    status(code).insert_header("retry-after", retry_after).insert_header("date", DATE)
}

#[tokio::test]
async fn a_wait_that_is_too_long_fails_at_once_and_is_told() {
    let cases = [
        ("3600", "asks to wait 1h,"),
        ("Fri, 27 Feb 2026 14:30:00 GMT", "asks to wait 2h 30m,"),
        ("9999999999", "asks to wait 316years 10months,"),
        ("18446744073709551616", "asks to wait 584542046090years 7months,"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "asks to wait 7973years 8months,"),
    ];
    for (asked, words) in cases {
        for code in [429, 503] {
            let world = after(dated(code, asked)).await;
            let error = world.page(&world.patient()).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Unavailable);
            assert!(error.to_string().contains(words), "{error}");
            assert!(
                error.to_string().contains("longer than api.retry_for leaves: try again then"),
                "{error}"
            );
            assert_eq!(world.hits(ORGANIZATIONS).await, 1, "{asked}");
        }
    }
}

#[tokio::test]
async fn a_wait_that_is_past_or_unreadable_means_our_own() {
    for asked in [
        "-5",
        "+5",
        "1.5",
        "3, 4",
        "",
        "0",
        "soon",
        DATE,
        "Sat, 31 Feb 2026 00:00:00 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
    ] {
        for code in [429, 503] {
            let world = after(dated(code, asked)).await;
            world.page(&world.patient()).await.unwrap();
            assert_eq!(world.hits(ORGANIZATIONS).await, 2, "{asked:?}");
            assert_eq!(world.meter.snapshot().retries, 1, "{asked:?}");
        }
    }
}

/// Answers after 50 ms, and keeps when it was asked.
#[derive(Clone, Default)]
struct Slow(Arc<Mutex<Vec<Instant>>>);

impl Slow {
    const DELAY: Duration = Duration::from_millis(50);
}

impl Respond for Slow {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        self.0.lock().unwrap().push(Instant::now());
        rows(r#"{"results":[],"count":0}"#).set_delay(Self::DELAY)
    }
}

/// When the count was asked for, after a page met `limit` and while it waits to be asked for again.
async fn asked_beside(limit: ResponseTemplate) -> Duration {
    let world = after(limit).await;
    let slow = Slow::default();
    world.on(COUNT, slow.clone()).await;
    let delay = Duration::from_secs(2);
    let client = world.patient().with_delays(Delays { first: delay, longest: delay });
    client.authenticate(&world.meter).await.unwrap();
    let counts = Meter::new();

    let began = Instant::now();
    let count = async {
        while world.meter.snapshot().retries == 0 {
            tokio::task::yield_now().await;
        }
        client.count(&selection(), Duration::ZERO, &counts).await.unwrap();
    };
    let (page, ()) = tokio::join!(world.page(&client), count);

    page.unwrap();
    assert_eq!(counts.snapshot(), Costs { requests: 1, retries: 0, ..counts.snapshot() });
    let asked = slow.0.lock().unwrap()[0];
    asked - began
}

#[tokio::test]
async fn a_wait_is_kept_by_every_request_to_the_origin() {
    assert!(asked_beside(limited("1")).await >= Duration::from_secs(1));
}

#[tokio::test]
async fn too_many_requests_without_a_wait_slow_every_request_by_our_own() {
    // Our own wait of 2 s, less a jitter of half.
    assert!(asked_beside(status(429)).await >= Duration::from_secs(1));
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_configured() {
    let world = World::new().await;
    let slow = Slow::default();
    world.on(REFRESH, tokens()).await;
    world.on(ORGANIZATIONS, slow.clone()).await;
    let client = client(&Api { concurrency: 1, ..world.api() }, &refresh_token());
    let (first, second) = tokio::join!(world.page(&client), world.page(&client));
    first.and(second).unwrap();
    let asked = slow.0.lock().unwrap();
    assert!(asked[1] - asked[0] >= Slow::DELAY, "{asked:?}");
}

#[tokio::test]
async fn no_more_requests_are_sent_in_a_second_than_configured() {
    let world = World::new().await;
    let slow = Slow::default();
    world.on(REFRESH, tokens()).await;
    world.on(ORGANIZATIONS, slow.clone()).await;
    let client = client(&Api { requests_per_second: 20, ..world.api() }, &refresh_token());
    let began = Instant::now();
    let (first, second) = tokio::join!(world.page(&client), world.page(&client));
    first.and(second).unwrap();
    assert!(slow.0.lock().unwrap()[1] - began >= Duration::from_millis(100));
}

#[tokio::test]
async fn a_long_pause_fails_the_next_request_without_asking() {
    let world = after(limited("3600")).await;
    let client = world.patient();
    world.page(&client).await.unwrap_err();
    let error = world.page(&client).await.unwrap_err();
    assert!(error.to_string().contains("asked for a pause"), "{error}");
    assert_eq!(world.hits(ORGANIZATIONS).await, 1);
}
