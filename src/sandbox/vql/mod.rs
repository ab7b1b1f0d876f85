//! VQL, as far as the public documentation shows it: parsed once per request, asked of many rows.

mod compare;
mod matches;
mod parse;

pub use matches::{Row, TextRow};
pub use parse::{Rules, parse};

use compare::Test;

/// A parsed query.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Compare {
        path: Vec<String>,
        test: Test,
    },
    /// One subdocument at `path` must satisfy the query, whose paths are relative to it.
    Match {
        path: Vec<String>,
        inner: Box<Filter>,
    },
}

impl Filter {
    /// The filter that every row satisfies.
    #[must_use]
    pub const fn everything() -> Self {
        Self::All(Vec::new())
    }
}
