//! One query, counted and asked for its first rows.

use std::time::{Duration, Instant};

use super::asking::{Asking, NoPage, ONE_ANSWER};
use crate::cli::{Exit, Failure, Output};
use crate::config::settings::{Ask, Query};
use crate::listing::{self, NoCount};
use crate::organization::json::members;
use crate::text::grouped;
use crate::vainu::{Page, PageRequest, Selection};

/// Rows that are asked for.
const ROWS: u32 = 20;

/// What one query gave.
pub struct Sample<'a> {
    pub query: &'a Query,
    pub count: Option<u64>,
    /// Its first rows, if it gave any answer.
    pub page: Option<Page>,
    pub exit: Exit,
}

impl<'a> Sample<'a> {
    /// Asks for the count and the first rows of `query`, and prints what came.
    ///
    /// # Errors
    /// If nothing else could be had of the API either, or stdout can't be written.
    pub async fn take(asking: &Asking<'_>, query: &'a Query, output: &mut Output) -> Result<Self, Failure> {
        let selection = Selection::new(query.database, query.ask.clone(), query.fields.clone())
            .aggregated(query.aggregations.clone());
        let request = PageRequest { selection: &selection, limit: ROWS, offset: 0, ordered: false };
        let patience = asking.api.count_timeout.min(ONE_ANSWER);
        let started = Instant::now();
        let counting = async {
            let count = listing::fresh_count(&asking.client, &selection, patience, &asking.meter).await;
            (count, started.elapsed())
        };
        let ((count, took), page) = tokio::join!(counting, asking.page(&request));
        let (count, page) = (count?.number, page?);
        writeln!(output, "  count: {}", count_words(&count, took, asking.api.count_timeout))?;
        let exit = count_exit(&count, &query.ask).or(page.as_ref().map_or_else(NoPage::exit, |_| Exit::Done));
        match &page {
            Ok(page) => writeln!(output, "  rows: {} came for a limit of {ROWS}", page.rows.len())?,
            Err(reason) => writeln!(output, "  problem: no rows: {reason}")?,
        }
        Ok(Self { query, count: count.ok(), page: page.ok(), exit })
    }

    /// How often a field that this query is given came as null, and how often it was missing.
    pub fn absent(&self) -> Absent {
        let rows: Vec<_> = self.page.iter().flat_map(Page::texts).filter_map(members).collect();
        let mut absent = Absent { rows: rows.len(), ..Absent::default() };
        let keys = self.query.fields.iter().filter_map(|field| field.split('.').next());
        let is_there =
            |key: &&str| rows.iter().any(|row| row.get(key).is_some_and(|value| value.get() != "null"));
        for key in keys.filter(is_there) {
            for row in &rows {
                match row.get(key) {
                    None => absent.missing += 1,
                    Some(value) if value.get() == "null" => absent.null += 1,
                    Some(_) => {}
                }
            }
        }
        absent
    }
}

/// How fields without a value came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Absent {
    pub rows: usize,
    pub null: usize,
    pub missing: usize,
}

impl Absent {
    pub fn and(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            null: self.null + other.null,
            missing: self.missing + other.missing,
        }
    }
}

fn count_words(count: &Result<u64, NoCount>, took: Duration, timeout: Duration) -> String {
    match count {
        Ok(count) => {
            let took = Duration::from_millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
            format!("{} companies, after {}", grouped(*count), humantime::format_duration(took))
        }
        Err(NoCount::TooSlow(patience)) => format!(
            "not ready after {}; a run waits for {} (api.count_timeout) and then goes on unguarded",
            humantime::format_duration(*patience),
            humantime::format_duration(timeout)
        ),
        Err(reason) => format!("none, so that runs are not guarded: {reason}"),
    }
}

/// What the lack of a count means for the exit code. Whether a list can be counted is open.
fn count_exit(count: &Result<u64, NoCount>, ask: &Ask) -> Exit {
    match (count, ask) {
        (Err(NoCount::Refused(error)), Ask::Query(_)) => Exit::of_api(error),
        _ => Exit::Done,
    }
}
