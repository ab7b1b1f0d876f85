use std::fmt;

/// What an entry of the change log says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// An organization new to the store; its entry into the query too.
    Created,
    /// A known organization, new or back in this query.
    Entered,
    /// Its document changed, outside of quiet keys.
    Updated,
    /// It is no member any more.
    Left,
}

impl ChangeKind {
    /// As `changes.kind` has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Entered => "entered",
            Self::Updated => "updated",
            Self::Left => "left",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
