//! The rows of a list, in one pass over its text.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::json;
use super::members::Entries;
use super::row::{Read, Row, id_of};

/// The rows of `list`, each as [`Row::parse`] reads it; `None` where it is no JSON array.
#[must_use]
pub fn rows(list: &str) -> Option<Vec<Read>> {
    at_once(list).or_else(|| one_by_one(list))
}

/// The plain way: the list is split, then each row is read.
fn one_by_one(list: &str) -> Option<Vec<Read>> {
    let rows: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    Some(rows.into_iter().map(|row| Row::parse(row.get())).collect())
}

/// The same in one pass; `None` unless all elements are objects that show where they begin and end.
fn at_once(list: &str) -> Option<Vec<Read>> {
    let objects: Vec<Entries> = serde_json::from_str(list).ok()?;
    objects.iter().map(|object| object.read(list)).collect()
}

impl Entries<'_> {
    fn read(&self, list: &str) -> Option<Read> {
        let text = self.text(list)?;
        let is_plain = !json::has_escaped_halves(text) && !json::too_deep(text);
        let id = || id_of(self).ok();
        let row = is_plain.then(id).flatten().map(|id| Ok(Row::of(id, text, self)));
        Some(row.unwrap_or_else(|| Row::parse(text)))
    }

    /// The text of the object, found from its first key and its last value; `None` where that key had to be
    /// unescaped, or there is none.
    fn text<'a>(&self, rows: &'a str) -> Option<&'a str> {
        let place = |part: &str| part.as_ptr().addr() - rows.as_ptr().addr();
        let ((Cow::Borrowed(first), _), (_, last)) = (self.0.first()?, self.0.last()?) else { return None };
        let before = rows[..place(first)].strip_suffix('"')?.trim_ascii_end();
        let start = before.strip_suffix('{')?.len();
        let end = place(last.get()) + last.get().len();
        let rest = rows[end..].trim_ascii_start().strip_prefix('}')?;
        Some(&rows[start..rows.len() - rest.len()])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_are_the_same_in_one_pass_as_one_by_one() {
        let deep = format!(r#"{{"business_id":"FI1","a":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        let lists = [
            r#"[{"business_id":"FI1","n":1.0}]"#,
            " [ { \"n\" : [1, 2] ,\n\"business_id\" : \"FI1\"\t} ,{\"business_id\":\"FI2\"} ]\n",
            r#"[{"business_id":"FI1","business_id":"FI2"},{"business_id":"FI3","business\u005fid":"FI4"}]"#,
            r#"[{"\u0062usiness_id":"FI1"}]"#,
            r#"[{"business_id":"FI1","t":"\ud83d"},{"business_id":"FI\ud83d"},{"\ud83d":1,"business_id":"FI2"}]"#,
            r#"[{"business_id":"F\u00c5 }","x":{"business_id":"no"}}]"#,
            r#"[{},7,null,[],"{",{"business_id":""},{"business_id":null},{"business_id":7},{"a":1}]"#,
            &format!("[{deep},{{\"business_id\":\"FI2\"}}]"),
            "[]",
        ];
        for list in lists {
            assert_eq!(rows(list), one_by_one(list), "{list}");
            assert!(one_by_one(list).is_some(), "{list}");
        }
        for no_list in ["{}", "[1,]", "[{\"a\":NaN}]", "[] []", "[{\"business_id\":\"FI1\"}", "\u{a0}[]", ""]
        {
            assert_eq!(rows(no_list), None, "{no_list}");
        }
    }

    #[test]
    fn common_rows_are_read_in_one_pass() {
        let read = at_once(r#"[{"business_id":"FI1","a":"\"}"}, { "b":{"c":[]} , "business_id":"FI2" }]"#);
        let texts: Vec<String> =
            read.unwrap().into_iter().map(|row| row.unwrap().text().to_owned()).collect();
        assert_eq!(
            texts,
            [r#"{"business_id":"FI1","a":"\"}"}"#, r#"{ "b":{"c":[]} , "business_id":"FI2" }"#]
        );
    }

    /// Texts that are lists of objects, nearly.
    fn nearly_lists() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            " ",
            "\n",
            "\"business_id\"",
            "\"a\"",
            "\"\\u0061\"",
            "\"FI1\"",
            "\"\\ud83d\"",
            "\"\\\"}\"",
            "1.0",
            "null",
            "{\"business_id\":\"FI2\"}",
            "{ \"a\" : {\"b\":[]} , \"business_id\":\"FI3\" }",
            "ä",
        ]);
        prop::collection::vec(part, 0..12).prop_map(|parts| format!("[{}]", parts.concat()))
    }

    proptest! {
        #[test]
        fn any_text_is_read_alike_both_ways(list in nearly_lists()) {
            let (at_once, plain) = (rows(&list), one_by_one(&list));
            prop_assert_eq!(&at_once, &plain);
            for row in at_once.iter().flatten().flatten() {
                prop_assert_eq!(format!("{:?}", row.members()), format!("{:?}", row.parsed()));
            }
        }
    }
}
