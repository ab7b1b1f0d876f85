//! Vainu's API: authentication, one layer of retries, the requests and what their answers look like.

mod answer;
mod auth;
mod call;
mod catalogue;
mod client;
mod count;
mod error;
mod export;
mod http;
mod json;
mod meter;
mod no_answer;
mod pace;
mod page;
mod request;
mod retry;
mod retry_after;
mod traffic;
mod transport;

pub use auth::days_left;
pub use catalogue::{Catalogue, NoCatalogue, Use, Verdict};
pub use client::Client;
pub use count::{CountAnswer, CountStatus};
pub use error::{Cause, Error, Kind, Remedy, unquoted};
pub use export::{DownloadLink, ExportError, ExportFile, Finished, Job, Part};
pub(crate) use http::elsewhere as http_elsewhere;
pub use meter::{Costs, Meter};
pub use no_answer::NoAnswer;
pub(crate) use no_answer::innermost;
pub use page::Page;
pub use request::{PageRequest, Selection};
pub use retry::Delays;
pub use traffic::{Counted, Endpoint, Traffic};

#[cfg(test)]
mod tests;
