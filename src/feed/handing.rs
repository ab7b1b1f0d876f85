//! How far each feed is handed over, for whoever shows it.

use serde::Serialize;

use crate::config::settings::Feed;
use crate::store::Handover;

/// How far one way has got.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Handing {
    /// `after` or `webhook`.
    pub way: String,
    /// Files up to this number are handed over.
    pub sequence: i64,
    /// Files that are not.
    pub waiting: i64,
    pub handed_at: Option<String>,
    pub tried_at: Option<String>,
    /// Tries in a row that have failed.
    pub failures: i64,
    /// How the last try ended.
    pub ended: Option<String>,
    /// The end of what it said.
    pub output: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// How far `feed` is handed over by each way that the configuration has for it.
#[must_use]
pub(super) fn of_feed(feed: &Feed, known: &[Handover]) -> Vec<Handing> {
    let of_way = |way: &'static str| {
        let known = known.iter().find(|known| known.feed == feed.name && known.way == way);
        let nothing = Handing { way: way.to_owned(), ..Handing::default() };
        known.map_or(nothing, |known| Handing::of(known.clone()))
    };
    feed.ways().into_iter().map(of_way).collect()
}

impl Handing {
    fn of(known: Handover) -> Self {
        let Handover { way, sequence, waiting, handed_at, tried_at, failures, ended, output, error, .. } =
            known;
        Self { way, sequence, waiting, handed_at, tried_at, failures, ended, output, error }
    }
}
