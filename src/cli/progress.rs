//! A progress bar for a run, where there is a terminal.

use crate::observe::progress::Bar;
use crate::run::Progress;

/// Draws one query's bar; without a terminal it shows nothing.
pub struct OnTerminal(Bar);

impl OnTerminal {
    pub fn of(query: &str) -> Self {
        Self(Bar::new(query))
    }
}

impl Progress for OnTerminal {
    fn expected(&self, rows: Option<u64>) {
        if let Some(rows) = rows {
            self.0.expect(rows);
        }
    }

    fn stored(&self, rows: u64) {
        self.0.fetched(rows);
    }
}
