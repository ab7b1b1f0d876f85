//! What is asked before any page: by which name the listener was called, and by which method.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Site;

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

/// By which names a listener is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// From this machine alone.
    Loopback,
    /// From others, or from within a container, whose port may be published to loopback.
    Others,
}

/// A page elsewhere whose name was made to lead here (DNS rebinding) must not read what stands here: no name is answered
/// that anybody else may have.
pub async fn known_names_only(
    State((site, reach)): State<(Site, Reach)>,
    request: Request,
    next: Next,
) -> Response {
    let hosts = &site.vitals().setup().settings.http.hosts;
    if is_called_by(&request, |authority| reach.knows(authority, hosts), reach) {
        return next.run(request).await;
    }
    (StatusCode::MISDIRECTED_REQUEST, reach.refusal()).into_response()
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

/// Every name that the request calls this listener by is known. No browser leaves `Host` out: on loopback, where nothing
/// else has to, it must be there.
fn is_called_by(request: &Request, is_known: impl Fn(&str) -> bool, reach: Reach) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(&is_known),
        (None, _) => reach == Reach::Others,
        (Some(_), Some(_)) => false,
    };
    host && request.uri().authority().is_none_or(|authority| is_known(authority.as_str()))
}

impl Reach {
    fn knows(self, authority: &str, hosts: &[String]) -> bool {
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        if authority.as_str().contains('@') {
            return false;
        }
        let host = authority.host();
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.eq_ignore_ascii_case("localhost")
            || hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
        {
            return true;
        }
        match (self, address.parse::<IpAddr>()) {
            (Self::Loopback, address) => address.is_ok_and(|address| address.to_canonical().is_loopback()),
            (Self::Others, Ok(_)) => true,
            // Of a network of one's own, as a container's: nobody can have it in the DNS of all.
            (Self::Others, Err(_)) => !host.is_empty() && !host.contains('.'),
        }
    }

    fn refusal(self) -> &'static str {
        match self {
            Self::Loopback => {
                "This listener is on loopback and answers to localhost and loopback addresses only; a proxy before it \
                 has to set Host to one of them, or name the one that it passes on in http.hosts.\n"
            }
            Self::Others => {
                "This listener answers to addresses, localhost and names without a dot only: a page elsewhere might \
                 have been led here. Name the one that you use in http.hosts.\n"
            }
        }
    }
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
            assert!(Reach::Loopback.knows(name, &[]), "{name}");
            assert!(Reach::Others.knows(name, &[]), "{name}");
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
            assert!(!Reach::Loopback.knows(name, &[]), "{name}");
        }
    }

    #[test]
    fn beyond_loopback_no_name_is_known_that_anybody_else_may_have() {
        let hosts = ["Status.example.com".to_owned()];
        for name in [
            "192.168.1.1:9464",
            "[2001:db8::1]:9464",
            "vainu-sync:9464",
            "localhost",
            "status.example.com:80",
        ] {
            assert!(Reach::Others.knows(name, &hosts), "{name}");
        }
        for name in [
            "",
            "evil.example",
            "evil.example:9464",
            "a.status.example.com",
            "192.168.1.1.nip.io",
            "a@b",
            "com.",
        ] {
            assert!(!Reach::Others.knows(name, &hosts), "{name}");
        }
        assert!(
            Reach::Loopback.knows("status.example.com", &hosts)
                && !Reach::Loopback.knows("vainu-sync", &hosts)
        );
    }
}
