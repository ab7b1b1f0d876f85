//! What is asked before any page: by which name the listener was called, and by which method.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const HEADERS: [(HeaderName, &str); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// On loopback only: a page elsewhere whose name was made to lead here must not read what stands here.
pub async fn local_names_only(request: Request, next: Next) -> Response {
    if is_called_locally(&request) {
        return next.run(request).await;
    }
    let words = "This listener is on loopback and answers to localhost and loopback addresses only; a proxy before it \
                 has to set Host to one of them.\n";
    (StatusCode::MISDIRECTED_REQUEST, words).into_response()
}

/// Nothing here takes anything in.
pub async fn reading_only(request: Request, next: Next) -> Response {
    if [Method::GET, Method::HEAD].contains(request.method()) {
        return next.run(request).await;
    }
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")], "Only GET and HEAD are answered.\n")
        .into_response()
}

/// What every answer says to a browser.
pub async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Every name that the request calls this listener by is one of this machine's own, and there is one.
fn is_called_locally(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let host = host.to_str().is_ok_and(is_local);
    host && request.uri().authority().is_none_or(|authority| is_local(authority.as_str()))
}

fn is_local(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    !authority.as_str().contains('@')
        && (host.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(is_loopback))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_own_names_are_local() {
        for name in [
            "localhost",
            "LocalHost:9464",
            "127.0.0.1",
            "127.0.0.1:9464",
            "127.8.9.1:1",
            "[::1]",
            "[::1]:9464",
        ] {
            assert!(is_local(name), "{name}");
        }
        for name in [
            "",
            ":9464",
            "evil.example",
            "evil.example:9464",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "localhost@evil.example",
            "evil.example@localhost",
            "0.0.0.0:9464",
            "192.168.1.1",
            "[::]",
            "[::2]:9464",
            "localhost, evil.example",
            "127.1",
            "http://localhost/",
        ] {
            assert!(!is_local(name), "{name}");
        }
    }
}
