//! A run, and what was remembered of its query around it.

use sqlx::FromRow;
use vainu_sync::run::{Order, Report};

/// What is remembered of a query.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Standing {
    pub definition: Option<String>,
    pub watermark: Option<String>,
    pub last_full_at: Option<String>,
    pub held: Option<String>,
    pub export: Option<String>,
    #[sqlx(try_from = "i64")]
    pub members: Number,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number(pub usize);

impl TryFrom<i64> for Number {
    type Error = std::num::TryFromIntError;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        usize::try_from(number).map(Self)
    }
}

/// A line of `runs`.
#[derive(Debug, Clone, FromRow)]
pub struct RunLine {
    pub id: i64,
    pub mode: String,
    pub fetch: String,
    pub started_at: String,
    pub window_end: Option<String>,
}

/// A run that came to its end.
#[derive(Debug)]
pub struct Ran {
    /// Its place in [`NAMES`].
    pub query: usize,
    pub definition: String,
    pub order: Order,
    pub before: Standing,
    pub after: Standing,
    pub line: RunLine,
    pub report: Report,
}

impl Ran {
    pub fn is_full(&self) -> bool {
        self.line.mode == "full"
    }

    /// Whether it may have read an export of another day.
    pub fn may_be_outdated(&self) -> bool {
        self.before.export.is_some() && self.line.fetch == "export"
    }
}
