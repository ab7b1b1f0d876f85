//! `docs/faults.md`, out of what came of each cell.

use super::cell::{Cell, Outcome, Stored};
use super::kinds::{At, Kind};
use super::said;

const BEGIN: &str = include_str!("begin.md");

/// The whole document.
pub fn render(outcomes: &[(Cell, Outcome)]) -> String {
    let pair = |kind: Kind, at: At| {
        let of = |lasts| {
            let cell = Cell { kind, at, lasts };
            &outcomes.iter().find(|(other, _)| *other == cell).expect("every cell has run").1
        };
        Pair { kind, passing: of(false), lasting: of(true) }
    };
    let sections = At::ALL.into_iter().map(|at| {
        let pairs: Vec<Pair<'_>> = Kind::all().into_iter().map(|kind| pair(kind, at)).collect();
        format!("\n## {at}\n\n{}\n\n{}", at.explained(), table(&pairs))
    });
    let glance = glance(&|kind, at| pair(kind, at).exits());
    [BEGIN.to_owned(), glance].into_iter().chain(sections).collect()
}

/// One fault at one request, both ways.
struct Pair<'a> {
    kind: Kind,
    passing: &'a Outcome,
    lasting: &'a Outcome,
}

impl Pair<'_> {
    fn exits(&self) -> String {
        format!("{} · {}", self.passing.exit, self.lasting.exit)
    }

    fn cells(&self) -> String {
        let (passing, lasting) = (ended(self.passing), ended(self.lasting));
        let said = said::by(self.kind, self.lasting);
        format!("{passing} | {lasting} | {said} | {}", stored(self.lasting))
    }
}

fn ended(outcome: &Outcome) -> String {
    let aloud = if outcome.exit == 0 && !outcome.warnings.is_empty() { ", with a warning" } else { "" };
    format!("{}, {}{aloud}", outcome.status, outcome.exit)
}

fn stored(outcome: &Outcome) -> &'static str {
    match outcome.stored {
        Stored::Nothing => "nothing",
        Stored::Part => "what came before",
        Stored::All if outcome.exit == 0 && !outcome.is_gone_left => {
            "all; who is gone stays until it is proved"
        }
        Stored::All => "all",
    }
}

fn glance(exits: &dyn Fn(Kind, At) -> String) -> String {
    let heads: Vec<String> = At::ALL.iter().map(ToString::to_string).collect();
    let head = format!("| fault | {} |\n|---{}|\n", heads.join(" | "), "|---".repeat(heads.len()));
    let rows = Kind::all().into_iter().map(|kind| {
        let row: Vec<String> = At::ALL.iter().map(|at| exits(kind, *at)).collect();
        format!("| {kind} | {} |\n", row.join(" | "))
    });
    std::iter::once(head).chain(rows).collect()
}

/// One row for all faults that end alike.
fn table(pairs: &[Pair<'_>]) -> String {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for pair in pairs {
        let (cells, kind) = (pair.cells(), pair.kind.to_string());
        match rows.iter_mut().find(|(other, _)| *other == cells) {
            Some((_, kinds)) => kinds.push(kind),
            None => rows.push((cells, vec![kind])),
        }
    }
    let head =
        "| fault | it passes | it stays | what the run says then | stored then |\n|---|---|---|---|---|\n";
    let rows = rows.into_iter().map(|(cells, kinds)| format!("| {} | {cells} |\n", kinds.join(", ")));
    std::iter::once(head.to_owned()).chain(rows).collect()
}
