//! Asking the API on behalf of a person who waits.

use std::time::Duration;

use tokio::time::timeout;

use crate::cli::{Exit, Failure};
use crate::config::settings::Api;
use crate::vainu::{self, Cause, Client, Meter, NoAnswer, Page, PageRequest};

/// For how long one answer is waited for. What takes longer can still be told.
pub const ONE_ANSWER: Duration = Duration::from_mins(1);

/// What asks.
pub struct Asking<'a> {
    pub client: Client,
    pub api: &'a Api,
    pub meter: Meter,
}

/// Why a page did not come.
#[derive(Debug, thiserror::Error)]
pub enum NoPage {
    #[error("no answer within {}", humantime::format_duration(ONE_ANSWER))]
    TooSlow,
    #[error(transparent)]
    Api(vainu::Error),
}

impl NoPage {
    pub fn exit(&self) -> Exit {
        match self {
            Self::TooSlow => Exit::Later,
            Self::Api(error) => Exit::of_api(error),
        }
    }

    /// Whether the request itself is at fault, and another may do.
    pub fn is_bad_request(&self) -> bool {
        matches!(self, Self::Api(error) if error.status() == Some(400))
    }
}

impl Asking<'_> {
    /// One page, waited for as long as [`ONE_ANSWER`].
    ///
    /// # Errors
    /// If nothing else could be had of the API either.
    pub async fn page(&self, request: &PageRequest<'_>) -> Result<Result<Page, NoPage>, Failure> {
        match timeout(ONE_ANSWER, self.client.organizations(request, &self.meter)).await {
            Err(_) => Ok(Err(NoPage::TooSlow)),
            Ok(Err(error)) if error.is_hopeless() && !is_slow(&error) => Err(error.into()),
            Ok(Err(error)) => Ok(Err(NoPage::Api(error))),
            Ok(Ok(page)) => Ok(Ok(page)),
        }
    }
}

/// Whether a smaller request may be answered in time.
fn is_slow(error: &vainu::Error) -> bool {
    matches!(error, vainu::Error::Unavailable { cause: Cause::Transport(NoAnswer::TimedOut(_)), .. })
}
