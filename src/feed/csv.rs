//! CSV as RFC 4180 has it: UTF-8, quotes doubled, and in quotes whatever holds a delimiter, a quote, a CR or a LF.

use serde_json::value::RawValue;

use super::layout::Value;
use crate::config::settings::Csv;
use crate::organization::Found;
use crate::organization::compact::{canonical, compact, without_nul};
use crate::organization::json::{items, text_of};

const BOM: char = '\u{FEFF}';

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

impl Csv {
    /// What stands above the rows.
    pub(super) fn head<'a>(&self, headers: impl IntoIterator<Item = &'a str>) -> String {
        let mut head = String::new();
        if self.bom {
            head.push(BOM);
        }
        head.push_str(&self.line(headers));
        head
    }

    /// One row.
    pub(super) fn line<'a>(&self, cells: impl IntoIterator<Item = &'a str>) -> String {
        let mut line = String::new();
        for (index, cell) in cells.into_iter().enumerate() {
            if index > 0 {
                line.push(self.delimiter);
            }
            self.push_cell(&without_nul(cell), &mut line);
        }
        line.push_str(if self.crlf { "\r\n" } else { "\n" });
        line
    }

    fn push_cell(&self, cell: &str, line: &mut String) {
        if !cell.contains(['"', '\r', '\n', self.delimiter]) {
            return line.push_str(cell);
        }
        line.push('"');
        for (index, part) in cell.split('"').enumerate() {
            if index > 0 {
                line.push_str("\"\"");
            }
            line.push_str(part);
        }
        line.push('"');
    }

    /// The cell of what was found.
    pub(super) fn value(&self, found: &Found<'_>) -> Value {
        match found {
            Found::Nothing => self.null(),
            Found::One(value) => match value.get().as_bytes().first() {
                Some(b'[') => self.list(&items(value.get())),
                Some(b'{') => nested(value.get()),
                _ => self.single(value),
            },
            Found::Many(values) => self.list(&flat(values)),
        }
    }

    fn single(&self, value: &RawValue) -> Value {
        match scalar(value) {
            Some(text) if value.get().starts_with('"') => Value::plain(self.safe(text)),
            Some(number) => Value::plain(number),
            None => self.null(),
        }
    }

    fn list(&self, values: &[&RawValue]) -> Value {
        if values.iter().any(|value| value.get().starts_with(['{', '['])) {
            let values: Vec<&str> = values.iter().map(|value| value.get()).collect();
            return nested(&format!("[{}]", values.join(",")));
        }
        let texts: Vec<String> = values.iter().filter_map(|value| scalar(value)).collect();
        if texts.is_empty() { self.null() } else { Value::plain(self.safe(texts.join(&self.join))) }
    }

    fn null(&self) -> Value {
        Value::plain(self.null.clone())
    }

    fn safe(&self, text: String) -> String {
        if self.spreadsheet_safe && text.starts_with(FORMULA) { format!("'{text}") } else { text }
    }
}

/// An object, or a list that holds one.
fn nested(json: &str) -> Value {
    Value { text: compact(json), compared: Some(canonical(json)) }
}

/// The lists among these, taken apart.
fn flat<'d>(values: &[&'d RawValue]) -> Vec<&'d RawValue> {
    let mut all = Vec::new();
    for value in values {
        if value.get().starts_with('[') { all.extend(items(value.get())) } else { all.push(value) }
    }
    all
}

/// The text of a single value as it came; `None` for null and for no text at all.
fn scalar(value: &RawValue) -> Option<String> {
    let json = value.get();
    let text = if json.starts_with('"') { text_of(json)? } else { json.to_owned() };
    (!text.is_empty() && json != "null").then(|| without_nul(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organization::JsonPath;
    use crate::organization::json::members;

    fn csv() -> Csv {
        Csv {
            delimiter: ',',
            crlf: true,
            bom: false,
            null: "#N/A".into(),
            join: "; ".into(),
            spreadsheet_safe: false,
        }
    }

    fn cell(csv: &Csv, document: &str, path: &str) -> String {
        let members = members(document).unwrap();
        csv.value(&path.parse::<JsonPath>().unwrap().find(&members)).text
    }

    #[test]
    fn what_is_empty_in_any_way_is_the_text_for_null() {
        for document in
            [r#"{"a":null}"#, "{}", r#"{"a":""}"#, r#"{"a":[]}"#, r#"{"a":[null]}"#, r#"{"a":["",null]}"#]
        {
            assert_eq!(cell(&csv(), document, "a"), "#N/A", "{document}");
        }
        assert_eq!(cell(&csv(), r##"{"a":"#N/A"}"##, "a"), "#N/A", "a value that reads the same goes out");
        assert_eq!(cell(&csv(), r#"{"a":" "}"#, "a"), " ");
        assert_eq!(cell(&csv(), r#"{"a":[{"b":""},{}]}"#, "a[].b"), "#N/A");
    }

    #[test]
    fn single_values_come_as_they_are_lists_joined_and_objects_as_json() {
        let document = r#"{"n":-12.50,"big":12345678901234567890,"t":true,"s":"Nordic \"A\"","l":["a",1.0,null,""],
            "o":{ "b" : [1, 2], "a":null },"lo":[ {"x":1} , 2],"u":[{"c":"Oulu","z":["1","2"]},{"c":"Turku"}]}"#;
        for (path, text) in [
            ("n", "-12.50"),
            ("big", "12345678901234567890"),
            ("t", "true"),
            ("s", "Nordic \"A\""),
            ("l", "a; 1.0"),
            ("o", r#"{"b":[1,2],"a":null}"#),
            ("lo", r#"[{"x":1},2]"#),
            ("u[].c", "Oulu; Turku"),
            ("u[].z", "1; 2"),
            ("u[]", r#"[{"c":"Oulu","z":["1","2"]},{"c":"Turku"}]"#),
            ("u[1].c", "Turku"),
        ] {
            assert_eq!(cell(&csv(), document, path), text, "{path}");
        }
    }

    #[test]
    fn cells_are_quoted_where_they_would_break_and_hold_no_nul() {
        for delimiter in [',', ';', '\t', '§'] {
            let csv = Csv { delimiter, crlf: false, ..csv() };
            let line = csv.line(["Nor\rdic", "a\0b", "x,y;z\tw§", "say \"hi\"", "plain", ""]);
            let d = delimiter;
            assert_eq!(
                line,
                format!("\"Nor\rdic\"{d}a\u{FFFD}b{d}\"x,y;z\tw§\"{d}\"say \"\"hi\"\"\"{d}plain{d}\n")
            );
        }
        assert_eq!(csv().line(["a", "b"]), "a,b\r\n");
        assert_eq!(Csv { bom: true, ..csv() }.head(["a", "b"]), "\u{FEFF}a,b\r\n");
    }

    #[test]
    fn a_text_that_a_spreadsheet_would_run_is_made_safe_if_asked_and_a_number_never() {
        let safe = Csv { spreadsheet_safe: true, ..csv() };
        let document =
            r#"{"a":"=cmd|' /C calc'!A0","b":"+358 40","c":-5,"d":"@x","e":"plain","f":["-1","2"]}"#;
        for (path, text) in [
            ("a", "'=cmd|' /C calc'!A0"),
            ("b", "'+358 40"),
            ("c", "-5"),
            ("d", "'@x"),
            ("e", "plain"),
            ("f", "'-1; 2"),
        ] {
            assert_eq!(cell(&safe, document, path), text, "{path}");
        }
        assert_eq!(cell(&csv(), document, "b"), "+358 40");
    }
}
