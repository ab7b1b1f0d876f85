//! `[[feeds]]` after validation.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use super::Secret;
use crate::organization::JsonPath;

/// One `[[feeds]]` table.
#[derive(Debug, Clone)]
pub struct Feed {
    /// `[a-z0-9-]`, unique.
    pub name: String,
    /// Names of queries in the same file, one at least and none twice.
    pub queries: Vec<String>,
    pub format: Format,
    pub directory: PathBuf,
    pub content: Content,
    /// How long its files are kept.
    pub keep_files: Duration,
    /// How large one file may be.
    pub limits: Limits,
    pub removals: Removals,
    /// Who is told of each new file.
    pub after: Option<After>,
    pub webhook: Option<Webhook>,
    /// In the order of the file, one at least.
    pub columns: Vec<Column>,
}

impl Feed {
    /// The ways in which its files are handed over.
    #[must_use]
    pub fn ways(&self) -> Vec<&'static str> {
        let after = self.after.is_some().then_some(After::WAY);
        after.into_iter().chain(self.webhook.is_some().then_some(Webhook::WAY)).collect()
    }
}

/// How large one file of a feed may be: what goes beyond comes in another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    pub rows: Option<u32>,
    pub bytes: Option<u64>,
}

/// What becomes of who is no member any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removals {
    /// A row among the others, whose `change` is `remove`.
    Rows,
    /// A row in a file of its own, after those with members.
    Files,
}

/// A command that is run after each new file.
#[derive(Debug, Clone)]
pub struct After {
    /// The program and its arguments, before the manifest's path.
    pub command: Vec<String>,
    pub timeout: Duration,
    /// What it gets of the program's own environment.
    pub environment: Vec<(&'static str, OsString)>,
}

impl After {
    pub const WAY: &str = "after";
}

/// A web address that each new file is told to.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// A secret too: who knows it can be one that may write there.
    pub url: SecretString,
    /// What its messages are signed with.
    pub secret: Secret,
}

impl Webhook {
    pub const WAY: &str = "webhook";

    /// What stands before a secret.
    pub const PREFIX: &str = "whsec_";

    /// The bytes that a secret stands for, by the Standard Webhooks.
    ///
    /// # Errors
    /// What is right, where it is none.
    pub fn key(secret: &SecretString) -> Result<Vec<u8>, String> {
        let text = secret.expose_secret();
        let reason =
            || "is no secret of a webhook; write whsec_ and 24 to 64 random bytes in base64".to_owned();
        let bytes = STANDARD.decode(text.strip_prefix(Self::PREFIX).unwrap_or(text)).map_err(|_| reason())?;
        if (24..=64).contains(&bytes.len()) { Ok(bytes) } else { Err(reason()) }
    }
}

/// How a feed's files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    Csv(Csv),
    /// One JSON object a line.
    Jsonl,
}

/// The options of a CSV file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csv {
    /// No quote, line break or NUL.
    pub delimiter: char,
    /// `\r\n` instead of `\n`.
    pub crlf: bool,
    /// Whether the file begins with a byte order mark.
    pub bom: bool,
    /// What stands for null, an absent key, an empty text and an empty list.
    pub null: String,
    /// What stands between the elements of a list.
    pub join: String,
    /// Whether texts that a spreadsheet would take for a formula get an apostrophe in front.
    pub spreadsheet_safe: bool,
}

/// What a new file of a feed holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The rows that differ from what was written before.
    Delta,
    /// Every member.
    Snapshot,
}

impl Content {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delta => "delta",
            Self::Snapshot => "snapshot",
        }
    }
}

/// A column of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub header: String,
    pub path: JsonPath,
}
