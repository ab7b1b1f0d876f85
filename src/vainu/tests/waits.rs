use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
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

#[tokio::test]
async fn a_wait_that_is_too_long_fails_at_once_and_is_told() {
    let cases = [
        ("3600", "asks to wait 1h"),
        ("9999999999", "asks to wait 316years"),
        ("18446744073709551616", "asks to wait 5845420"),
    ];
    for (asked, words) in cases {
        let world = after(limited(asked)).await;
        let error = world.page(&world.patient()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(world.hits(ORGANIZATIONS).await, 1, "{asked}");
    }
}

#[tokio::test]
async fn a_wait_that_is_past_or_unreadable_means_our_own() {
    for asked in
        ["-5", "1.5", "3, 4", "", "0", "Sat, 31 Feb 2026 00:00:00 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"]
    {
        let world = after(limited(asked)).await;
        world.page(&world.patient()).await.unwrap();
        assert_eq!(world.hits(ORGANIZATIONS).await, 2, "{asked:?}");
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

#[tokio::test]
async fn a_wait_is_kept_by_every_request_to_the_origin() {
    let world = after(limited("1")).await;
    let slow = Slow::default();
    world.on(COUNT, slow.clone()).await;
    let client = world.patient();
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
    assert!(slow.0.lock().unwrap()[0] - began >= Duration::from_secs(1));
    assert_eq!(counts.snapshot(), Costs { requests: 1, retries: 0, ..counts.snapshot() });
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

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/api", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&api(&base_url), &refresh_token()).authenticate(&Meter::new()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_server_that_says_nothing_times_out() {
    let world = World::new().await;
    world.on(REFRESH, status(200).set_delay(Duration::from_mins(5))).await;
    let api = Api { timeout: Duration::from_millis(20), ..world.api() };
    let error = client(&api, &refresh_token()).authenticate(&world.meter).await.unwrap_err();
    let Error::Unavailable { tries: 1, cause: Cause::Transport(cause), .. } = &error else {
        panic!("{error:?}")
    };
    assert!(cause.is_timeout());
}

/// Answers each connection's first request with the next of `answers`, then closes it.
async fn raw_server(answers: Vec<&'static str>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/api", listener.local_addr().unwrap());
    let served = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&served);
    tokio::spawn(async move {
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                socket.read_buf(&mut request).await.unwrap();
            }
            socket.write_all(answer.as_bytes()).await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (base_url, served)
}

#[tokio::test]
async fn a_body_that_breaks_off_gives_no_rows_and_is_asked_for_again() {
    let (base_url, served) = raw_server(vec![
        "HTTP/1.1 200 OK\r\ncontent-length: 14\r\nconnection: close\r\n\r\n{\"access\":\"t\"}",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\n[1,2]",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\n[1,2]\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n[3,4]",
    ])
    .await;
    let api = Api { retry_for: Duration::from_mins(15), ..api(&base_url) };
    let page = organizations(&client(&api, &refresh_token()), &Meter::new()).await.unwrap();
    assert_eq!(page.rows().collect::<Vec<_>>(), ["3", "4"]);
    assert_eq!(served.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_refusal_whose_body_breaks_off_is_still_a_refusal() {
    let (base_url, _) =
        raw_server(vec!["HTTP/1.1 400 Bad Request\r\ncontent-length: 90\r\nconnection: close\r\n\r\n{\"de"])
            .await;
    let error = client(&api(&base_url), &refresh_token()).authenticate(&Meter::new()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Credentials);
}
