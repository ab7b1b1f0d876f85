use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap, LOCATION};
use reqwest::{RequestBuilder, Response, Url};
use tokio::time::Instant;

use super::answer::{Answer, is_transient};
use super::error::Error;
use super::meter::Meter;
use super::no_answer::NoAnswer;
use super::pace::Pace;
use super::retry::{Failure, Hold, Trouble};
use super::traffic::Endpoint;
use super::{http, retry_after};
use crate::config::settings::Api;

/// The longest pause that one answer imposes on all requests. A longer one still fails its own request; but a
/// server that by mistake asks for centuries is asked again within the hour.
const LONGEST_HOLD: Duration = Duration::from_hours(1);

/// Room that is made for a body at its beginning, at most, in bytes: as much as a large page takes.
const MOST_FORETOLD: u64 = 16 << 20;

/// Sends one request and reads its whole answer; knows how long the API's origin is to be left alone.
pub(super) struct Transport {
    pub http: reqwest::Client,
    /// Of one request, from its start to the end of its answer.
    timeout: Duration,
    pace: Pace,
    /// Until when the origin is to be left alone, and for how long it asked that.
    held: Mutex<Option<(Instant, Duration)>>,
}

impl Transport {
    pub fn new(api: &Api) -> Result<Self, Error> {
        let pace = Pace::new(api.requests_per_second);
        Ok(Self { http: http::client(api)?, timeout: api.timeout, pace, held: Mutex::new(None) })
    }

    /// One try. A status is no failure here.
    pub async fn send(
        &self,
        request: RequestBuilder,
        to: Endpoint,
        meter: &Meter,
    ) -> Result<Answer, Failure> {
        self.pace.turn().await;
        if let Some(hold) = self.held() {
            return Err(Failure::Held(hold));
        }
        meter.count_request();
        let sent = request.send().await;
        meter.count_answer(to, sent.as_ref().ok().map(|response| response.status().as_u16()));
        let mut response = sent.map_err(|error| self.failed(&error))?;
        let body = match body_of(&mut response, meter).await {
            // The status has said no; without the body only the server's words are lost.
            Err(_) if !response.status().is_success() => Vec::new(),
            body => body.map_err(|error| self.failed(&error))?,
        };
        let answer = answer(&response, body);
        if let Some(wait) = answer.wait.filter(|_| is_transient(answer.status)) {
            self.hold(wait);
        }
        Ok(answer)
    }

    fn failed(&self, error: &reqwest::Error) -> Failure {
        Trouble::new(NoAnswer::of(error, self.timeout).into()).into()
    }

    fn held(&self) -> Option<Hold> {
        let (until, asked) = (*self.held.lock().unwrap_or_else(PoisonError::into_inner))?;
        let rest = until.saturating_duration_since(Instant::now());
        (!rest.is_zero()).then_some(Hold { asked, rest })
    }

    /// Nothing is sent for so long.
    pub fn hold(&self, asked: Duration) {
        let until = Instant::now() + asked.min(LONGEST_HOLD);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = (*held).max(Some((until, asked)));
    }
}

async fn body_of(response: &mut Response, meter: &Meter) -> Result<Vec<u8>, reqwest::Error> {
    let foretold = response.content_length().unwrap_or(0).min(MOST_FORETOLD);
    let mut body = Vec::with_capacity(usize::try_from(foretold).unwrap_or(0));
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

/// How long an answer with these headers asks to wait.
pub(super) fn wait_of(headers: &HeaderMap) -> Option<Duration> {
    retry_after::asked(headers, date_of(headers))
}

fn date_of(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()
}

fn redirect_of(response: &Response) -> String {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let target: Option<Url> = location.and_then(|location| response.url().join(location).ok());
    match target.map(|url| url.origin()) {
        Some(origin) if origin == response.url().origin() => "another path there".to_owned(),
        Some(origin) if origin.is_tuple() => origin.ascii_serialization(),
        _ => "nowhere".to_owned(),
    }
}
