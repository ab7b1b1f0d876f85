use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::super::answer::{Answer, Unusable};
use super::super::json;

/// Where neither the answer nor the token tells its life; Vainu's documents and its own client say an hour.
const ASSUMED_LIFE: Duration = Duration::from_hours(1);
/// More is not believed; a token that ends earlier draws a 401, which renews it as well.
const LONGEST_LIFE: Duration = Duration::from_hours(24 * 30);
const MARGIN: Duration = Duration::from_mins(1);

/// An access token.
pub(in crate::vainu) struct Access {
    /// `Bearer …`, marked as sensitive.
    pub header: HeaderValue,
    due: Instant,
    /// Whether a request has succeeded with it.
    served: AtomicBool,
}

impl Access {
    /// Whether it is to be renewed before another request.
    pub fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    /// Notes that a request has succeeded with it.
    pub fn note_served(&self) {
        self.served.store(true, Ordering::Release);
    }

    /// Whether it was good once: then a 401 says no more than that it has ended.
    pub fn has_served(&self) -> bool {
        self.served.load(Ordering::Acquire)
    }
}

/// What a token endpoint gives.
pub(super) struct Granted {
    pub access: Access,
    /// A new refresh token; the one that was spent may be void from now on.
    pub refresh: Option<SecretString>,
}

/// Reads the answer of a token endpoint, asked at `asked_at`, whose access token is under `key`. Nothing of
/// it is ever quoted.
pub(super) fn read(answer: Answer, key: &str, asked_at: Instant) -> Result<Granted, Unusable> {
    let text = json::text(answer.body).map_err(unquoted)?;
    let value = json::value(&text).map_err(unquoted)?;
    granted(value, key, asked_at).ok_or(Unusable::Lacks { what: "an access token", detail: None })
}

fn unquoted(mut broken: json::Break) -> Unusable {
    broken.place.clear();
    broken.into()
}

fn granted(value: &RawValue, key: &str, asked_at: Instant) -> Option<Granted> {
    let members = json::members(value)?;
    let text = |key: &str| members.get(key).and_then(json::string).filter(|text| !text.is_empty());
    let token = text(key)?;
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    let life = life(members.get("expires_in"), &token);
    let access =
        Access { header, due: asked_at + life - MARGIN.min(life / 4), served: AtomicBool::new(false) };
    Some(Granted { access, refresh: text("refresh").map(SecretString::from) })
}

/// How long an access token lives: what the answer says, else what the token says, else an hour.
fn life(expires_in: Option<&RawValue>, token: &str) -> Duration {
    let life = expires_in.and_then(seconds).or_else(|| Claims::of(token)?.span());
    life.unwrap_or(ASSUMED_LIFE).min(LONGEST_LIFE)
}

/// A positive number of seconds, or a text of its digits.
fn seconds(value: &RawValue) -> Option<Duration> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = match json::string(value) {
        Some(text) if digits(text.trim()) => text.trim().to_owned(),
        Some(_) => return None,
        None => value.get().to_owned(),
    };
    let seconds: f64 = text.parse().ok().filter(|seconds| *seconds > 0.0)?;
    Some(Duration::from_secs_f64(seconds.min(LONGEST_LIFE.as_secs_f64())))
}

/// What a JWT says of its own time, in seconds since 1970. Its signature is the server's business.
#[derive(Deserialize)]
struct Claims {
    exp: Option<f64>,
    iat: Option<f64>,
}

impl Claims {
    fn of(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&json).ok()
    }

    fn span(&self) -> Option<Duration> {
        let seconds = self.exp? - self.iat?;
        let seconds = (seconds > 0.0).then(|| seconds.min(LONGEST_LIFE.as_secs_f64()))?;
        Some(Duration::from_secs_f64(seconds))
    }
}

/// When a token ends, in seconds since 1970. `None` unless it is a JWT that tells its end (`exp`).
pub(super) fn end(token: &SecretString) -> Option<i64> {
    let exp = Claims::of(token.expose_secret())?.exp?;
    #[expect(clippy::cast_possible_truncation, reason = "an absurd end is as good as a far one")]
    let end = exp as i64;
    Some(end)
}

/// Whole days from `now` until `end`, negative once it has come.
pub(super) fn days_until(end: i64, now: Timestamp) -> i64 {
    end.saturating_sub(now.as_second()).div_euclid(86_400)
}

/// Whole days from `now` until a refresh token ends, negative once it has. `None` unless it is a JWT that
/// tells its end (`exp`).
#[must_use]
pub fn days_left(token: &SecretString, now: Timestamp) -> Option<i64> {
    end(token).map(|end| days_until(end, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[track_caller]
    fn life_by(expires_in: &str, token: &str) -> u64 {
        life(Some(serde_json::from_str(expires_in).unwrap()), token).as_secs()
    }

    #[test]
    fn a_life_that_is_no_positive_number_counts_as_absent() {
        let token = jwt(r#"{"iat":1000,"exp":1700}"#);
        for strange in ["0", "-1", "null", "true", "\"\"", "\"soon\"", "\"-5\"", "\"inf\"", "[]", "{}"] {
            assert_eq!(life_by(strange, &token), 700, "{strange}");
        }
        for (plain, seconds) in [("3600", 3600), ("\"3600\"", 3600), ("3599.5", 3599), ("2", 2)] {
            assert_eq!(life_by(plain, &token), seconds, "{plain}");
        }
    }

    #[test]
    fn a_huge_life_is_capped() {
        for huge in ["18446744073709551615", "99999999999999999999999", "1e400", "\"18446744073709551616\""] {
            assert_eq!(life_by(huge, "opaque"), LONGEST_LIFE.as_secs(), "{huge}");
        }
        assert_eq!(life(None, &jwt(r#"{"iat":0,"exp":1e300}"#)), LONGEST_LIFE);
    }

    #[test]
    fn a_token_that_tells_no_life_is_taken_to_live_an_hour() {
        let tokens =
            ["opaque", "a.b.c", "", "..", &jwt("[]"), &jwt(r#"{"exp":5}"#), &jwt(r#"{"iat":9,"exp":5}"#)];
        for token in tokens {
            assert_eq!(life(None, token), ASSUMED_LIFE, "{token}");
        }
    }

    #[test]
    fn a_token_is_renewed_a_minute_before_its_end_or_a_quarter_of_its_life() {
        for (expires_in, due) in [(3600, 3_540_000), (240, 180_000), (2, 1_500), (1, 750)] {
            let start = Instant::now();
            let body = format!(r#"{{"access":"first","access":"t","expires_in":{expires_in}}}"#);
            let access = read(Answer::ok(body.as_bytes()), "access", start).ok().unwrap().access;
            assert_eq!(access.header, "Bearer t");
            assert!(!access.is_due(start + Duration::from_millis(due - 1)), "{expires_in}");
            assert!(access.is_due(start + Duration::from_millis(due)), "{expires_in}");
        }
    }

    #[test]
    fn nothing_of_a_token_answer_is_quoted() {
        let bodies = [
            r#"{"access":"hush","expires_in":NaN}"#,
            r#"{"detail":"hush"}"#,
            r#"{"access":"hush\n"}"#,
            "hush",
        ];
        for body in bodies {
            let unusable = read(Answer::ok(body.as_bytes()), "access", Instant::now()).err().unwrap();
            assert!(!format!("{unusable:?}").contains("hush"), "{unusable:?}");
        }
    }

    #[test]
    fn days_are_told_for_a_jwt_only() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let days = |token: &str| days_left(&SecretString::from(token), now);
        assert_eq!(days(&jwt(r#"{"exp":1259199}"#)), Some(2));
        assert_eq!(days(&jwt(r#"{"exp":999999}"#)), Some(-1));
        assert_eq!(days("opaque"), None);
    }
}
