//! One switch for each thing that Vainu's documentation leaves open, and for what a test wants quicker or
//! worse than it is.

use std::num::NonZeroU32;
use std::time::Duration;

/// How the stand-in behaves where no source says how Vainu does. The defaults are a server without surprises.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "switches are what this type is")]
pub struct Switches {
    /// Which of its shapes a JSON answer of `organizations` has.
    pub shape: Shape,
    /// Whether `next` is ever set, in the shapes that have it.
    pub next: bool,
    /// The cap on `limit`: 100 by the client's notes, 1000 in v2's docs, none by the recipes.
    pub page_cap: Option<u32>,
    /// What a `limit` above the cap draws.
    pub above_cap: AboveCap,
    /// Every nth page holds half the rows that its `limit` allows, although more exist.
    pub short_page_every: Option<NonZeroU32>,
    /// What becomes of `order`.
    pub order: Order,
    /// Rows that no `order` settles come in another order with each request.
    pub unstable: bool,
    /// `expires_in` in the answer to a refresh.
    pub expires_in: ExpiresIn,
    /// Whether a refresh answers with a new refresh token.
    pub rotation: Rotation,
    /// How long an access token lives, as its `exp` says (in whole seconds) and as the server keeps it.
    pub access_lifetime: Duration,
    /// How long a refresh token lives that the sandbox gives out at its start: about 30 days for a trial.
    pub refresh_lifetime: Duration,
    /// An access token is revoked after so many requests.
    pub requests_per_token: Option<NonZeroU32>,
    /// A field without a value comes as `null` or is missing. Rows given by a test stay as they are.
    pub absent: Absent,
    /// What a name in `fields` draws that the catalogue does not know.
    pub unknown_field: UnknownField,
    /// Top-level fields that the account is not entitled to: they draw 403 in `fields`.
    pub gated: Vec<String>,
    /// Whether `?IN` on `business_id` inside `?ALL` is honoured with any query.
    pub in_filters: InFilters,
    /// Whether a `list` needs a `database` beside it.
    pub list_needs_database: bool,
    /// Which key of a row carries the result of an aggregation.
    pub aggregation_key: AggregationKey,
    /// Added to every count: a count that is not what the listing holds.
    pub count_offset: i64,
    /// How many answers `scheduled` or `process` a fresh count gives before it is `ready`.
    pub count_polls: u32,
    /// What a count ends in: `ready`, or `error`.
    pub count_end: &'static str,
    /// Whether `recount_if_cache_max_age` of 0 on a poll starts the count anew, as `recount` does.
    pub zero_age_restarts: bool,
    /// The rows that one export job gives at most: 1000 by v2's docs.
    pub export_cap: Option<u32>,
    /// How many polls an export job answers as still running.
    pub export_polls: u32,
    /// The state that a job ends in.
    pub export_end: &'static str,
    /// The state of a running job: `process`, by some pages `processing`.
    pub export_running: &'static str,
    /// The key of the state in the answer to a submission: `state`, in one figure of the docs `status`.
    pub export_state_key: &'static str,
    /// How long a `download_link` lives.
    pub download_lifetime: Duration,
    /// How long each request waits before it is answered.
    pub latency: Duration,
    /// Up to so much longer, each another time: answers overtake each other.
    pub jitter: Duration,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            shape: Shape::Array,
            next: false,
            page_cap: Some(1000),
            above_cap: AboveCap::Capped,
            short_page_every: None,
            order: Order::Honoured,
            unstable: false,
            expires_in: ExpiresIn::Absent,
            rotation: Rotation::None,
            access_lifetime: Duration::from_hours(1),
            refresh_lifetime: Duration::from_hours(30 * 24),
            requests_per_token: None,
            absent: Absent::Null,
            unknown_field: UnknownField::Ignored,
            gated: Vec::new(),
            in_filters: InFilters::Honoured,
            list_needs_database: false,
            aggregation_key: AggregationKey::Id,
            count_offset: 0,
            count_polls: 0,
            count_end: "ready",
            zero_age_restarts: true,
            export_cap: None,
            export_polls: 1,
            export_end: "completed",
            export_running: "process",
            export_state_key: "state",
            download_lifetime: Duration::from_hours(1),
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
        }
    }
}

impl Switches {
    /// How long the request waits to which chance has given `throw`.
    pub(super) fn wait(&self, throw: u64) -> Duration {
        let jitter = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX).saturating_add(1);
        self.latency + Duration::from_micros(throw % jitter)
    }

    /// What a count of `total` says.
    pub(super) fn lie(&self, total: usize) -> i64 {
        i64::try_from(total).unwrap_or(i64::MAX).saturating_add(self.count_offset).max(0)
    }
}

/// The shapes of a JSON answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `[…]`
    Array,
    /// `{"result": […], "count": N, "next": …}`
    Result,
    /// `{"results": […], "count": N, "next": …}`
    Results,
}

/// What a `limit` above the cap draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AboveCap {
    /// As many rows as the cap allows, without a word.
    Capped,
    /// 400
    Refused,
}

/// What becomes of `order`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Honoured,
    Ignored,
    /// 400
    Refused,
}

/// `expires_in` in the answer to a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpiresIn {
    Absent,
    /// The token's lifetime in whole seconds.
    Sent,
    /// This JSON, whatever it is.
    Verbatim(String),
}

/// Whether a refresh answers with a new refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    None,
    /// A new one comes, and the old one goes on working.
    OldStays,
    /// A new one comes, and the old one draws 400 from then on.
    OldEnds,
}

/// How a field without a value comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    Null,
    Missing,
}

/// What an unknown name in `fields` draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownField {
    Ignored,
    /// 400
    Refused,
    /// 403, as a field that the account is not entitled to
    Forbidden,
}

/// What becomes of `?IN` on `business_id` inside `?ALL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InFilters {
    Honoured,
    Ignored,
    /// Only so many of its ids are heeded, without a word about the others.
    First(usize),
    /// 400
    Refused,
}

impl InFilters {
    /// `None`: the query is refused.
    pub(super) fn ids_heeded(self) -> Option<usize> {
        match self {
            Self::Honoured => Some(usize::MAX),
            Self::Ignored => Some(0),
            Self::First(ids) => Some(ids),
            Self::Refused => None,
        }
    }
}

/// Which key carries the result of an aggregation with `id` X.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregationKey {
    /// `X`
    Id,
    /// `?X`
    Question,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_adds_up_to_what_it_says() {
        let (latency, jitter) = (Duration::from_millis(300), Duration::from_micros(2));
        let switches = Switches { latency, jitter, ..Switches::default() };
        let waits = [0, 1, 2, 3].map(|throw| switches.wait(throw).as_micros());
        assert_eq!(waits, [300_000, 300_001, 300_002, 300_000]);
    }
}
