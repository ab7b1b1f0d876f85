//! From ten thousand organizations to a million, in order and in no order.

use super::Bench;
use crate::contender::{Contender, VAINU_SYNC};
use crate::listing;
use crate::table::{Line, median};

const SIZES: [usize; 4] = [10_000, 100_000, 600_000, 1_000_000];

/// Up to so many by export, too.
const MOST_BY_EXPORT: usize = 600_000;

impl Bench {
    /// What each organization takes, the more there are.
    pub(super) fn scale(&self) {
        let largest = SIZES[SIZES.len() - 1];
        let mut rows = self.server.runtime.block_on(listing::rows(largest));
        for size in SIZES {
            let by_export = (size <= MOST_BY_EXPORT).then_some(Contender::Export);
            let contenders: Vec<Contender> = [VAINU_SYNC].into_iter().chain(by_export).collect();
            self.nights_of(&format!("{size} in order"), &rows[..size], &contenders);
        }
        shuffle(&mut rows);
        self.server.ignore_order(true);
        self.nights_of(&format!("{largest} in random order"), &rows, &[VAINU_SYNC]);
        self.server.ignore_order(false);
    }

    fn nights_of(&self, title: &str, rows: &[String], contenders: &[Contender]) {
        println!("\n# {title}");
        let nights = self.two_nights(rows, contenders);
        println!("\n| {title}, µs each | first load | again |\n|---|---|---|");
        for (first, again) in nights.first.iter().zip(&nights.again) {
            println!("| {} | {} | {} |", first.name, each(first, rows.len()), each(again, rows.len()));
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "there are far fewer rows than a float has whole numbers")]
fn each(line: &Line, rows: usize) -> String {
    format!("{:.1}", median(&line.taken, |taken| taken.wall) * 1e6 / rows as f64)
}

/// In an order that is the same each time.
fn shuffle(rows: &mut [String]) {
    let mut state: u64 = 1;
    for last in (1..rows.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        rows.swap(last, usize::try_from(state >> 33).unwrap() % (last + 1));
    }
}
