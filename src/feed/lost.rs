//! The ids in files that a store wrote which has since been lost: it was restored from a backup, or begun anew.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::FeedError;
use crate::organization::json::{members, text_of};
use crate::store::FeedPass;

/// Ids that are looked up at once.
const BATCH: usize = 1000;

/// Who was told of and is no member, as far as the files were read.
pub struct Lost<'a> {
    queries: &'a [i64],
    /// Not looked up yet.
    open: BTreeSet<String>,
    strangers: BTreeSet<String>,
}

/// What one row of an earlier file told.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    is_removal: bool,
    id: String,
}

impl<'a> Lost<'a> {
    pub fn new(queries: &'a [i64]) -> Self {
        Self { queries, open: BTreeSet::new(), strangers: BTreeSet::new() }
    }

    /// Reads one file. What is no file of ours is passed over.
    pub async fn read(&mut self, path: &Path, pass: &mut FeedPass<'_>) -> Result<(), FeedError> {
        let failed = |error: &io::Error| FeedError::of(path, error);
        let file = File::open(path).map_err(|error| failed(&error))?;
        let mut rows =
            Rows::of(BufReader::with_capacity(256 * 1024, file)).map_err(|error| failed(&error))?;
        while let Some(told) = rows.next().map_err(|error| failed(&error))? {
            if told.is_removal {
                self.open.remove(&told.id);
                self.strangers.remove(&told.id);
            } else {
                self.open.insert(told.id);
            }
            if self.open.len() >= BATCH {
                self.look_up(pass).await?;
            }
        }
        Ok(())
    }

    /// Whom the files that were read tell of and who is no member.
    pub async fn strangers(mut self, pass: &mut FeedPass<'_>) -> Result<BTreeSet<String>, FeedError> {
        self.look_up(pass).await?;
        Ok(self.strangers)
    }

    async fn look_up(&mut self, pass: &mut FeedPass<'_>) -> Result<(), FeedError> {
        let open = std::mem::take(&mut self.open).into_iter().collect();
        self.strangers.extend(pass.strangers(self.queries, open).await?);
        Ok(())
    }
}

/// The rows of a file, whatever options it was written with.
struct Rows<R> {
    reader: R,
    /// `None`: JSON lines.
    delimiter: Option<char>,
    /// What of the file was read to tell its form.
    first: Option<String>,
}

impl<R: BufRead> Rows<R> {
    fn of(mut reader: R) -> io::Result<Self> {
        let first = record(&mut reader)?.unwrap_or_default();
        let first = first.strip_prefix('\u{FEFF}').unwrap_or(&first).to_owned();
        if first.starts_with('{') {
            return Ok(Self { reader, delimiter: None, first: Some(first) });
        }
        // A header: what follows its first cell is the delimiter.
        let rest = first.strip_prefix("\"change\"").or_else(|| first.strip_prefix("change"));
        let delimiter = rest.and_then(|rest| rest.chars().next());
        Ok(Self { reader, delimiter, first: None })
    }

    fn next(&mut self) -> io::Result<Option<Told>> {
        loop {
            let read = match self.first.take() {
                Some(first) => Some(first),
                None => record(&mut self.reader)?,
            };
            let Some(record) = read else { return Ok(None) };
            if let Some(told) = self.told(&record) {
                return Ok(Some(told));
            }
        }
    }

    fn told(&self, record: &str) -> Option<Told> {
        let (change, id) = if let Some(delimiter) = self.delimiter {
            let (change, rest) = cell(record, delimiter);
            (change, cell(rest, delimiter).0)
        } else {
            let row = members(record)?;
            (text_of(row.get("change")?.get())?, text_of(row.get("business_id")?.get())?)
        };
        let is_removal = change == "remove";
        ((is_removal || change == "upsert") && !id.is_empty()).then_some(Told { is_removal, id })
    }
}

/// The next record with its line break: quotes come in pairs within one.
fn record(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let is_json = reader.fill_buf()?.first() == Some(&b'{');
    let (mut is_open, mut looked_at) = (false, 0);
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        is_open ^= bytes[looked_at..].iter().fold(false, |odd, byte| odd ^ (*byte == b'"'));
        looked_at = bytes.len();
        if is_json || !is_open {
            break;
        }
    }
    Ok((!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The first cell of a record, and what follows its delimiter.
fn cell(record: &str, delimiter: char) -> (String, &str) {
    let Some(quoted) = record.strip_prefix('"') else {
        let end = record.find([delimiter, '\r', '\n']).unwrap_or(record.len());
        return (record[..end].to_owned(), record[end..].strip_prefix(delimiter).unwrap_or_default());
    };
    let (mut text, mut rest) = (String::new(), quoted);
    while let Some((before, after)) = rest.split_once('"') {
        text.push_str(before);
        rest = after;
        match rest.strip_prefix('"') {
            Some(after) => {
                text.push('"');
                rest = after;
            }
            None => break,
        }
    }
    (text, rest.strip_prefix(delimiter).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Csv;

    fn told(text: &str) -> Vec<String> {
        let mut rows = Rows::of(text.as_bytes()).unwrap();
        std::iter::from_fn(|| rows.next().unwrap())
            .map(|told| format!("{}{}", if told.is_removal { "-" } else { "+" }, told.id))
            .collect()
    }

    #[test]
    fn the_ids_of_a_file_are_read_whatever_it_was_written_with() {
        for delimiter in [',', ';', '\t', '§', 'e', 'c'] {
            for (crlf, bom) in [(true, true), (false, false)] {
                let csv = Csv {
                    delimiter,
                    crlf,
                    bom,
                    null: String::new(),
                    join: String::new(),
                    spreadsheet_safe: false,
                };
                let text = [
                    csv.head(["change", "business_id", "N", "changed_at"]),
                    csv.line(["upsert", "FI 1", "upsert,FI9\r\n\"remove;FI1\"", "x"]),
                    csv.line(["remove", "F,I;\"2\"\te", "", "x"]),
                    csv.line(["upsert", "FI3", "\r", "x"]),
                ];
                assert_eq!(told(&text.concat()), ["+FI 1", "-F,I;\"2\"\te", "+FI3"], "{delimiter:?}");
            }
        }
        let json = "{\"change\":\"upsert\",\"business_id\":\"FI\\u00e4\\\"\"}\n{\"change\":\"remove\",\"business_id\":\"x\"}\n";
        assert_eq!(told(json), ["+FIä\"", "-x"]);
    }

    #[test]
    fn what_is_no_file_of_ours_tells_of_nobody() {
        for text in
            ["", "\n", "a,b\nc,d\n", "change", "{}\nnonsense\n{\"change\":1}\n", "\"", "change,business_id\n"]
        {
            assert_eq!(told(text), Vec::<String>::new(), "{text:?}");
        }
    }
}
