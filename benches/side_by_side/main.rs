//! vainu-sync beside a bare floor and beside what users pick instead, on one listing, in turns.
//!
//! `cargo bench --bench side_by_side` does all; `-- NAME…` does some; `--rows N` and `--rounds N` change the size;
//! `--build FILE` lets another build of vainu-sync take part beside the floor; `--python FILE` names the Python of the
//! peers; `serve` only serves the pages until it is stopped, for a profile. Times are of whole processes; medians with
//! the lowest and the highest.
//!
//! The program calls itself for what has to be a process of its own: `load` is the bare program, `fetch` the
//! reader that throws pages away, `measure` runs a command and tells what it took.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark ends with a panic where it can't measure"
)]

mod ceiling;
mod contender;
mod exports;
mod floor;
mod listing;
mod measure;
mod peers;
mod server;
mod table;
mod trials;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["load", base_url, token, store] => floor::run(base_url, token, store),
        ["fetch", base_url, token, concurrency, rows] => {
            ceiling::run(base_url, token, concurrency.parse().unwrap(), rows.parse().unwrap());
        }
        ["measure", command @ ..] => return measure::run(command),
        ["serve", rows] => trials::serve(rows.parse().unwrap()),
        words => trials::run(words),
    }
    ExitCode::SUCCESS
}
