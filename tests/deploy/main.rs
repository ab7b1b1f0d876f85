//! The service as its users install it: under a systemd that boots, in a Docker engine, from the Debian package.
//!
//! All of it wants root and a Debian system in a folder, which `.ci/run` makes; what is lacking is said.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod api;
mod debian;
mod engine;
mod machine;
mod readme;
mod shell;

mod compose;
mod context;
mod docker;
mod package;
mod refused;
mod systemd;
mod units;
