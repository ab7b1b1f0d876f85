//! `prune`: forgets a query that the configuration no longer has.

use std::time::Duration;

use jiff::Timestamp;

use super::{Exit, Failure, Surroundings, configured, open_existing};
use crate::config::Flags;
use crate::observe::logging::Bars;
use crate::text::grouped;
use crate::upkeep::{BATCH_MEMBERS, Pruned, Pruning, prune};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The query to forget; the configuration must have it no more
    #[arg(value_name = "QUERY")]
    query: String,
    /// Where a run is under way, wait for so long until it has ended, as in 30s or 10m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "0s")]
    wait: Duration,
}

/// Lets the query's members go, logs that, and forgets it.
///
/// # Errors
/// If the configuration still has it, the store does not, or the store can't be had.
pub async fn execute(args: &Args, flags: &Flags, around: &mut Surroundings<'_>) -> Result<Exit, Failure> {
    let settings = configured(flags, &around.environment, Bars::Hidden)?.settings;
    let opening = open_existing(&settings.store.path, "prune", args.wait);
    let Some(opened) = around.stop.run_until_cancelled(opening).await else { return Ok(Exit::NotDone) };
    let (_lock, mut store) = opened?;
    let (now, stop) = (Timestamp::now(), &around.stop);
    let pruning = Pruning { settings: &settings, now, stop, batch_members: BATCH_MEMBERS };
    let pruned = prune(&mut store, &args.query, pruning).await;
    store.close().await?;
    let Pruned { left, gone } = pruned?;
    writeln!(
        around.output,
        "{}: forgotten: {} members left, {} of them are held by no query any more",
        args.query,
        grouped(left),
        grouped(gone)
    )?;
    Ok(Exit::Done)
}
