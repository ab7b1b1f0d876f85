//! Reading the file of an export.

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::lines::{Line, Lines};
use super::pages::{Listed, Sink, stored_id};
use super::rows::Read;
use super::way::Way;
use crate::organization::json;
use crate::vainu::{self, Cause, ExportError, ExportFile, Part};

/// Ids that may be asked for at once after an export: an export has no page to learn that from.
const ASKED_AT_ONCE: usize = 100;

/// Rows and bytes that are handed on together.
const ROWS_AT_ONCE: usize = 500;
const BYTES_AT_ONCE: usize = 1 << 20;

/// How much of a file that is none an error shows, in bytes.
const SHOWN: usize = 60;

/// Reads an export to its end and hands its rows to `sink`, each once, though its download breaks off: what
/// was handed on is passed over when it comes again the same. `first_answer` is the server's time at its
/// submission; where a count has `expected` rows, a file without any is asked for once more.
///
/// # Errors
/// What could not be had of the API or of the download's host.
pub async fn read<S: Sink>(
    file: &mut ExportFile<'_>,
    first_answer: Option<Timestamp>,
    expected: Option<u64>,
    sink: &mut S,
) -> Result<Listed, vainu::Error> {
    let mut reading = Reading { may_be_empty: expected == Some(0), ..Reading::new(first_answer) };
    loop {
        let (taken, is_end) = match file.next().await? {
            Part::Bytes(bytes) => (reading.take(bytes), false),
            Part::End => (reading.end(), true),
            Part::Anew => {
                reading.begin_anew();
                continue;
            }
        };
        match taken {
            Ok(()) => {}
            Err(Useless::Again(cause)) => {
                file.anew(cause).await?;
                reading.begin_anew();
                continue;
            }
            Err(Useless::Twice { place }) => {
                return Err(ExportError::NotLines { host: file.host().to_owned(), place }.into());
            }
        }
        if is_end || reading.is_full() {
            let goes_on = sink.take(reading.hand_on()).await;
            if is_end || !goes_on {
                return Ok(reading.listed);
            }
        }
    }
}

/// Why what has come of a file is of no use.
#[derive(Debug)]
enum Useless {
    /// Another download may help.
    Again(Cause),
    /// It was the same as the last time.
    Twice { place: String },
}

/// How far a pass over the file is, and what it has passed.
#[derive(Debug, Clone, Default)]
struct Place {
    lines: u64,
    digest: Sha256,
}

impl Place {
    fn pass(&mut self, line: &Line) {
        self.lines += 1;
        self.digest.update(&line.bytes);
        self.digest.update(b"\n");
    }

    fn digest(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }
}

/// The reading of one file, in as many passes as it takes. Pure.
#[derive(Debug)]
struct Reading {
    lines: Lines,
    here: Place,
    bytes: usize,
    /// Up to where rows were handed on.
    handed: Place,
    /// A file without a row need not be asked for again.
    may_be_empty: bool,
    /// Of a file that is none, or whose last line is torn.
    last_broken: Option<[u8; 32]>,
    rows: Vec<Read>,
    rows_bytes: usize,
    listed: Listed,
}

impl Reading {
    fn new(first_answer: Option<Timestamp>) -> Self {
        Self {
            lines: Lines::default(),
            here: Place::default(),
            bytes: 0,
            handed: Place::default(),
            may_be_empty: false,
            last_broken: None,
            rows: Vec::new(),
            rows_bytes: 0,
            listed: Listed {
                by: Way::Export,
                rows: 0,
                end: Ok(()),
                first_answer,
                first_page: ASKED_AT_ONCE,
                first_id: None,
                last_id: None,
            },
        }
    }

    fn take(&mut self, mut bytes: Bytes) -> Result<(), Useless> {
        self.bytes += bytes.len();
        while let Some(line) = self.lines.next(&mut bytes) {
            self.line(&line)?;
        }
        Ok(())
    }

    /// All has come: the last line may lack its newline. One that is torn too may have lost more than that,
    /// unless it comes a second time the same.
    fn end(&mut self) -> Result<(), Useless> {
        if let Some(line) = self.lines.rest() {
            if line.is_torn() && !self.is_known_as_broken(&line) {
                return Err(Useless::Again(not_json(self.bytes, &line)));
            }
            self.line(&line)?;
        }
        if self.listed.rows == 0 && !std::mem::replace(&mut self.may_be_empty, true) {
            return Err(Useless::Again(Cause::Lacks { what: "a row", detail: None }));
        }
        if self.here.lines < self.handed.lines { Err(self.changed()) } else { Ok(()) }
    }

    fn line(&mut self, line: &Line) -> Result<(), Useless> {
        self.here.pass(line);
        if self.here.lines == self.handed.lines && self.here.digest() != self.handed.digest() {
            return Err(self.changed());
        }
        let Some(content) = line.content() else { return Ok(()) };
        if self.listed.rows == 0 {
            self.check_begin(line, content)?;
        }
        self.listed.rows += 1;
        if self.here.lines > self.handed.lines {
            self.keep(line);
        }
        Ok(())
    }

    /// Looks whether these are rows at all: a proxy's page, an array or an error would be set aside line by
    /// line, and so many rejects pass for rows.
    fn check_begin(&mut self, line: &Line, content: &[u8]) -> Result<(), Useless> {
        if content[0] == b'[' && self.is_known_as_broken(line) {
            return Err(Useless::Twice { place: excerpt(content) });
        }
        if content[0] != b'{' {
            return Err(Useless::Again(not_json(0, line)));
        }
        match error_in(content) {
            Some(detail) => Err(Useless::Again(Cause::Lacks { what: "a row", detail: Some(detail) })),
            None => Ok(()),
        }
    }

    fn keep(&mut self, line: &Line) {
        let Some(row) = line.row() else { return };
        if let Some(id) = stored_id(&row) {
            self.listed.first_id.get_or_insert_with(|| id.clone());
            self.listed.last_id = Some(id);
        }
        self.rows.push(row);
        self.rows_bytes += line.bytes.len();
    }

    /// What was handed on is not what comes now: every row is handed on again, which changes nothing for
    /// those that are the same.
    fn changed(&mut self) -> Useless {
        self.handed = Place::default();
        (self.listed.first_id, self.listed.last_id) = (None, None);
        Useless::Again(Cause::Lacks { what: "the rows that came before it broke off", detail: None })
    }

    /// Whether the file was as broken the last time; from now on it is known.
    fn is_known_as_broken(&mut self, line: &Line) -> bool {
        let mut place = self.here.clone();
        place.pass(line);
        let digest = Some(place.digest());
        std::mem::replace(&mut self.last_broken, digest) == digest
    }

    fn begin_anew(&mut self) {
        self.lines = Lines::default();
        self.here = Place::default();
        self.bytes = 0;
        self.rows.clear();
        self.rows_bytes = 0;
        self.listed.rows = 0;
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= ROWS_AT_ONCE || self.rows_bytes >= BYTES_AT_ONCE
    }

    fn hand_on(&mut self) -> Vec<Read> {
        if self.here.lines > self.handed.lines {
            self.handed = self.here.clone();
        }
        self.rows_bytes = 0;
        std::mem::take(&mut self.rows)
    }
}

/// The server's words, where a file begins with an error in place of a row.
fn error_in(content: &[u8]) -> Option<String> {
    let members = json::members(std::str::from_utf8(content).ok()?)?;
    let detail = members.get("detail").filter(|_| !members.contains_key("business_id"))?;
    Some(excerpt(detail.get().as_bytes()))
}

fn not_json(offset: usize, line: &Line) -> Cause {
    Cause::NotJson { offset, place: excerpt(&line.bytes) }
}

/// The begin of what came, in short and on one line.
fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
