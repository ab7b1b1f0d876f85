use jiff::Timestamp;
use serde_json::value::RawValue;

use super::answer::{Answer, Unusable};
use super::json;
use crate::organization::{self, Read, Row};

/// The rows of one answer.
#[derive(Debug)]
pub struct Page {
    /// In the answer's order, each as the server sent it.
    pub rows: Vec<Read>,
    /// The server's clock when it answered, by its `Date` header.
    pub date: Option<Timestamp>,
}

impl Page {
    /// The text of each row.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|row| row.as_ref().map_or_else(|row| &*row.text, Row::text))
    }

    pub(super) fn read(answer: Answer) -> Result<Self, Unusable> {
        let date = answer.date;
        let text = json::text(answer.body)?;
        let content = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let rows = match organization::rows(content) {
            Some(rows) => rows,
            None => wrapped_rows(&text)?,
        };
        Ok(Self { rows, date })
    }
}

fn wrapped_rows(text: &str) -> Result<Vec<Read>, Unusable> {
    let value = json::value(text)?;
    let list = list_of(value).and_then(|list| organization::rows(list.get()));
    list.ok_or_else(|| Unusable::lacks("a list of rows", value))
}

/// A bare array, or the array under `result` or `results`: accounts see one or another.
pub(super) fn list_of(value: &RawValue) -> Option<&RawValue> {
    let is_list = |value: &&RawValue| value.get().starts_with('[');
    match json::members(value) {
        Some(members) => ["result", "results"].iter().find_map(|key| members.get(key).filter(is_list)),
        None => Some(value).filter(is_list),
    }
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
            assert_eq!(page.texts().collect::<Vec<_>>(), rows, "{body}");
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
            assert_eq!(page(body.as_bytes()).unwrap().rows.len(), 0);
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
