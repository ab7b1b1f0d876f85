//! `completions`: what a shell needs to complete our command lines.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Exit, Failure, Output};

#[derive(Debug, clap::Args)]
pub struct Args {
    shell: Shell,
}

/// Prints them.
///
/// # Errors
/// If stdout can't be written.
pub fn execute(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    // Into memory first: the generator panics where it can't write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "vainu-sync", &mut script);
    output.write_all(&script)?;
    Ok(Exit::Done)
}
