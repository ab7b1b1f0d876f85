use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// How long an answer asks to wait, by its `Retry-After` (RFC 9110, 10.2.3).
///
/// A date is measured against `date`, the answer's own, since the two clocks may differ. `None` where the
/// header is missing, can't be read or names no time to come: our own delay is used then.
pub(super) fn asked(headers: &HeaderMap, date: Option<SystemTime>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = seconds(text).or_else(|| until(text, date?))?;
    (!wait.is_zero()).then_some(wait)
}

fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number past 64 bits is still a request to wait for ever, not an unreadable one.
    digits.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

fn until(text: &str, date: SystemTime) -> Option<Duration> {
    httpdate::parse_http_date(text).ok()?.duration_since(date).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Fri, 27 Feb 2026 12:00:00 GMT";

    fn asked_by(text: &str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
        asked(&headers, httpdate::parse_http_date(DATE).ok())
    }

    #[test]
    fn seconds_are_read_however_many() {
        assert_eq!(asked_by("3600"), Some(Duration::from_hours(1)));
        assert_eq!(asked_by("9999999999"), Some(Duration::from_secs(9_999_999_999)));
        assert_eq!(asked_by("18446744073709551616"), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn a_date_is_measured_against_the_answers_own_date() {
        assert_eq!(asked_by("Fri, 27 Feb 2026 12:01:30 GMT"), Some(Duration::from_secs(90)));
        assert_eq!(asked_by("Friday, 27-Feb-26 12:01:30 GMT"), Some(Duration::from_secs(90)));
    }

    #[test]
    fn a_date_without_the_answers_own_is_not_guessed_at() {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, DATE.parse().unwrap())]);
        assert_eq!(asked(&headers, None), None);
    }

    #[test]
    fn what_is_past_or_unreadable_asks_for_nothing() {
        let texts = [
            "",
            "0",
            "-5",
            "1.5",
            "3, 4",
            "soon",
            DATE,
            "Sat, 31 Feb 2026 00:00:00 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
        ];
        for text in texts {
            assert_eq!(asked_by(text), None, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_ask_for_nothing() {
        let value = reqwest::header::HeaderValue::from_bytes(b"\xe4").unwrap();
        assert_eq!(asked(&HeaderMap::from_iter([(RETRY_AFTER, value)]), None), None);
    }
}
