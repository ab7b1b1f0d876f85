//! JSON lines out of bytes as they come, in bounded memory. Pure.

use bytes::{Buf as _, Bytes};
use serde_json::value::RawValue;

use super::rows::Read;
use crate::organization::{Reject, Rejected, Row};

/// The longest row that is taken, in bytes: far more than all fields of a company, and little enough to hold.
const LONGEST: usize = 16 << 20;

/// What is kept of a longer one, in bytes: as much as a reject shows.
const SHOWN: usize = 4096;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Splits bytes at newlines.
#[derive(Debug, Default)]
pub struct Lines {
    partial: Line,
    /// Lines given so far.
    given: u64,
}

/// One line without its newline.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub bytes: Vec<u8>,
    /// It went on.
    is_cut: bool,
    /// A byte order mark may stand before it.
    is_first: bool,
}

impl Lines {
    /// The next line that ends in `bytes`, which are taken off up to there; without one, all are.
    pub fn next(&mut self, bytes: &mut Bytes) -> Option<Line> {
        let newline = memchr::memchr(b'\n', bytes);
        self.partial.extend(&bytes.split_to(newline.unwrap_or(bytes.len())));
        newline?;
        bytes.advance(1);
        Some(self.give())
    }

    /// What stands behind the last newline, if anything does.
    pub fn rest(&mut self) -> Option<Line> {
        (!self.partial.bytes.is_empty()).then(|| self.give())
    }

    fn give(&mut self) -> Line {
        self.given += 1;
        Line { is_first: self.given == 1, ..std::mem::take(&mut self.partial) }
    }
}

impl Line {
    fn extend(&mut self, part: &[u8]) {
        let room = LONGEST - self.bytes.len();
        self.is_cut |= part.len() > room;
        self.bytes.extend_from_slice(&part[..part.len().min(room)]);
    }

    /// The line without white space around it; `None` if that is all there is.
    pub fn content(&self) -> Option<&[u8]> {
        let bytes = if self.is_first { self.bytes.strip_prefix(BOM) } else { None };
        let content = bytes.unwrap_or(&self.bytes).trim_ascii();
        (!content.is_empty()).then_some(content)
    }

    /// Whether it ends in the middle of a row, as the last line of a file does that broke off.
    pub fn is_torn(&self) -> bool {
        self.content().is_some_and(|content| json(content).is_err())
    }

    /// The row that it holds; `None` for a blank one.
    pub fn row(&self) -> Option<Read> {
        let content = self.content()?;
        if self.is_cut {
            return Some(Err(set_aside(
                &content[..content.len().min(SHOWN)],
                Reject::TooLong(LONGEST >> 20),
            )));
        }
        Some(match json(content) {
            Ok(text) => Row::parse(text),
            Err(problem) => Err(set_aside(content, Reject::NotJson(problem))),
        })
    }
}

/// The JSON value that a line is. Only its grammar is checked, as that of a page is.
fn json(content: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(content)
        .map_err(|error| format!("no UTF-8 at byte {} of the line", error.valid_up_to()))?;
    let value: &RawValue = serde_json::from_str(text).map_err(|error| {
        let words = error.to_string();
        let reason = words.split(" at line ").next().unwrap_or_default();
        format!("{reason} at byte {} of the line", error.column().saturating_sub(1))
    })?;
    Ok(value.get())
}

fn set_aside(content: &[u8], reason: Reject) -> Rejected {
    Rejected { reason, id: None, text: String::from_utf8_lossy(content).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `bytes` that come in parts of so many bytes.
    fn lines(bytes: &[u8], part: usize) -> Vec<Line> {
        let mut splitter = Lines::default();
        let mut lines = Vec::new();
        for part in bytes.chunks(part) {
            let mut part = Bytes::copy_from_slice(part);
            while let Some(line) = splitter.next(&mut part) {
                lines.push(line);
            }
        }
        lines.extend(splitter.rest());
        lines
    }

    fn rows(bytes: &[u8], part: usize) -> Vec<Read> {
        lines(bytes, part).iter().filter_map(Line::row).collect()
    }

    fn reason(line: &[u8]) -> String {
        rows(line, 1000)[0].as_ref().unwrap_err().reason.to_string()
    }

    #[test]
    fn rows_are_the_same_in_whatever_parts_they_come() {
        let first = r#"{"business_id":"FI1", "n":1.0}"#;
        let second = "{\"business_id\":\"FI2\",\"name\":\"\u{e4}\u{feff}\"}";
        let ends = ["", "\n", "\r\n", "\n\n \n"];
        for (before, between, after) in ends
            .iter()
            .flat_map(|end| [("\u{feff}", "\n", end), ("", "\r\n", end), ("\n\u{20}", "\n\n", end)])
        {
            let body = format!("{before}{first}{between}{second}{after}");
            for part in [1, 2, 3, 7, 1000] {
                let rows = rows(body.as_bytes(), part);
                let texts: Vec<&str> = rows.iter().map(|row| row.as_ref().unwrap().text()).collect();
                assert_eq!(texts, [first, second], "{body:?} in parts of {part}");
            }
        }
    }

    #[test]
    fn a_line_that_is_no_row_is_set_aside_with_its_place() {
        assert_eq!(reason(b"{\"a\":NaN}"), "not valid JSON: expected value at byte 5 of the line");
        assert_eq!(reason(b"{\"a\":\"\xe4\"}"), "not valid JSON: no UTF-8 at byte 6 of the line");
        assert_eq!(reason(b"{\"a\":1} {"), "not valid JSON: trailing characters at byte 8 of the line");
        assert_eq!(reason(b"[1]"), "not a JSON object");
        assert_eq!(reason(b"{\"a\":1}"), "no business_id");
        let torn = rows(b"{\"business_id\":\"FI1\"}\n{\"a\":\xe4}\n{\"business_id\":\"FI2\"}", 4);
        assert_eq!(torn.iter().filter(|row| row.is_ok()).count(), 2);
        assert_eq!(&*torn[1].as_ref().unwrap_err().text, "{\"a\":\u{fffd}}");
    }

    #[test]
    fn a_row_that_nests_deep_or_repeats_a_key_is_read_as_in_a_page() {
        let deep = format!("{{\"business_id\":\"FI1\",\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(reason(deep.as_bytes()), Reject::TooDeep.to_string());
        let repeated = rows(br#"{"business_id":"FI0","business_id":"FI1"}"#, 9);
        assert_eq!(repeated[0].as_ref().unwrap().id().as_str(), "FI1");
    }

    #[test]
    fn a_line_without_an_end_is_not_held_in_memory() {
        let mut lines = Lines::default();
        let mut endless = Bytes::from(vec![b'x'; LONGEST - 1]);
        for _ in 0..3 {
            assert_eq!(lines.next(&mut endless.clone()), None);
            assert!(lines.partial.bytes.capacity() <= 2 * LONGEST);
        }
        endless = Bytes::from_static(b"\n{\"business_id\":\"FI1\"}\n");
        let rejected = lines.next(&mut endless).unwrap().row().unwrap().unwrap_err();
        assert_eq!(rejected.reason.to_string(), "longer than 16 MiB");
        assert_eq!(rejected.text.len(), SHOWN);
        assert!(lines.next(&mut endless).unwrap().row().unwrap().is_ok());
    }

    #[test]
    fn only_a_line_that_breaks_off_is_torn() {
        let torn = |bytes: &[u8]| lines(bytes, 1000)[0].is_torn();
        assert!(torn(b"{\"business_id\":\"FI"));
        assert!(torn(b"{\"name\":\"\xc3"));
        assert!(!torn(b"{}") && !torn(b"  "));
    }
}
