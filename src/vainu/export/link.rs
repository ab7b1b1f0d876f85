//! Where an export's links may lead.

use reqwest::header::LOCATION;
use reqwest::{Response, Url};
use secrecy::{ExposeSecret as _, SecretString};

use super::error::ExportError;
use crate::config::is_loopback;

/// The URL that a job is polled at: a link with the API's host, asked over the API's own scheme and port, so
/// that the access token goes nowhere else.
pub fn of_job(link: &str, base_url: &str) -> Result<String, ExportError> {
    let (link, base) = (Url::parse(link).ok(), Url::parse(base_url).ok());
    let same_host = link.as_ref().and_then(Url::host) == base.as_ref().and_then(Url::host);
    match (&link, base) {
        (Some(link), Some(mut url)) if same_host && url.has_host() => {
            url.set_path(link.path());
            url.set_query(link.query());
            Ok(url.into())
        }
        (_, base) => {
            let host = base.as_ref().and_then(Url::host_str).unwrap_or("none").to_owned();
            Err(ExportError::ForeignLink { to: shown(link.as_ref()), host })
        }
    }
}

/// Where a finished export is downloaded from. It carries its own token, so that it is never shown.
#[derive(Debug, Clone)]
pub struct DownloadLink {
    url: SecretString,
    /// Its origin, which may be shown.
    pub(super) host: String,
    pub(super) rule: Rule,
}

impl DownloadLink {
    pub(super) fn checked(link: &SecretString, base_url: &str) -> Result<Self, ExportError> {
        let rule = Rule { plain: base_url.starts_with("http://") };
        let url = Url::parse(link.expose_secret()).ok();
        match url {
            Some(url) if rule.allows(&url) => {
                Ok(Self { host: shown(Some(&url)), url: String::from(url).into(), rule })
            }
            url => Err(rule.refusal(url.as_ref())),
        }
    }

    pub(super) fn url(&self) -> Url {
        Url::parse(self.url.expose_secret()).expect("it was parsed before")
    }

    /// That `response` leads where nothing is downloaded from.
    pub(super) fn redirected(&self, response: &Response) -> ExportError {
        let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        let target = location.and_then(|location| response.url().join(location).ok());
        self.rule.refusal(target.as_ref())
    }
}

/// Which URLs are downloaded from: https anywhere, since storage is seldom the API's own; plain HTTP on this
/// machine only, and only where the API itself is asked so. What a remote API has no business with is what
/// listens on this machine, and what is sent in the clear could be read and changed on its way.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    plain: bool,
}

impl Rule {
    fn refusal(self, url: Option<&Url>) -> ExportError {
        ExportError::UnsafeDownload { to: shown(url), plain: self.plain }
    }

    pub fn allows(self, url: &Url) -> bool {
        match url.scheme() {
            "https" => true,
            "http" => self.plain && is_loopback(url),
            _ => false,
        }
    }
}

/// What may be shown of a URL that may hold a secret.
fn shown(url: Option<&Url>) -> String {
    let Some(url) = url else { return "no URL".to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    match url.host_str() {
        Some(host) => format!("{}://{host}{port}", url.scheme()),
        None => format!("a {}: address", url.scheme()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: &str = "https://api.vainu.io/api";
    const LOCAL: &str = "http://127.0.0.1:8080/api";

    #[test]
    fn a_job_is_polled_over_the_scheme_and_port_of_the_api() {
        for (link, base, url) in [
            ("https://api.vainu.io/api/v3/x/1/", API, "https://api.vainu.io/api/v3/x/1/"),
            ("http://API.vainu.io:81/api/v3/x/1/?a=b", API, "https://api.vainu.io/api/v3/x/1/?a=b"),
            ("https://user:hush@api.vainu.io/x", API, "https://api.vainu.io/x"),
            ("https://127.0.0.1/api/v3/x/1/", LOCAL, "http://127.0.0.1:8080/api/v3/x/1/"),
        ] {
            assert_eq!(of_job(link, base).as_deref(), Ok(url));
        }
    }

    #[test]
    fn a_job_elsewhere_is_refused_by_name() {
        for (link, to) in [
            ("https://evil.example/api/v3/x/1/?token=hush", "https://evil.example"),
            ("https://api.vainu.io.evil.example/hush", "https://api.vainu.io.evil.example"),
            ("https://api.vainu.io@evil.example:444/hush", "https://evil.example:444"),
            ("http://127.0.0.1/hush", "http://127.0.0.1"),
            ("file:///hush", "a file: address"),
            ("/api/v3/hush", "no URL"),
            ("", "no URL"),
        ] {
            let text = of_job(link, API).unwrap_err().to_string();
            assert!(text.contains(&format!("points to {to},")), "{text}");
            assert!(text.contains("(api.vainu.io)") && !text.contains("hush"), "{text}");
        }
    }

    #[test]
    fn a_download_may_be_on_any_https_host_and_on_this_machine_as_the_api_is() {
        for (link, base) in [
            ("https://storage.example/x?token=hush", API),
            ("https://storage.example/x?token=hush", LOCAL),
            ("http://localhost:9/x?token=hush", LOCAL),
            ("http://[::1]:9/x?token=hush", LOCAL),
        ] {
            let checked = DownloadLink::checked(&link.into(), base).unwrap();
            assert_eq!(checked.url().as_str(), link);
            assert!(!format!("{checked:?}").contains("hush"), "{checked:?}");
        }
    }

    #[test]
    fn a_download_that_could_be_read_on_its_way_or_points_into_this_machine_is_refused_by_name() {
        for (link, base, to) in [
            ("http://storage.example/x?token=hush", API, "http://storage.example"),
            ("http://storage.example/x?token=hush", LOCAL, "http://storage.example"),
            ("http://127.0.0.1:9/x?token=hush", API, "http://127.0.0.1:9"),
            ("ftp://storage.example/x?token=hush", API, "ftp://storage.example"),
            ("file:///etc/hush", LOCAL, "a file: address"),
            ("data:text/plain,hush", API, "a data: address"),
            ("storage/hush", API, "no URL"),
        ] {
            let text = DownloadLink::checked(&link.into(), base).unwrap_err().to_string();
            assert!(text.contains(&format!("points to {to}, which is not asked")), "{text}");
            assert!(!text.contains("hush"), "{text}");
        }
    }
}
