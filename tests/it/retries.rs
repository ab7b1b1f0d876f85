//! What is asked again, what is not, and for how long: the program as its user sees it.

use vainu_sync::sandbox::{Endpoint, ExpiresIn, Fault, Options, Sandbox};

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::vainu_sync;

/// What a sync without any trouble asks.
const ASKED: [Endpoint; 3] = [Endpoint::Token, Endpoint::Count, Endpoint::Organizations];

async fn bench() -> Bench {
    Bench::with_rows(numbered(3), ALL_OF_FI).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_that_is_past_or_unreadable_means_our_own_delay() {
    let bench = bench().await;
    let headers =
        [["-5", "1.5"], ["3, 4", ""], ["Sat, 31 Feb 2026 00:00:00 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"]];
    for (endpoint, [first, second]) in ASKED.into_iter().zip(headers) {
        bench.control.fail(endpoint, Fault::retry_after(503, first), 1);
        bench.control.fail(endpoint, Fault::retry_after(429, second), 1);
    }
    let ended = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(bench.number("SELECT retries FROM runs").await, 6);
    assert_eq!(bench.members("all").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_beyond_the_rest_of_retry_for_is_75_at_once_and_told() {
    let headers = [
        ("9999999999", "316years 10months"),
        ("18446744073709551616", "584542046090years 7months"),
        ("3600", "1h"),
    ];
    for (endpoint, (header, told)) in ASKED.into_iter().zip(headers) {
        let bench = bench().await;
        bench.control.fail_always(endpoint, Fault::retry_after(429, header));
        let ended = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(ended.code, Some(75), "{}{}", ended.out, ended.err);
        assert!(ended.out.contains(told), "{}", ended.out);
        assert!(ended.out.contains("longer than api.retry_for leaves: try again then"), "{}", ended.out);
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
        assert_eq!(bench.control.hits(endpoint), 1);
        assert_eq!(bench.number("SELECT retries FROM runs").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strange_life_of_a_token_costs_no_more_than_two_of_them() {
    for life in ["18446744073709551615", "\"3600\"", "3599.5", "0", "-1", "null", "true", "1e400", "[]"] {
        let bench = bench().await;
        bench.control.switch(|switches| switches.expires_in = ExpiresIn::Verbatim(life.to_owned()));
        let ended = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(ended.code, Some(0), "{life}: {}{}", ended.out, ended.err);
        assert!(bench.control.hits(Endpoint::Token) <= 2, "{life}");
        assert!(!ended.err.contains("panicked"), "{life}: {}", ended.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bom_before_every_answer_is_ignored() {
    let bench = bench().await;
    for endpoint in ASKED {
        bench.control.fail_always(endpoint, Fault::bom());
    }
    let ended = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(bench.number("SELECT expected FROM runs").await, 3);
    assert_eq!(bench.number("SELECT retries FROM runs").await, 0);
    assert_eq!(bench.members("all").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_another_server_is_1_and_nothing_is_sent_there() {
    let elsewhere = Sandbox::start(Options::default()).await.unwrap();
    for endpoint in [Endpoint::Token, Endpoint::Organizations] {
        let bench = bench().await;
        bench.control.fail_always(endpoint, Fault::redirect(&elsewhere.base_url()));
        let ended = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
        assert!(ended.out.contains("is not followed") && ended.out.contains("api.base_url"), "{}", ended.out);
    }
    assert_eq!(elsewhere.control().requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_of_a_sync_has_a_query_string_and_only_the_api_sees_the_access_token() {
    let bench = bench().await;
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    let requests = bench.control.requests();
    for endpoint in ASKED {
        assert!(requests.iter().any(|request| request.endpoint == endpoint), "{endpoint:?}");
    }
    for request in requests {
        assert!(!request.target.contains('?'), "{}", request.target);
        assert_eq!(request.is_authorized(), request.endpoint != Endpoint::Token, "{}", request.target);
    }
}
