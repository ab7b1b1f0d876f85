//! What holds a query, what is told of it, and what a person has let through.

use tracing::warn;

use super::RunError;
use super::guard::Guard;
use super::paths::Unknown;
use crate::config::Settings;
use crate::config::settings::{Fetch, Query};
use crate::listing::Incomplete;
use crate::store::{Export, Held, Remembered, Store, time};
use crate::vainu::Job;

/// A query's present definition and what was remembered of it.
pub struct Holding<'a> {
    pub query: &'a Query,
    pub settings: &'a Settings,
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
                held.before = None;
                store.accept(self.remembered.id, held).await?;
            }
            _ => warn!("nothing holds this query: there is nothing to accept"),
        }
        Ok(())
    }

    /// Whether a full run of the present definition has succeeded: it is neither new nor edited since.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.remembered.definition.as_ref() == Some(&self.definition)
    }

    /// The guard over a run that began with so many members.
    #[must_use]
    pub fn guard(&self, members: u64) -> Guard {
        let accepted = self.accepted();
        Guard {
            members,
            max_departures: self.query.max_departures,
            max_arrivals: self.query.max_arrivals,
            exempt: !self.is_proved(),
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

    /// Paths that a person let through, though the catalogue does not know them.
    #[must_use]
    pub fn accepted_paths(&self) -> &[String] {
        self.accepted().and_then(|held| held.paths.as_deref()).unwrap_or_default()
    }

    /// Paths that held this definition when it last ran, let through or not.
    #[must_use]
    pub fn held_paths(&self) -> &[String] {
        self.present().and_then(|held| held.paths.as_deref()).unwrap_or_default()
    }

    /// Why these paths hold the query, and what is remembered for whoever accepts them.
    #[must_use]
    pub fn by_paths(&self, unknown: &[Unknown]) -> (String, Held) {
        let named: Vec<String> = unknown.iter().map(ToString::to_string).collect();
        let reason = format!(
            "Vainu's field catalogue does not know {}, and Vainu ignores a filter on what it does not know, so that \
             too many companies would match; correct the query, or {}",
            named.join(", "),
            self.way_out(),
        );
        let paths = unknown.iter().map(|unknown| &unknown.path).chain(self.accepted_paths());
        (reason, Held { paths: Some(paths.cloned().collect()), ..self.before() })
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
            Incomplete::ShortExport { .. } | Incomplete::Uncounted { .. } => {
                (format!("{reason}; the rows are stored, nobody leaves; {}", self.by_pages()), None)
            }
            Incomplete::NoEnd(_) => (format!("{reason}; the rows are stored, nobody leaves"), None),
        }
    }

    /// Rows of the last complete listing of this definition: another one may be of any size.
    #[must_use]
    pub fn last_rows(&self) -> Option<u64> {
        self.remembered.listing_rows.filter(|_| self.is_proved())
    }

    /// The export of this definition that an earlier run left under way.
    #[must_use]
    pub fn submitted(&self) -> Option<Job> {
        let export = self.remembered.export.as_ref()?;
        let submitted_at = time::from_text(&export.submitted_at);
        let is_ours = export.definition == self.definition && submitted_at.is_some();
        is_ours.then(|| Job { link: export.link.clone(), submitted_at })
    }

    /// What is to be remembered of a job; nothing of one that the server did not date, whose age nobody knows.
    #[must_use]
    pub fn as_export(&self, job: &Job) -> Option<Export> {
        let submitted_at = time::to_text(job.submitted_at?);
        Some(Export { link: job.link.clone(), definition: self.definition.clone(), submitted_at })
    }

    /// What held this definition when it last ran.
    fn present(&self) -> Option<&Held> {
        self.remembered.held.as_ref().filter(|held| held.definition == self.definition)
    }

    /// What was let through of this definition, also where it is held anew since.
    fn accepted(&self) -> Option<&Held> {
        let held = self.present()?;
        if held.accepted { Some(held) } else { held.before.as_deref() }
    }

    /// What was accepted of this definition; who accepts what comes anew accepts both.
    fn before(&self) -> Held {
        let accepted = self.accepted().cloned();
        Held {
            definition: self.definition.clone(),
            accepted: false,
            before: accepted.clone().map(Box::new),
            ..accepted.unwrap_or_default()
        }
    }

    fn by_pages(&self) -> &'static str {
        match self.query.fetch {
            Fetch::Auto => "the next run lists by pages",
            Fetch::Pages | Fetch::Export => "fetch = \"auto\" or \"pages\" lists by pages",
        }
    }

    fn way_out(&self) -> String {
        format!("let it through with `{}`", letting_through(&self.query.name, self.settings))
    }
}

/// The command by which a person lets through what holds a query.
#[must_use]
pub fn letting_through(query: &str, settings: &Settings) -> String {
    settings.command(&format!("sync {query} --accept"))
}
