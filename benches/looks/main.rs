//! What a look at a large store takes, and whether it grows with the history.
//!
//! `cargo bench --bench looks` makes two stores of a million organizations that two queries hold, one with half a
//! million changes and one with ten times as many, and looks at each through the commands and the pages that people
//! use; then it writes a feed after some changes. `--organizations N`, `--changes N` (of the longer history) and
//! `--rounds N` change the size.
//!
//! The stores are made by SQL: only their tables and views come from vainu-sync.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark ends with a panic where it can't measure"
)]

mod daemon;
mod large;
#[path = "../side_by_side/measure.rs"]
mod measure;
mod trials;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    if let ["measure", command @ ..] = words.as_slice() {
        return measure::run(command);
    }
    trials::run(&wanted(&words));
    ExitCode::SUCCESS
}

/// How large, how often.
pub struct Wanted {
    pub organizations: u32,
    /// Entries of the longer history; the shorter one has a tenth.
    pub changes: u32,
    pub rounds: usize,
}

fn wanted(words: &[&str]) -> Wanted {
    let mut wanted = Wanted { organizations: 1_000_000, changes: 5_000_000, rounds: 5 };
    for pair in words.chunks(2) {
        match pair {
            ["--organizations", value] => wanted.organizations = value.parse().unwrap(),
            ["--changes", value] => wanted.changes = value.parse().unwrap(),
            ["--rounds", value] => wanted.rounds = value.parse().unwrap(),
            other => panic!("{other:?}: there are --organizations N, --changes N and --rounds N"),
        }
    }
    wanted
}
