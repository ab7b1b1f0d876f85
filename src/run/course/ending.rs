//! How a course ends, and what of it is written down.

use tracing::error;

use super::way::{Ended, is_end_of_export, next};
use super::{Conclusion, Course, Outcome, RunError};
use crate::config::settings::Fetch;
use crate::listing::{Listed, Way};
use crate::run::held::Holding;
use crate::run::window::Window;
use crate::store::{Departures, Ending, Proved, Status, time};

impl Course<'_> {
    /// The last commit: departures, what was proved, and the status.
    pub(super) async fn end(&mut self, conclusion: Conclusion) -> Result<Outcome, RunError> {
        let mut numbers = self.storing.numbers();
        let next_fetch = self.next_fetch(match &conclusion {
            Conclusion::Succeeded { .. } | Conclusion::CaughtUp(_) => Ended::Complete,
            Conclusion::Incomplete(_) => Ended::Incomplete,
            Conclusion::Held(_) => Ended::Held,
        });
        let (status, error, departures, proved, held) = match conclusion {
            Conclusion::Succeeded { departures, listed } => {
                numbers.left = departures.left.len() as u64;
                (Status::Succeeded, None, departures, Some(self.proved(&listed)), None)
            }
            Conclusion::CaughtUp(window) => {
                (Status::Succeeded, None, Departures::default(), Some(self.caught_up(window)), None)
            }
            Conclusion::Held((reason, held)) => {
                (Status::Held, Some(reason), Departures::default(), None, Some(held))
            }
            Conclusion::Incomplete(reason) => {
                let (error, held) = self.holding.by_incompleteness(&reason);
                (Status::Incomplete, Some(error), Departures::default(), None, held)
            }
        };
        let now = self.storing.now();
        let ending = Ending {
            run: self.storing.run,
            query: self.storing.query,
            status,
            numbers: &numbers,
            error: error.as_deref(),
            departures,
            proved,
            held,
            next_fetch,
            export_over: self.export_over,
            now: &now,
        };
        self.storing.store.end(&ending).await?;
        Ok(Outcome { status, numbers, error, cause: None })
    }

    fn proved(&self, listed: &Listed) -> Proved {
        Proved {
            definition: self.holding.definition.clone(),
            owned: self.storing.standing.own.clone(),
            watermark: listed.first_answer.map(time::to_text),
            full_at: Some(self.started_at.clone()),
            listing_rows: Some(listed.rows),
        }
    }

    /// What the end of a window proves.
    fn caught_up(&self, window: Window) -> Proved {
        Proved {
            definition: self.holding.definition.clone(),
            owned: self.storing.standing.own.clone(),
            watermark: Some(time::to_text(window.end)),
            full_at: None,
            listing_rows: None,
        }
    }

    /// The way that the next run is to take, if this one changes it.
    fn next_fetch(&self, ended: Ended<'_>) -> Option<Way> {
        let Holding { query, remembered, .. } = &self.holding;
        if query.fetch == Fetch::Auto { next(self.way, remembered.next_fetch, ended) } else { None }
    }

    /// Writes down that the run failed or was stopped; what was committed stays.
    pub(super) async fn fail(&mut self, cause: RunError) -> Outcome {
        let numbers = self.storing.numbers();
        let next_fetch = self.next_fetch(Ended::Failed(&cause, numbers.fetched));
        let export_over = self.export_over || is_end_of_export(self.way, &cause);
        let outcome = Outcome::failed(cause, numbers);
        let now = self.storing.now();
        let ending = Ending {
            run: self.storing.run,
            query: self.storing.query,
            status: outcome.status,
            numbers: &outcome.numbers,
            error: outcome.error.as_deref(),
            departures: Departures::default(),
            proved: None,
            held: None,
            next_fetch,
            export_over,
            now: &now,
        };
        if let Err(error) = self.storing.store.end(&ending).await {
            error!(%error, "the run's end could not be written: it will show as interrupted");
        }
        outcome
    }
}
