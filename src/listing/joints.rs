//! Where the next page starts, whether it joins on to what was read, and when the end is proved. Pure.
//!
//! Each page starts on the last row of the page before. If that row comes back the same, nothing has moved
//! in between and the rows behind it follow on. If it does not, reading resumes further back, at a row
//! that was read before. Ids are never compared for order: the server's order is its own.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

/// Attempts to resume at one place before the listing is given up as incomplete.
const ATTEMPTS: u32 = 6;

/// How many pages back the rows are remembered: as far as reading ever resumes.
const PAGES_REMEMBERED: usize = 6;

/// Pages that any listing may ask for beyond three times what was foretold.
const SPARE_PAGES: u64 = 40;

/// Why a listing can't be proved to have reached its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("the rows moved while they were read: no page joins on at row {at} after {ATTEMPTS} attempts")]
    Joint { at: u64 },
    #[error("the server gives nothing behind row {at}, where more rows must be ({expected} counted)")]
    NothingMore { at: u64, expected: u64 },
    #[error("{asked} pages did not reach the end, more than three times what was foretold")]
    TooManyPages { asked: u64 },
}

/// What to do after a page was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask for the page that starts at this row, counted from 0.
    Page {
        offset: u64,
    },
    /// The same start with another limit: no or one row proves little by itself.
    SecondLook,
    /// The end is proved.
    End,
    Broken(Broken),
}

/// What one page brought: which of its rows are to be handed on, and what comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Indices into the page.
    pub fresh: Vec<usize>,
    pub next: Next,
}

/// The reading of one listing. `M` is what tells a row again: its id, or its bytes where it has none.
#[derive(Debug)]
pub struct Joints<M> {
    expected: Option<u64>,
    foretold: Option<u64>,
    asked: u64,
    first_page: Option<usize>,
    largest_page: usize,
    last: Option<M>,
    tail: VecDeque<M>,
    /// Rows handed on.
    rows: u64,
    /// Where the page under way starts.
    start: u64,
    /// Where the last row that was read stood; while rows come again, the furthest of them.
    position: u64,
    failures: u32,
    resuming: bool,
    /// Whether rows come that were read before the last failure.
    rereading: bool,
    looked_twice: bool,
}

impl<M: Clone + Eq + Hash> Joints<M> {
    /// `expected` is a fresh count; `foretold` what bounds the number of pages, a count or the rows of the
    /// last listing.
    #[must_use]
    pub fn new(expected: Option<u64>, foretold: Option<u64>) -> Self {
        Self {
            expected,
            foretold,
            asked: 0,
            first_page: None,
            largest_page: 0,
            last: None,
            tail: VecDeque::new(),
            rows: 0,
            start: 0,
            position: 0,
            failures: 0,
            resuming: false,
            rereading: false,
            looked_twice: false,
        }
    }

    /// The rows that the first page had.
    #[must_use]
    pub fn first_page(&self) -> usize {
        self.first_page.unwrap_or(0)
    }

    /// Pages that may still be asked for, those under way among them; `None`: any number.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        let steps = (self.first_page() as u64).saturating_sub(1).max(1);
        let foretold = self.foretold?.div_ceil(steps);
        Some(foretold.saturating_mul(3).saturating_add(SPARE_PAGES).saturating_sub(self.asked))
    }

    /// Counts pages that were asked for and will not be taken.
    pub fn give_up(&mut self, pages: u64) {
        self.asked += pages;
    }

    /// Takes the page that [`Next::Page`] named last, its rows told by their marks.
    pub fn take(&mut self, page: &[M]) -> Taken {
        self.asked += 1;
        self.first_page.get_or_insert(page.len());
        let joined = self.joins(page);
        let fresh = if joined { self.fresh(page) } else { Vec::new() };
        let next = self.next(page, joined, !fresh.is_empty());
        if joined {
            self.remember(page, &fresh);
        }
        self.follow(next, fresh)
    }

    fn joins(&self, page: &[M]) -> bool {
        match (page.first(), &self.last) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(first), Some(last)) if !self.resuming => first == last,
            (Some(first), Some(_)) => self.tail.contains(first) || (self.start == 0 && self.remembers_all()),
        }
    }

    fn remembers_all(&self) -> bool {
        self.rows == self.tail.len() as u64
    }

    fn fresh(&mut self, page: &[M]) -> Vec<usize> {
        if self.last.is_none() {
            return (0..page.len()).collect();
        }
        if !self.rereading {
            return (1..page.len()).collect();
        }
        let known: HashSet<&M> = self.tail.iter().collect();
        self.rereading = page.iter().skip(1).any(|row| known.contains(row));
        (0..page.len()).filter(|index| !known.contains(&page[*index])).collect()
    }

    fn next(&mut self, page: &[M], joined: bool, has_new: bool) -> Next {
        if let Some(proved) = self.end(page, joined) {
            return proved;
        }
        if joined && has_new {
            self.failures = 0;
            self.resuming = false;
            return Next::Page { offset: self.start + page.len() as u64 - 1 };
        }
        self.failures += 1;
        self.rereading = true;
        if self.failures > ATTEMPTS {
            return Next::Broken(self.broken(page));
        }
        if joined && page.len() > 1 {
            self.resuming = false;
            return Next::Page { offset: self.start + page.len() as u64 - 1 };
        }
        self.resuming = true;
        Next::Page { offset: self.position.saturating_sub(self.distance()) }
    }

    /// The end, or the second look that it takes; `None` if the page is no end.
    fn end(&mut self, page: &[M], joined: bool) -> Option<Next> {
        if page.is_empty() {
            return match (self.last.is_none(), self.expected) {
                (true, Some(0)) => Some(Next::End),
                (true, None) => Some(self.second_look()),
                _ => None,
            };
        }
        if page.len() > 1 || !joined || self.last.is_none() || self.resuming {
            return None;
        }
        match self.expected {
            _ if self.largest_page > 1 => Some(Next::End),
            Some(1) => Some(Next::End),
            None => Some(self.second_look()),
            Some(_) => None,
        }
    }

    fn second_look(&mut self) -> Next {
        if std::mem::replace(&mut self.looked_twice, true) { Next::End } else { Next::SecondLook }
    }

    fn broken(&self, page: &[M]) -> Broken {
        match self.expected {
            Some(expected) if page.len() <= 1 && self.largest_page <= 1 => {
                Broken::NothingMore { at: self.start, expected }
            }
            _ => Broken::Joint { at: self.position },
        }
    }

    fn remember(&mut self, page: &[M], fresh: &[usize]) {
        self.largest_page = self.largest_page.max(page.len());
        self.tail.extend(fresh.iter().map(|index| page[*index].clone()));
        let surplus = self.tail.len().saturating_sub(self.largest_page * PAGES_REMEMBERED);
        self.tail.drain(..surplus);
        self.rows += fresh.len() as u64;
        self.last = page.last().cloned().or(self.last.take());
        let here = self.start + (page.len() as u64).saturating_sub(1);
        self.position = if self.rereading { self.position.max(here) } else { here };
    }

    fn follow(&mut self, next: Next, fresh: Vec<usize>) -> Taken {
        let next = match next {
            Next::Page { .. } | Next::SecondLook if self.left() == Some(0) => {
                Next::Broken(Broken::TooManyPages { asked: self.asked })
            }
            next => next,
        };
        if let Next::Page { offset } = next {
            self.start = offset;
        }
        Taken { fresh, next }
    }

    /// How far before the last row reading resumes, further at each failure: within the last page first, so
    /// that the page reaches beyond the last row again.
    fn distance(&self) -> u64 {
        let page = self.largest_page as u64;
        match self.failures {
            0 | 1 => page / 2,
            2 => page.saturating_sub(1),
            more => page * u64::from(more - 1),
        }
    }
}

#[cfg(test)]
mod tests;
