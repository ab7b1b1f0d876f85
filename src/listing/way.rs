use std::fmt;

/// The two ways to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Pages,
    Export,
}

impl Way {
    /// As `runs.fetch` has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pages => "pages",
            Self::Export => "export",
        }
    }

    /// The way that [`Way::as_str`] gives this text.
    #[must_use]
    pub fn called(text: &str) -> Option<Self> {
        [Self::Pages, Self::Export].into_iter().find(|way| way.as_str() == text)
    }

    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Pages => Self::Export,
            Self::Export => Self::Pages,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
