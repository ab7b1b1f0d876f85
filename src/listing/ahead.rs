//! Which pages are asked for before it is their turn. Pure.
//!
//! Once a page has shown how many rows the server gives, it is foreseen where those behind it start. They
//! are taken in their order all the same. One that brings nothing new, or whose successor starts elsewhere,
//! makes all behind it worthless; then one page is asked for at a time, and one more with each that is as
//! foreseen. So never more pages are given up than came as foreseen.

use std::collections::VecDeque;

/// What to ask for after a page was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// So many pages under way are worthless: all that there were.
    pub given_up: u64,
    /// Where the pages start that are to be asked for now, in their order.
    pub ask: Vec<u64>,
}

/// The pages of one listing that are under way.
#[derive(Debug)]
pub struct Ahead {
    /// Pages under way at once, at most.
    most: u64,
    /// As many as may be under way now.
    width: u64,
    /// Rows of the whole listing, as far as the pages don't say otherwise.
    foretold: Option<u64>,
    /// Rows of the largest page; 0 before the first.
    largest_page: u64,
    /// Where the page starts whose turn it is.
    turn: u64,
    /// Where those behind it start, in their order.
    behind: VecDeque<u64>,
}

impl Ahead {
    /// `most` pages at once from the start where the number of rows is foretold; else their number grows from
    /// one, since the end may be near.
    #[must_use]
    pub fn new(most: u32, foretold: Option<u64>) -> Self {
        let most = u64::from(most.max(1));
        let width = if foretold.is_some() { most } else { 0 };
        Self { most, width, foretold, largest_page: 0, turn: 0, behind: VecDeque::new() }
    }

    /// The page whose turn it was had `rows` rows, some of them new or not; the next one starts at `next`.
    /// `left` is how many pages may still be taken or given up, those under way among them.
    pub fn follow(&mut self, rows: usize, has_new: bool, next: u64, left: Option<u64>) -> Step {
        let as_foreseen = self.largest_page == 0 || (has_new && self.after(self.turn) == Some(next));
        self.learn(rows as u64, next);
        self.width = if as_foreseen { self.most.min(self.width + 1) } else { 1 };
        let given_up = if as_foreseen { 0 } else { self.behind.drain(..).count() as u64 };
        let mut ask = Vec::new();
        self.turn = self.behind.pop_front().unwrap_or_else(|| {
            ask.push(next);
            next
        });
        ask.extend(self.reach(left.map(|left| left.saturating_sub(given_up))));
        Step { given_up, ask }
    }

    fn learn(&mut self, rows: u64, next: u64) {
        self.largest_page = self.largest_page.max(rows);
        if self.foretold.is_some_and(|foretold| next >= foretold) {
            (self.foretold, self.width) = (None, 0);
        }
    }

    /// The pages to ask for beyond those under way.
    fn reach(&mut self, left: Option<u64>) -> Vec<u64> {
        // One is kept back, for the page that takes the place of those given up.
        let room = left.map_or(self.width, |left| self.width.min(left.saturating_sub(1)));
        let mut reached = Vec::new();
        while (self.behind.len() as u64) + 1 < room {
            let Some(start) = self.after(self.behind.back().copied().unwrap_or(self.turn)) else { break };
            self.behind.push_back(start);
            reached.push(start);
        }
        reached
    }

    /// Where the page behind the one at `start` should start: on its last row, and none behind the page that
    /// proves the end.
    fn after(&self, start: u64) -> Option<u64> {
        let last = start + self.largest_page.checked_sub(1).filter(|step| *step > 0)?;
        match self.foretold {
            Some(rows) if start + 1 >= rows => None,
            Some(rows) => Some(last.min(rows - 1)),
            None => Some(last),
        }
    }
}

#[cfg(test)]
mod tests;
