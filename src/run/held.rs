//! What holds a query, what is told of it, and what a person has let through.

use tracing::warn;

use super::RunError;
use super::guard::Guard;
use crate::config::settings::Query;
use crate::listing::Incomplete;
use crate::store::{Held, Remembered, Store};

/// A query's present definition and what was remembered of it.
pub struct Holding<'a> {
    pub query: &'a Query,
    pub definition: String,
    pub remembered: Remembered,
}

impl Holding<'_> {
    /// Remembers that a person lets through what held this definition.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn accept(&mut self, store: &mut Store) -> Result<(), RunError> {
        match &mut self.remembered.held {
            Some(held) if held.definition == self.definition => {
                held.accepted = true;
                store.accept(self.remembered.id, held).await?;
            }
            _ => warn!("nothing holds this query: there is nothing to accept"),
        }
        Ok(())
    }

    /// The guard over a run that began with so many members.
    #[must_use]
    pub fn guard(&self, members: u64) -> Guard {
        let accepted = self.accepted();
        Guard {
            members,
            max_departures: self.query.max_departures,
            max_arrivals: self.query.max_arrivals,
            exempt: self.remembered.definition.as_ref() != Some(&self.definition),
            accepted_departures: accepted.and_then(|held| held.departures),
            accepted_count: accepted.and_then(|held| held.count),
        }
    }

    /// So many rows below the count were accepted, and at most a tenth more.
    #[must_use]
    pub fn accepted_shortfall(&self) -> u64 {
        let shortfall = self.accepted().and_then(|held| held.shortfall);
        shortfall.map_or(0, |shortfall| shortfall + shortfall / 10)
    }

    /// Why so high a count holds the query, and what is remembered for whoever accepts it.
    #[must_use]
    pub fn by_count(&self, count: u64, members: u64) -> (String, Held) {
        let reason = format!(
            "{count} companies are counted where {members} are members, more than max_arrivals ({}%) lets in: \
             a filter may have stopped working; look at the query, then {}",
            self.query.max_arrivals,
            self.way_out(),
        );
        (reason, Held { count: Some(count), ..self.before() })
    }

    /// Why so many departures hold the query, and what is remembered for whoever accepts them.
    #[must_use]
    pub fn by_departures(&self, departures: u64, members: u64) -> (String, Held) {
        let reason = format!(
            "{departures} of {members} members or more would leave, more than max_departures ({}%) lets go; look at \
             the query, then {}",
            self.query.max_departures,
            self.way_out(),
        );
        (reason, Held { departures: Some(departures), ..self.before() })
    }

    /// What is told of an incomplete listing, and what can be accepted of it.
    #[must_use]
    pub fn by_incompleteness(&self, reason: &Incomplete) -> (String, Option<Held>) {
        match reason {
            Incomplete::Short { rows, expected } => {
                let shortfall = Some(expected.saturating_sub(*rows));
                let error = format!("{reason}; if the listing is right, {}", self.way_out());
                (error, Some(Held { shortfall, ..self.before() }))
            }
            Incomplete::NoEnd(_) => (format!("{reason}; the rows are stored, nobody leaves"), None),
        }
    }

    /// Rows of the last complete listing of this definition: another one may be of any size.
    #[must_use]
    pub fn last_rows(&self) -> Option<u64> {
        let same = self.remembered.definition.as_ref() == Some(&self.definition);
        self.remembered.listing_rows.filter(|_| same)
    }

    fn accepted(&self) -> Option<&Held> {
        let held = self.remembered.held.as_ref();
        held.filter(|held| held.accepted && held.definition == self.definition)
    }

    /// What was accepted of this definition, not accepted for what comes anew.
    fn before(&self) -> Held {
        let before = self.accepted().cloned().unwrap_or_default();
        Held { definition: self.definition.clone(), accepted: false, ..before }
    }

    fn way_out(&self) -> String {
        format!("let it through with `vainu-sync sync {} --accept`", self.query.name)
    }
}
