use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap, LOCATION};
use reqwest::{RequestBuilder, Response, Url};
use tokio::time::Instant;

use super::answer::{Answer, is_transient};
use super::error::{Cause, Error};
use super::meter::Meter;
use super::pace::Pace;
use super::retry::{Failure, Trouble};
use super::{http, retry_after};
use crate::config::settings::Api;

/// The longest pause that one answer imposes on all requests. A longer one still fails its own request; but a
/// server that by mistake asks for centuries is asked again within the hour.
const LONGEST_HOLD: Duration = Duration::from_hours(1);

/// Sends one request and reads its whole answer; knows how long the API's origin is to be left alone.
pub(super) struct Transport {
    pub http: reqwest::Client,
    pace: Pace,
    held_until: Mutex<Option<Instant>>,
}

impl Transport {
    pub fn new(api: &Api) -> Result<Self, Error> {
        let pace = Pace::new(api.requests_per_second);
        Ok(Self { http: http::client(api)?, pace, held_until: Mutex::new(None) })
    }

    /// One try. A status is no failure here.
    pub async fn send(&self, request: RequestBuilder, meter: &Meter) -> Result<Answer, Failure> {
        self.pace.turn().await;
        if let Some(rest) = self.held() {
            return Err(Failure::Held(rest));
        }
        meter.count_request();
        let mut response = request.send().await.map_err(failed)?;
        let body = match body_of(&mut response, meter).await {
            // The status has said no; without the body only the server's words are lost.
            Err(_) if !response.status().is_success() => Vec::new(),
            body => body.map_err(failed)?,
        };
        let answer = answer(&response, body);
        if let Some(wait) = answer.wait.filter(|_| is_transient(answer.status)) {
            self.hold(wait);
        }
        Ok(answer)
    }

    fn held(&self) -> Option<Duration> {
        let until = *self.held_until.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = until?.saturating_duration_since(Instant::now());
        (!rest.is_zero()).then_some(rest)
    }

    fn hold(&self, wait: Duration) {
        let until = Instant::now() + wait.min(LONGEST_HOLD);
        let mut held_until = self.held_until.lock().unwrap_or_else(PoisonError::into_inner);
        *held_until = (*held_until).max(Some(until));
    }
}

fn failed(error: reqwest::Error) -> Failure {
    Trouble::new(Cause::Transport(Arc::new(error.without_url()))).into()
}

async fn body_of(response: &mut Response, meter: &Meter) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        meter.count_bytes(chunk.len());
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn answer(response: &Response, body: Vec<u8>) -> Answer {
    let date = date_of(response.headers());
    Answer {
        status: response.status(),
        date: date.and_then(|date| Timestamp::try_from(date).ok()),
        wait: retry_after::asked(response.headers(), date),
        redirect: response.status().is_redirection().then(|| redirect_of(response)),
        body,
    }
}

fn date_of(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()
}

fn redirect_of(response: &Response) -> String {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let target: Option<Url> = location.and_then(|location| response.url().join(location).ok());
    target.map_or_else(|| "nowhere".to_owned(), |url| url.origin().ascii_serialization())
}
