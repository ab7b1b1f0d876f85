use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What is asked of Vainu, as metrics tell it apart: never a whole URL, which may hold ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    Token,
    Organizations,
    Count,
    /// The catalogue of fields.
    Fields,
    /// Submits an export.
    Export,
    /// Polls an export.
    ExportJob,
    /// An export's file.
    Download,
}

impl Endpoint {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Organizations => "organizations",
            Self::Count => "count",
            Self::Fields => "fields",
            Self::Export => "export",
            Self::ExportJob => "export_job",
            Self::Download => "download",
        }
    }
}

/// What was asked of the API since the process began: shared by all clients of a daemon, so that it never falls.
#[derive(Debug, Default)]
pub struct Traffic(Mutex<Counted>);

/// The figures of a [`Traffic`] at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// Requests by endpoint and the answer's status; `None`: there was no answer.
    pub requests: BTreeMap<(Endpoint, Option<u16>), u64>,
    /// Retries by what made them necessary.
    pub retries: BTreeMap<String, u64>,
}

impl Traffic {
    #[must_use]
    pub fn snapshot(&self) -> Counted {
        self.counted(|counted| counted.clone())
    }

    pub(super) fn count_request(&self, endpoint: Endpoint, status: Option<u16>) {
        self.counted(|counted| *counted.requests.entry((endpoint, status)).or_default() += 1);
    }

    pub(super) fn count_retry(&self, reason: String) {
        self.counted(|counted| *counted.retries.entry(reason).or_default() += 1);
    }

    fn counted<T>(&self, work: impl FnOnce(&mut Counted) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
