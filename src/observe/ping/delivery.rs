//! One try to deliver a ping.

use std::time::Duration;

use reqwest::{Response, StatusCode, Url};

use crate::config::settings::Api;
use crate::vainu;

/// One try.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What healthchecks.io answers, with status 200, to what it takes no notice of.
const UNHEARD: [(&str, &str); 2] = [
    ("OK (not found)", "it knows no check at this address: correct ping_url"),
    ("OK (rate limited)", "it was pinged too often and took no notice"),
];

/// What a monitor is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signal {
    Start,
    Success,
    /// With the reason.
    Fail(String),
    /// What changes nothing for the monitor, with words.
    Log(String),
}

impl Signal {
    /// What is added to the path of `ping_url`.
    fn path(&self) -> Option<&'static str> {
        match self {
            Self::Start => Some("start"),
            Self::Success => None,
            Self::Fail(_) => Some("fail"),
            Self::Log(_) => Some("log"),
        }
    }

    /// What is sent as text.
    fn body(&self) -> &str {
        match self {
            Self::Start | Self::Success => "",
            Self::Fail(words) | Self::Log(words) => words,
        }
    }
}

/// Why a ping was not delivered.
pub(super) struct Trouble {
    /// Without the address.
    pub reason: String,
    /// Another try may do it.
    pub may_pass: bool,
}

impl Trouble {
    pub fn lasting(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), may_pass: false }
    }

    fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), may_pass: true }
    }
}

/// Sends a signal to `url`, once: with nothing of the API's, and never on to where a redirect leads.
pub(super) async fn deliver(api: &Api, url: Url, signal: &Signal) -> Result<(), Trouble> {
    let client =
        vainu::http_elsewhere(api, &url, TIMEOUT).map_err(|error| Trouble::lasting(error.to_string()))?;
    let request = client.post(with_signal(url, signal)).body(signal.body().to_owned());
    let answer = request.send().await.map_err(|error| of_transport(&error))?;
    heed(answer).await
}

fn with_signal(mut url: Url, signal: &Signal) -> Url {
    if let (Some(part), Ok(mut path)) = (signal.path(), url.path_segments_mut()) {
        path.pop_if_empty().push(part);
    }
    url
}

async fn heed(mut answer: Response) -> Result<(), Trouble> {
    let status = answer.status();
    if status.is_success() {
        // What a server says beside a success matters only where it is known to mean none.
        let said = answer.chunk().await.ok().flatten().unwrap_or_default();
        let unheard = UNHEARD.iter().find(|(words, _)| said.starts_with(words.as_bytes()));
        return unheard.map_or(Ok(()), |(_, reason)| Err(Trouble::lasting(*reason)));
    }
    let told = format!("status {}", status.as_u16());
    Err(match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Trouble::passing(told),
        _ if status.is_server_error() => Trouble::passing(told),
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            Trouble::lasting(format!("{told}: it knows no check at this address: correct ping_url"))
        }
        _ if status.is_redirection() => Trouble::lasting(format!(
            "{told}: a redirect is not followed: set ping_url to the address that it leads to"
        )),
        _ => Trouble::lasting(told),
    })
}

/// reqwest's own text names the address.
fn of_transport(error: &reqwest::Error) -> Trouble {
    if error.is_timeout() {
        return Trouble::passing(format!("no answer within {} s", TIMEOUT.as_secs()));
    }
    Trouble::passing(vainu::innermost(error).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_ends_the_path_whatever_the_address_ends_on() {
        for (address, told) in [
            ("https://hc-ping.com/1-2", "https://hc-ping.com/1-2/fail"),
            ("https://hc-ping.com/1-2/", "https://hc-ping.com/1-2/fail"),
            ("https://hc.example/ping/key/slug?create=1", "https://hc.example/ping/key/slug/fail?create=1"),
        ] {
            let url = with_signal(address.parse().unwrap(), &Signal::Fail(String::new()));
            assert_eq!(url.as_str(), told);
            assert_eq!(with_signal(address.parse().unwrap(), &Signal::Success).as_str(), address);
        }
    }
}
