//! By which way a listing is read, and the next one. Pure.

use super::super::RunError;
use crate::config::settings::Fetch;
use crate::listing::Way;
use crate::vainu::{self, Kind};

/// Rows that `auto` still lists by pages.
const BY_PAGES: u64 = 20_000;

/// What decides the way of a full listing.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    pub fetch: Fetch,
    /// What earlier runs came to, as [`next`] told.
    pub next: Option<Way>,
    /// An export of this definition is under way.
    pub is_submitted: bool,
    /// A person let through that a listing by pages is short of its count.
    pub is_accepted_short: bool,
    /// Of the last complete listing, else the count.
    pub rows: Option<u64>,
}

impl Choice {
    pub fn way(self) -> Way {
        match self.fetch {
            Fetch::Pages => Way::Pages,
            Fetch::Export => Way::Export,
            Fetch::Auto if self.is_accepted_short => Way::Pages,
            Fetch::Auto => self.next.unwrap_or(self.by_size()),
        }
    }

    fn by_size(self) -> Way {
        let is_large = self.rows.is_some_and(|rows| rows > BY_PAGES);
        if self.is_submitted || is_large { Way::Export } else { Way::Pages }
    }
}

/// How a run by some way ended.
#[derive(Debug, Clone, Copy)]
pub enum Ended<'a> {
    Complete,
    Incomplete,
    /// After so many rows.
    Failed(&'a RunError, u64),
    Held,
}

/// The way that `auto` takes from now on, if a run by `way` that ended so changes it: the other way after a
/// listing that was not complete or not given, and then the one that was complete last.
pub fn next(way: Way, before: Option<Way>, ended: Ended<'_>) -> Option<Way> {
    match ended {
        Ended::Complete => before.map(|_| way).filter(|way| before != Some(*way)),
        Ended::Incomplete => Some(way.other()),
        Ended::Failed(RunError::Api(error), rows) if is_no_to(way, error, rows) => Some(way.other()),
        Ended::Failed(..) | Ended::Held => None,
    }
}

/// Whether the API can't, or won't, give the whole listing this way. Of pages that is a refusal of a later
/// one: that of the first is one of the query.
fn is_no_to(way: Way, error: &vainu::Error, rows: u64) -> bool {
    match way {
        Way::Pages => rows > 0 && matches!(error, vainu::Error::Refused { status: 400, .. }),
        Way::Export => matches!(error.kind(), Kind::Export | Kind::Refused | Kind::Malformed),
    }
}

/// Whether a run that ended so leaves no export that another could take up.
pub fn is_end_of_export(way: Way, cause: &RunError) -> bool {
    match cause {
        RunError::Api(vainu::Error::Export(error)) => error.is_end_of_job(),
        RunError::Api(error) => way == Way::Export && error.kind() == Kind::Refused,
        RunError::Store(_) | RunError::Stopped => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vainu::ExportError;

    const AUTO: Choice = Choice {
        fetch: Fetch::Auto,
        next: None,
        is_submitted: false,
        is_accepted_short: false,
        rows: Some(20_000),
    };

    fn refused(status: u16) -> RunError {
        vainu::Error::Refused { endpoint: String::new(), status, detail: None }.into()
    }

    fn without_token(status: u16) -> RunError {
        let refusal = vainu::Error::Refused { endpoint: String::new(), status, detail: None };
        vainu::Error::NoToken(Box::new(refusal)).into()
    }

    fn ended_badly() -> RunError {
        let (endpoint, state) = (String::new(), "stopped".to_owned());
        vainu::Error::from(ExportError::Ended { endpoint, state, detail: None }).into()
    }

    #[test]
    fn auto_goes_by_size_until_a_run_says_otherwise() {
        assert_eq!(AUTO.way(), Way::Pages);
        assert_eq!(Choice { rows: None, ..AUTO }.way(), Way::Pages);
        assert_eq!(Choice { rows: Some(20_001), ..AUTO }.way(), Way::Export);
        assert_eq!(Choice { next: Some(Way::Pages), rows: Some(20_001), ..AUTO }.way(), Way::Pages);
        assert_eq!(Choice { next: Some(Way::Export), ..AUTO }.way(), Way::Export);
        assert_eq!(Choice { is_submitted: true, ..AUTO }.way(), Way::Export);
        let accepted = Choice { is_accepted_short: true, next: Some(Way::Export), ..AUTO };
        assert_eq!(accepted.way(), Way::Pages);
    }

    #[test]
    fn what_is_configured_is_done() {
        for (fetch, way) in [(Fetch::Pages, Way::Pages), (Fetch::Export, Way::Export)] {
            for next in [Some(Way::Pages), Some(Way::Export), None] {
                assert_eq!(Choice { fetch, next, is_submitted: true, rows: Some(50_000), ..AUTO }.way(), way);
            }
        }
    }

    #[test]
    fn an_incomplete_listing_is_followed_by_one_the_other_way() {
        assert_eq!(next(Way::Pages, None, Ended::Incomplete), Some(Way::Export));
        assert_eq!(next(Way::Export, Some(Way::Export), Ended::Incomplete), Some(Way::Pages));
    }

    #[test]
    fn the_way_that_was_complete_last_is_kept_and_size_decides_where_none_ever_failed() {
        assert_eq!(next(Way::Export, None, Ended::Complete), None);
        assert_eq!(next(Way::Pages, Some(Way::Pages), Ended::Complete), None);
        assert_eq!(next(Way::Pages, Some(Way::Export), Ended::Complete), Some(Way::Pages));
    }

    #[test]
    fn a_refusal_of_a_later_page_or_of_an_export_makes_the_next_run_go_the_other_way() {
        let failed = |way, cause: &RunError, rows| next(way, None, Ended::Failed(cause, rows));
        assert_eq!(failed(Way::Pages, &refused(400), 1000), Some(Way::Export));
        assert_eq!(failed(Way::Pages, &refused(400), 0), None, "the query itself is refused");
        assert_eq!(failed(Way::Pages, &refused(403), 1000), None);
        let (endpoint, remedy) = (String::new(), vainu::Remedy::CheckClient);
        let credentials = vainu::Error::Credentials { endpoint, status: 400, remedy };
        assert_eq!(failed(Way::Pages, &credentials.into(), 1000), None);
        assert_eq!(failed(Way::Export, &refused(403), 0), Some(Way::Pages));
        assert_eq!(failed(Way::Export, &without_token(404), 0), None);
        assert_eq!(failed(Way::Export, &ended_badly(), 0), Some(Way::Pages));
        assert_eq!(failed(Way::Export, &RunError::Stopped, 0), None);
        assert_eq!(next(Way::Export, None, Ended::Held), None);
    }

    #[test]
    fn an_export_lives_on_unless_its_job_is_dead() {
        assert!(is_end_of_export(Way::Export, &ended_badly()));
        assert!(is_end_of_export(Way::Export, &refused(404)));
        assert!(!is_end_of_export(Way::Export, &RunError::Stopped));
        assert!(!is_end_of_export(Way::Export, &without_token(404)), "nobody was asked about it");
        assert!(!is_end_of_export(Way::Pages, &refused(404)));
        let expired = ExportError::Expired { host: String::new(), links: 6, status: 403 };
        assert!(!is_end_of_export(Way::Export, &vainu::Error::from(expired).into()));
    }
}
