//! vainu-sync keeps a local `SQLite` copy of the companies that saved Vainu queries select.
//!
//! Data flows one way, and the modules stand in its order; each uses only those above it.

pub mod beside;
pub mod file_system;
pub mod text;
pub mod organization;
pub mod vql;
pub mod schedule;
pub mod config;
pub mod vainu;
pub mod listing;
pub mod merge;
pub mod store;
pub mod run;
pub mod agenda;
pub mod standing;
pub mod upkeep;
pub mod feed;
pub mod handover;
pub mod observe;
pub mod shutdown;
pub mod daemon;
pub mod sandbox;
pub mod cli;
