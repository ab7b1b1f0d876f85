//! From a document to a line of a feed's file, and to the hash that tells whether the line would differ.

use super::hash::hash;
use super::{jsonl, names};
use crate::config::settings::{Feed, Format, Limits};
use crate::organization::compact::without_nul;
use crate::organization::json::{members, quoted};

/// A column of one row.
pub struct Value {
    /// As it is written: a cell, or JSON.
    pub text: String,
    /// What is compared instead, where one value has several texts.
    pub compared: Option<String>,
}

impl Value {
    pub fn plain(text: String) -> Self {
        Self { text, compared: None }
    }
}

/// What a row of a member is.
pub struct Upsert {
    pub line: String,
    /// Of the columns alone.
    pub hash: [u8; 16],
}

/// How the rows of a feed look.
pub struct Layout<'a> {
    feed: &'a Feed,
    /// The columns by their headers: their order in the file is no part of what a row says.
    by_header: Vec<usize>,
}

impl<'a> Layout<'a> {
    #[must_use]
    pub fn of(feed: &'a Feed) -> Self {
        let mut by_header: Vec<usize> = (0..feed.columns.len()).collect();
        by_header.sort_by_key(|index| &feed.columns[*index].header);
        Self { feed, by_header }
    }

    /// What stands above the rows.
    #[must_use]
    pub fn head(&self) -> String {
        match &self.feed.format {
            Format::Csv(csv) => csv.head(self.names()),
            Format::Jsonl => String::new(),
        }
    }

    /// What the file with this number is called.
    #[must_use]
    pub fn file(&self, sequence: i64) -> String {
        names::file(self.feed, sequence)
    }

    #[must_use]
    pub fn limits(&self) -> Limits {
        self.feed.limits
    }

    #[must_use]
    pub fn headers(&self) -> Vec<&'a str> {
        self.feed.columns.iter().map(|column| column.header.as_str()).collect()
    }

    /// The row of a member. A text that is no JSON object, as a hand may have left it, counts as an empty one.
    #[must_use]
    pub fn upsert(&self, id: &str, document: &str, changed_at: &str) -> Upsert {
        let members = members(document).unwrap_or_default();
        let values: Vec<Value> = self
            .feed
            .columns
            .iter()
            .map(|column| {
                let found = column.path.find(&members);
                match &self.feed.format {
                    Format::Csv(csv) => csv.value(&found),
                    Format::Jsonl => jsonl::value(&found),
                }
            })
            .collect();
        let texts: Vec<&str> = values.iter().map(|value| value.text.as_str()).collect();
        Upsert { line: self.line("upsert", id, &texts, changed_at), hash: self.hash(&values) }
    }

    /// The row of an organization that is no member any more.
    #[must_use]
    pub fn remove(&self, id: &str, at: &str) -> String {
        let empty = match self.feed.format {
            Format::Csv(_) => "",
            Format::Jsonl => "null",
        };
        self.line("remove", id, &vec![empty; self.feed.columns.len()], at)
    }

    fn names(&self) -> Vec<&str> {
        framed("change", "business_id", &self.headers(), "changed_at")
    }

    fn line(&self, change: &str, id: &str, values: &[&str], at: &str) -> String {
        match &self.feed.format {
            Format::Csv(csv) => csv.line(framed(change, id, values, at)),
            Format::Jsonl => {
                let (change, id, at) = (quoted(change), quoted(&without_nul(id)), quoted(at));
                jsonl::line(self.names().into_iter().zip(framed(&change, &id, values, &at)))
            }
        }
    }

    fn hash(&self, values: &[Value]) -> [u8; 16] {
        let format = if matches!(self.feed.format, Format::Jsonl) { "jsonl" } else { "csv" };
        let columns = self.by_header.iter().flat_map(|index| {
            let (column, value) = (&self.feed.columns[*index], &values[*index]);
            match &value.compared {
                Some(json) => [column.header.as_str(), "json", json.as_str()],
                None => [column.header.as_str(), "text", value.text.as_str()],
            }
        });
        hash([format].into_iter().chain(columns))
    }
}

/// What every row has, around the columns.
fn framed<'v>(change: &'v str, id: &'v str, columns: &[&'v str], at: &'v str) -> Vec<&'v str> {
    [change, id].into_iter().chain(columns.iter().copied()).chain([at]).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::settings::{Column, Content, Csv, Removals};

    fn feed(format: Format, columns: &[(&str, &str)]) -> Feed {
        let column =
            |(header, path): &(&str, &str)| Column { header: (*header).into(), path: path.parse().unwrap() };
        Feed {
            name: "crm".into(),
            queries: vec!["all".into()],
            format,
            directory: "feeds".into(),
            content: Content::Delta,
            keep_files: Duration::from_secs(1),
            limits: Limits::default(),
            removals: Removals::Rows,
            after: None,
            webhook: None,
            columns: columns.iter().map(column).collect(),
        }
    }

    fn csv() -> Format {
        Format::Csv(Csv {
            delimiter: ',',
            crlf: false,
            bom: false,
            null: String::new(),
            join: "; ".into(),
            spreadsheet_safe: false,
        })
    }

    const AT: &str = "2026-11-28T01:00:00.000Z";

    fn hash(feed: &Feed, document: &str) -> [u8; 16] {
        Layout::of(feed).upsert("FI1", document, AT).hash
    }

    #[test]
    fn rows_have_their_columns_in_the_order_of_the_file() {
        let columns = [("Z", "name"), ("A", "revenue"), ("M", "units[0].city")];
        let document = r#"{"name":"Acme, Oy","revenue":1.50,"units":[{"city":"Turku"}]}"#;
        let of_csv = feed(csv(), &columns);
        let layout = Layout::of(&of_csv);
        assert_eq!(layout.head(), "change,business_id,Z,A,M,changed_at\n");
        let row = layout.upsert("FI1", document, AT).line;
        assert_eq!(row, format!("upsert,FI1,\"Acme, Oy\",1.50,Turku,{AT}\n"));
        assert_eq!(layout.remove("FI1", AT), format!("remove,FI1,,,,{AT}\n"));
        let of_jsonl = feed(Format::Jsonl, &columns);
        let layout = Layout::of(&of_jsonl);
        assert_eq!(layout.head(), "");
        assert_eq!(
            layout.upsert("FI1", document, AT).line,
            format!(
                "{{\"change\":\"upsert\",\"business_id\":\"FI1\",\"Z\":\"Acme, Oy\",\"A\":1.50,\"M\":\"Turku\",\
                 \"changed_at\":\"{AT}\"}}\n"
            )
        );
        assert!(layout.remove("FI1", AT).contains("\"Z\":null,\"A\":null,\"M\":null"));
    }

    #[test]
    fn a_row_differs_by_its_columns_alone_and_never_by_their_spelling() {
        for format in [csv(), Format::Jsonl] {
            let one = feed(format.clone(), &[("A", "a"), ("B", "b")]);
            let first = hash(&one, r#"{"a":{"x":"\u00e4","y":[1.0]},"b":"c","other":1}"#);
            let spelt = r#"{"b":"\u0063","a":{ "y":[ 1.0 ],"z":null,"x":"ä"},"other":2}"#;
            assert_eq!(first, hash(&one, spelt));
            let turned = feed(format.clone(), &[("B", "b"), ("A", "a")]);
            assert_eq!(first, hash(&turned, spelt), "an order of columns is no change");
            let renamed = feed(format, &[("A", "a"), ("C", "b")]);
            assert_ne!(first, hash(&renamed, spelt));
            assert_ne!(first, hash(&one, r#"{"a":{"x":"ä","y":[1]},"b":"c"}"#));
        }
        let columns = [("A", "a"), ("B", "b")];
        assert_ne!(
            hash(&feed(csv(), &columns), r#"{"a":"x"}"#),
            hash(&feed(csv(), &columns), r#"{"b":"x"}"#)
        );
    }
}
