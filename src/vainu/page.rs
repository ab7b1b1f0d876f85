use std::ops::Range;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::answer::{Answer, Unusable};
use super::json;

/// The rows of one answer, each the JSON text that the server sent.
#[derive(Debug)]
pub struct Page {
    text: String,
    rows: Vec<Range<usize>>,
    date: Option<Timestamp>,
}

impl Page {
    /// The rows in the answer's order. Their grammar is sound; that they are objects is not promised.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &str> {
        self.rows.iter().map(|row| &self.text[row.clone()])
    }

    /// The server's clock when it answered, by its `Date` header.
    #[must_use]
    pub fn date(&self) -> Option<Timestamp> {
        self.date
    }

    pub(super) fn read(answer: Answer) -> Result<Self, Unusable> {
        let date = answer.date;
        let text = json::text(answer.body)?;
        let rows = row_ranges(&text)?;
        Ok(Self { text, rows, date })
    }
}

fn row_ranges(text: &str) -> Result<Vec<Range<usize>>, Unusable> {
    let rows = match json::array(text) {
        Some(rows) => rows,
        None => wrapped_rows(text)?,
    };
    let base = text.as_ptr().addr();
    let range = |row: &RawValue| {
        let start = row.get().as_ptr().addr() - base;
        start..start + row.get().len()
    };
    Ok(rows.into_iter().map(range).collect())
}

fn wrapped_rows(text: &str) -> Result<Vec<&RawValue>, Unusable> {
    let value = json::value(text)?;
    rows_of(value).ok_or_else(|| Unusable::lacks("a list of rows", value))
}

/// A bare array, or the array under `result` or `results`: accounts see one or another.
pub(super) fn rows_of(value: &RawValue) -> Option<Vec<&RawValue>> {
    if let Some(members) = json::members(value) {
        return ["result", "results"].iter().find_map(|key| json::elements(members.get(key)?));
    }
    json::elements(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &[u8]) -> Result<Page, Unusable> {
        Page::read(Answer::ok(body))
    }

    #[test]
    fn rows_are_read_in_all_shapes_byte_for_byte() {
        let rows = [
            r#"{"business_id":"FI1", "turnover":0.1000000000000000055511151231257827}"#,
            r#"{"b":1.0,"a":12345678901234567890,"a":"\ud800"}"#,
            "7",
        ];
        let list = format!("[\n{} ,{},{} ]", rows[0], rows[1], rows[2]);
        let bodies = [
            list.clone(),
            format!("\u{feff}{list}"),
            format!(r#"{{"result":{list},"count":3,"next":null}}"#),
            format!(r#"{{"count":3,"results":{list}}}"#),
            format!(r#"{{"result":null,"results":{list}}}"#),
            format!(r#"{{"result":[1],"result":{list}}}"#),
        ];
        for body in bodies {
            let page = page(body.as_bytes()).unwrap();
            assert_eq!(page.rows().collect::<Vec<_>>(), rows, "{body}");
        }
    }

    #[test]
    fn white_space_that_json_does_not_know_is_no_beginning_of_a_page() {
        assert!(page(" \n[]".as_bytes()).is_ok());
        assert!(page("\u{a0}[]".as_bytes()).is_err());
    }

    #[test]
    fn an_empty_list_is_a_page() {
        for body in ["[]", r#"{"result":[]}"#] {
            assert_eq!(page(body.as_bytes()).unwrap().rows().len(), 0);
        }
    }

    #[test]
    fn an_answer_without_a_list_is_no_page() {
        for body in ["null", "{}", r#"{"result":null}"#, r#"{"result":{"a":[]}}"#, r#""ok""#, "1"] {
            let unusable = page(body.as_bytes()).unwrap_err();
            assert!(matches!(unusable, Unusable::Lacks { .. }), "{body}: {unusable:?}");
        }
    }

    #[test]
    fn an_error_in_a_200_is_quoted() {
        let unusable = page(br#"{"detail":"Query timed out","status_code":504}"#).unwrap_err();
        let Unusable::Lacks { detail, .. } = unusable else { panic!("{unusable:?}") };
        assert_eq!(detail.as_deref(), Some("Query timed out"));
    }

    #[test]
    fn a_broken_body_gives_no_rows_at_all() {
        let bodies: [&[u8]; 6] =
            [b"", b"<html>", b"[{\"a\":1},{\"a\":", b"[{\"a\":1}]]", b"[{\"a\":NaN}]", b"[\"\xe4\"]"];
        for body in bodies {
            let unusable = page(body).unwrap_err();
            assert!(matches!(unusable, Unusable::Broken(_)), "{unusable:?}");
        }
    }
}
