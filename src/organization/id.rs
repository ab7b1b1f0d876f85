use std::fmt;
use std::str::FromStr;

/// A Vainu database, one per country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Database {
    Fi,
    Se,
    No,
    Dk,
    Nl,
}

impl Database {
    pub const ALL: [Self; 5] = [Self::Fi, Self::Se, Self::No, Self::Dk, Self::Nl];

    /// The code that Vainu's API uses: `FI`, `SE`, `NO`, `DK` or `NL`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fi => "FI",
            Self::Se => "SE",
            Self::No => "NO",
            Self::Dk => "DK",
            Self::Nl => "NL",
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The text is no database code of Vainu's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a Vainu database; there are FI, SE, NO, DK and NL")]
pub struct InvalidDatabase;

impl FromStr for Database {
    type Err = InvalidDatabase;

    /// Exact codes only: the API documents no other spelling.
    fn from_str(code: &str) -> Result<Self, InvalidDatabase> {
        Self::ALL.into_iter().find(|database| database.code() == code).ok_or(InvalidDatabase)
    }
}

impl TryFrom<String> for Database {
    type Error = InvalidDatabase;

    fn try_from(code: String) -> Result<Self, InvalidDatabase> {
        code.parse()
    }
}

/// The `business_id` of a row: the key of every upsert. Never empty, otherwise taken as it came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BusinessId(String);

/// The text can't be a `business_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("business_id is empty")]
pub struct InvalidId;

impl BusinessId {
    /// # Errors
    /// If `id` is empty.
    pub fn new(id: String) -> Result<Self, InvalidId> {
        if id.is_empty() { Err(InvalidId) } else { Ok(Self(id)) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl TryFrom<String> for BusinessId {
    type Error = InvalidId;

    fn try_from(id: String) -> Result<Self, InvalidId> {
        Self::new(id)
    }
}

impl fmt::Display for BusinessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
