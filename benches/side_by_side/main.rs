//! vainu-sync beside a bare floor, on one listing, in turns.
//!
//! `cargo bench --bench side_by_side` does all; `-- NAME…` does some; `--rows N` and `--rounds N` change the size;
//! `--build FILE` lets another build of vainu-sync take part beside the floor; `serve` only serves the pages until it
//! is stopped, for a profile. Times are of whole processes; medians with the lowest and the highest.
//!
//! The program calls itself for what has to be a process of its own: `load` is the bare program, `measure` runs a
//! command and tells what it took.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark ends with a panic where it can't measure"
)]

mod contender;
mod floor;
mod listing;
mod measure;
mod server;
mod table;
mod trials;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["load", base_url, token, store] => floor::run(base_url, token, store),
        ["measure", command @ ..] => return measure::run(command),
        ["serve", rows] => trials::serve(rows.parse().unwrap()),
        words => trials::run(words),
    }
    ExitCode::SUCCESS
}
