//! Answers read as JSON text: exact bytes, a repeated key's last value, and where a body is broken.

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::organization::json::{self, Members};

/// How much of a broken body an error shows, in bytes before and after the place.
const AROUND: (usize, usize) = (60, 20);
/// How much of a server's words an error quotes, in characters.
const QUOTED: usize = 300;

/// Where a body is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Break {
    /// In bytes of the body as it came.
    pub offset: usize,
    /// The body around it.
    pub place: String,
    /// Of the whole body, if it begins like JSON; anything else is some proxy's page and means nothing.
    pub digest: Option<[u8; 32]>,
}

/// The body as text, one leading BOM included.
pub(super) fn text(body: Vec<u8>) -> Result<String, Break> {
    String::from_utf8(body).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        broken(error.as_bytes(), offset)
    })
}

/// The one JSON value that `text` is. Only its grammar is checked; numbers of any size and halves of
/// surrogate pairs pass.
pub(super) fn value(text: &str) -> Result<&RawValue, Break> {
    let content = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(content).map_err(|error| {
        let offset = offset(content, error.line(), error.column());
        broken(text.as_bytes(), text.len() - content.len() + offset)
    })
}

/// The elements of an array.
pub(super) fn elements(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

/// The members of an object; of a repeated key the last.
pub(super) fn members(value: &RawValue) -> Option<Members<'_>> {
    json::members(value.get())
}

pub(super) fn string(value: &RawValue) -> Option<String> {
    json::text_of(value.get())
}

/// The server's words about what went wrong: its `detail`, a bare text, or else nothing.
pub(super) fn detail(value: &RawValue) -> Option<String> {
    match members(value) {
        Some(members) => {
            let detail = members.get("detail")?;
            Some(quote(&string(detail).unwrap_or_else(|| detail.get().to_owned())))
        }
        None => string(value).map(|text| quote(&text)),
    }
}

/// Shortened, and on one line.
pub(super) fn quote(text: &str) -> String {
    let mut quoted: String =
        text.trim().chars().take(QUOTED).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.trim().chars().nth(QUOTED).is_some() {
        quoted.push('…');
    }
    quoted
}

/// `serde_json` tells a line and a column from 1, in bytes, and 0 for what stands before a line's first.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before = line.checked_sub(2).and_then(|newlines| text.match_indices('\n').nth(newlines));
    let start = before.map_or(0, |(newline, _)| newline + 1);
    (start + column.saturating_sub(1)).min(text.len())
}

fn broken(body: &[u8], offset: usize) -> Break {
    let from = offset.saturating_sub(AROUND.0);
    let to = body.len().min(offset + AROUND.1);
    let first = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start().first();
    let digest = matches!(first, Some(b'{' | b'[')).then(|| Sha256::digest(body).into());
    Break { offset, place: quote(&String::from_utf8_lossy(&body[from..to])), digest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn break_of(body: &[u8]) -> Break {
        match text(body.to_vec()) {
            Err(broken) => broken,
            Ok(text) => value(&text).unwrap_err(),
        }
    }

    #[test]
    fn a_break_is_told_by_the_byte_where_it_stands() {
        let bodies: [&[u8]; 5] = [
            b"[{\"staff_number\":NaN}]",
            b"\xef\xbb\xbf[{\"staff_number\":NaN}]",
            b"[{\"a\":1},\n{\"staff_number\":\nNaN}]",
            b"[{\"name\":\"\xe4\", \"NaN\": 1}]",
            b"[1] NaN",
        ];
        for body in bodies {
            let at = body.iter().position(|byte| matches!(byte, b'N' | b'\xe4')).unwrap();
            assert_eq!(break_of(body).offset, at, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn a_break_shows_its_place_and_not_the_whole_body() {
        let body = format!("[{}{{\"staff_number\":NaN}}]", "1,".repeat(5000));
        let broken = break_of(body.as_bytes());
        assert!(broken.place.contains("\"staff_number\":NaN"), "{}", broken.place);
        assert!(broken.place.len() < 100, "{}", broken.place);
    }

    #[test]
    fn only_a_body_that_begins_like_json_can_repeat_itself() {
        assert!(break_of(b"\xef\xbb\xbf [1,").digest.is_some());
        assert_eq!(break_of(b"[1,").digest, break_of(b"[1,").digest);
        assert_ne!(break_of(b"[1,").digest, break_of(b"[2,").digest);
        for body in [&b""[..], b"<html>", b"nginx", b"  "] {
            assert_eq!(break_of(body).digest, None, "{body:?}");
        }
    }

    #[test]
    fn deep_nesting_numbers_and_half_surrogates_pass() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for text in [deep.as_str(), "1e400", "12345678901234567890123", r#"["\ud800"]"#] {
            assert_eq!(value(text).unwrap().get(), text);
        }
    }

    #[test]
    fn a_repeated_keys_last_value_counts() {
        let value = value(r#"{"count":1,"count":300}"#).unwrap();
        assert_eq!(members(value).unwrap().get("count").unwrap().get(), "300");
    }

    #[test]
    fn a_servers_words_are_quoted_in_short_and_on_one_line() {
        let detail = |text| super::detail(value(text).unwrap());
        assert_eq!(detail(r#"{"detail":"a\nb"}"#).as_deref(), Some("a b"));
        assert_eq!(
            detail(r#"{"detail":{"limit":["max 100"]}}"#).as_deref(),
            Some(r#"{"limit":["max 100"]}"#)
        );
        assert_eq!(detail(r#""ok""#).as_deref(), Some("ok"));
        assert_eq!(detail("{}"), None);
        assert_eq!(detail("null"), None);
        assert_eq!(quote(&"x".repeat(1000)).chars().count(), QUOTED + 1);
    }
}
