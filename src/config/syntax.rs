//! What is wrong with a text that is no TOML, in words for people who write it by hand.

use toml::de::Error;

/// A place where a text is no TOML.
pub(super) struct SyntaxFault {
    /// Counted from 1.
    pub line: usize,
    /// Never quotes the line: a secret may stand there.
    pub message: String,
}

const TWICE: &str = "duplicate key";

/// The parser's own words (their beginning) and ours.
const TOLD: [(&str, &str); 17] = [
    ("unquoted keys cannot be empty", "a value has no key; write key = value"),
    ("invalid unquoted key", "a key holds more than the letters a to z, digits, _ and -"),
    ("unexpected leading zero", "a number begins with 0; leave the 0 out"),
    ("missing comma between array", "a comma is missing between two elements of a list, or the ] at its end"),
    ("unclosed array table", "the name of a table is not closed; write it as [[queries]]"),
    ("unclosed array", "a list is not closed; write ] after its last element"),
    ("unexpected `=` in array", "a list is not closed; write ] after its last element"),
    ("unclosed table", "the name of a table is not closed; write it as [api]"),
    ("unclosed inline table", "a table in one line is not closed; write } after its last value"),
    ("missing comma between key-value", "a comma is missing between two keys of a table in one line"),
    ("invalid basic string, expected `\"`", "a text is not closed; write a quote at both its ends"),
    ("invalid literal string, expected `'`", "a text is not closed; write a quote at both its ends"),
    ("invalid multi-line", "a text is not closed; write three quotes at both its ends"),
    ("missing escaped value", ESCAPE),
    ("too few unicode", ESCAPE),
    (
        "unexpected key or value",
        "something follows the value; write each key on a line of its own, and text that holds a quote in quotes of the other kind",
    ),
    ("invalid key-value pair", "this is neither a key with its value nor the name of a table"),
];

const NO_VALUE: &str = "a key has no value; write key = value";

const ESCAPE: &str =
    r"a backslash in double quotes begins an escape; write such text in single quotes, as 'C:\data'";

/// The keys that stand twice; or the first place that is no TOML, for what is odd after it is often only its
/// consequence.
pub(super) fn faults(text: &str, errors: &[Error]) -> Vec<SyntaxFault> {
    let begin = |error: &&Error| error.span().map_or(0, |span| span.start);
    match errors.iter().filter(|error| error.message() != TWICE).min_by_key(begin) {
        Some(error) => vec![
            Place::of(error, text).fault(|place| format!("is not TOML: {}", place.told(error.message()))),
        ],
        None => errors.iter().map(|error| Place::of(error, text).fault(Place::twice)).collect(),
    }
}

/// The line, counted from 1, on which the byte at `offset` stands.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).matches('\n').count() + 1
}

/// Where the parser stumbled.
struct Place<'a> {
    line: usize,
    /// What it stumbled on.
    word: &'a str,
    /// Whether the line begins like the name of a table.
    in_header: bool,
}

impl<'a> Place<'a> {
    fn of(error: &Error, text: &'a str) -> Self {
        let span = error.span().unwrap_or(0..0);
        let before = text.get(..span.start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let word = text.get(span.clone()).unwrap_or_default().trim();
        Self { line: line_at(text, span.start), word, in_header: line.trim_start().starts_with('[') }
    }

    fn fault(&self, message: impl FnOnce(&Self) -> String) -> SyntaxFault {
        SyntaxFault { line: self.line, message: message(self) }
    }

    fn told<'m>(&self, message: &'m str) -> &'m str {
        match message {
            _ if message.starts_with("key with no value") => NO_VALUE,
            _ if message.starts_with("invalid unquoted key") && self.word == ":" => {
                "a colon joins no key and value; write key = value"
            }
            _ if is_bare(message) => self.bare(),
            _ => {
                TOLD.iter().find(|(theirs, _)| message.starts_with(theirs)).map_or(message, |(_, ours)| ours)
            }
        }
    }

    fn bare(&self) -> &'static str {
        match self.word {
            "" => NO_VALUE,
            word if word.starts_with(['“', '”', '„', '‘', '’', '«', '»']) => {
                "quotes are straight in TOML; write \" or ' in the place of curly ones"
            }
            word if ["true", "false"].iter().any(|flag| word.eq_ignore_ascii_case(flag)) => {
                "true and false are written in small letters"
            }
            _ if self.in_header => "a list above is not closed; write ] after its last element",
            _ => "a text stands without quotes; write it in quotes, as \"name\"",
        }
    }

    fn twice(&self) -> String {
        match self.word {
            key @ ("queries" | "feeds") => format!(
                "the key {key} stands here a second time; begin each of its tables with [[{key}]], in double brackets"
            ),
            key if self.in_header => {
                format!("the table [{key}] stands here a second time; write all its keys below the first")
            }
            key => format!("the key {key} stands here a second time; keep one of them"),
        }
    }
}

/// Whether the parser saw a value that stands without quotes. It takes `name` for an attempt at `nan`.
fn is_bare(message: &str) -> bool {
    ["string values must be quoted", "invalid float", "invalid boolean"]
        .iter()
        .any(|begin| message.starts_with(begin))
}
