//! `[[feeds]]` with `format = "postgres"` after validation.

use super::{Column, Secret};

/// One `[[feeds]]` table whose rows go into a PostgreSQL database.
#[derive(Debug, Clone)]
pub struct Warehouse {
    /// As of a feed of files; unique among all.
    pub name: String,
    /// Names of queries in the same file, one at least and none twice.
    pub queries: Vec<String>,
    /// The database's address, with its password.
    pub url: Secret,
    pub schema: String,
    /// The table of organizations; the others have longer names that begin so.
    pub table: String,
    pub removals: Departed,
    /// In the order of the file; none: whole documents.
    pub columns: Vec<Column>,
}

impl Warehouse {
    /// The table of organizations, for people.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }

    /// Whether both would write one table.
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        self.place() == other.place() && self.url.is_same(&other.url)
    }
}

/// What becomes of a row whose organization is no member any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departed {
    /// It says since when.
    Marked,
    /// It goes.
    Deleted,
}
