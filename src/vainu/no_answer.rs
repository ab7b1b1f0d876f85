//! Why no whole answer came, for people: reqwest's own text names the request and leaves the reason to its
//! sources.

use std::error::Error;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

/// How the connector's text begins where a proxy was asked for a tunnel; its type is not public.
const TUNNEL: &str = "tunnel error: ";

/// Why no whole answer came to one request, and what the reader can do. `endpoint: ` stands before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error("its host name can't be looked up ({0}); check api.base_url and this machine's DNS")]
    NoAddress(String),

    /// Refused, or no way there.
    #[error("no connection ({0}); check the network, any firewall in between, and api.base_url")]
    NoConnection(String),

    /// The proxy could not be reached or did not connect through.
    #[error("the proxy that HTTPS_PROXY or ALL_PROXY names {0}")]
    Proxy(String),

    #[error(
        "its TLS certificate is not trusted, for no authority known to this machine has signed it; if a proxy or \
         server of your own company answers there, name the certificate of its authority in api.ca_file"
    )]
    Untrusted,

    #[error("its TLS certificate {0}; check api.base_url and this machine's clock")]
    Certificate(String),

    #[error("no agreement on TLS ({0}); check that api.base_url is right and https belongs there")]
    Tls(String),

    #[error("no whole answer within {} (api.timeout); try later, or ask for less at once with api.page_size", humantime::format_duration(*.0))]
    TimedOut(Duration),

    /// The connection ended before an answer, or what came is not HTTP.
    #[error("no HTTP answer came ({0}); try later, and check that api.base_url is right")]
    NoHttp(String),

    #[error("the answer broke off or came damaged ({0}); try later")]
    BrokenOff(String),
}

impl NoAnswer {
    /// In a word, as metrics tell it.
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::NoAddress(_) => "no_address",
            Self::NoConnection(_) => "no_connection",
            Self::Proxy(_) => "proxy",
            Self::Untrusted | Self::Certificate(_) | Self::Tls(_) => "tls",
            Self::TimedOut(_) => "timeout",
            Self::NoHttp(_) => "no_http",
            Self::BrokenOff(_) => "broken_off",
        }
    }

    /// What `error` means to who gave a request `timeout`.
    pub(super) fn of(error: &reqwest::Error, timeout: Duration) -> Self {
        let reason = innermost(error).to_string();
        if let Some(error) = find::<rustls::Error>(error) {
            return of_tls(error);
        }
        if let Some(words) = tunnel(error) {
            return Self::Proxy(of_tunnel(&words, &reason));
        }
        match error {
            _ if error.is_dns() => Self::NoAddress(reason),
            // The system gives up by itself where nothing answers at all.
            _ if error.is_connect() => Self::NoConnection(reason),
            _ if error.is_timeout() => Self::TimedOut(timeout),
            _ if error.is_body() || error.is_decode() => Self::BrokenOff(reason),
            _ => Self::NoHttp(reason),
        }
    }
}

fn of_tls(error: &rustls::Error) -> NoAnswer {
    use CertificateError::{BadSignature, UnknownIssuer};
    match error {
        // An authority of the same name with another key leaves a bad signature.
        rustls::Error::InvalidCertificate(UnknownIssuer | BadSignature) => NoAnswer::Untrusted,
        rustls::Error::InvalidCertificate(error) => NoAnswer::Certificate(of_certificate(error)),
        error => NoAnswer::Tls(error.to_string()),
    }
}

fn of_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => format!("ended {}", at(*not_after)),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("is not valid before {}", at(*not_before))
        }
        error => format!("can't be used ({error})"),
    }
}

fn at(time: UnixTime) -> String {
    let time = i64::try_from(time.as_secs()).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| "at no time that can be told".to_owned(), |time| time.to_string())
}

fn tunnel(error: &reqwest::Error) -> Option<String> {
    let texts = chain(error).map(ToString::to_string);
    texts.into_iter().find_map(|text| text.strip_prefix(TUNNEL).map(ToOwned::to_owned))
}

fn of_tunnel(words: &str, reason: &str) -> String {
    match words {
        "proxy authorization required" => {
            "wants a user name and a password, others than it was given: http://USER:PASSWORD@HOST:PORT"
                .into()
        }
        "unsuccessful" => {
            "would not connect to it; ask who runs the proxy, or name the host in NO_PROXY".into()
        }
        _ => format!("can't be used ({reason}); correct the variable, or name the host in NO_PROXY"),
    }
}

/// What an error comes from in the end.
pub(crate) fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(<dyn Error>::downcast_ref)
}

/// An error and what it comes from.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| below(*error))
}

fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    // An `io::Error` passes over the error that it wraps, and names that one's source as its own.
    let wrapped = error.downcast_ref().and_then(io::Error::get_ref);
    wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source())
}
