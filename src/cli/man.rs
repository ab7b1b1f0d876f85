//! `man`: manual pages, for packages. Hidden, since who has the program has `--help`.

use std::path::PathBuf;

use clap::CommandFactory;

use super::{Cli, Exit, Failure};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder to write them into
    folder: PathBuf,
}

/// Writes a page for the program and one for each command.
///
/// # Errors
/// If they can't be written.
pub fn execute(args: &Args) -> Result<Exit, Failure> {
    clap_mangen::generate_to(Cli::command(), &args.folder).map_err(|source| Failure::System {
        what: format!("the manual pages can't be written into {}", args.folder.display()),
        source,
    })?;
    Ok(Exit::Done)
}
