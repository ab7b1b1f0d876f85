//! The program against its sandbox, end to end.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod bench;
mod chance;
mod consumer;
mod program;
mod replay;
mod terminal;
mod vainu_cli;
mod wire;

mod backup_places;
mod backups;
mod bars;
mod bodies;
mod check;
mod clocks;
mod commands;
mod credentials;
mod daemon;
mod datasette;
mod departures;
mod disk;
mod dry_run;
mod encodings;
mod erasing;
mod examples;
mod export_files;
mod exports;
mod faults;
mod feed_folders;
mod feed_histories;
mod feed_kills;
mod feed_members;
mod feed_mounts;
mod feed_readers;
mod feeds;
mod files;
mod handover;
mod histories;
mod idle;
mod incremental;
mod init;
mod init_asks;
mod inquiries;
mod judge;
mod kills;
mod large_rows;
mod life;
mod listener;
mod listings;
mod messages;
mod migration;
mod mistakes;
mod network;
mod online;
mod payloads;
mod presets;
mod pings;
mod retention;
mod retries;
mod questions;
mod read_only;
mod rows;
mod secrets;
mod sharing;
mod shortcuts;
mod side_by_side;
mod soak;
mod standing;
mod tokens;
mod tools;
mod unknown_paths;
mod upkeep;
mod upkeep_deaths;
mod waiting;
mod webhooks;
mod warehouse;
mod zones;
