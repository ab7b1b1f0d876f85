//! `backup`: a copy of the store, while others work on it.

use std::path::PathBuf;
use std::time::Instant;

use jiff::Timestamp;

use super::{Exit, Failure, Surroundings, configured};
use crate::config::Flags;
use crate::observe::logging::Bars;
use crate::store::time;
use crate::text::{grouped, size};
use crate::upkeep::backup;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the copy goes; an earlier backup there is replaced, nothing else is
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Writes the copy and prints what it holds.
///
/// # Errors
/// If something else is at its place, or the store can't be copied.
pub async fn execute(args: &Args, flags: &Flags, around: &mut Surroundings<'_>) -> Result<Exit, Failure> {
    let settings = configured(flags, &around.environment, Bars::Hidden)?.settings;
    let (now, began) = (time::to_text(Timestamp::now()), Instant::now());
    let backup = backup::backup(&settings.store.path, &args.file, &around.stop).await?;
    writeln!(
        around.output,
        "{}: {} organizations, {}, as of {now} ({:.1} s)",
        args.file.display(),
        grouped(backup.organizations),
        size(backup.bytes),
        began.elapsed().as_secs_f64()
    )?;
    Ok(Exit::Done)
}
