//! `rename`: a query's members and history under another name.

use std::time::Duration;

use jiff::Timestamp;

use super::{Exit, Failure, Surroundings, configured, open_existing};
use crate::config::{Flags, Settings, query_name};
use crate::observe::logging::Bars;
use crate::text::grouped;
use crate::upkeep::rename;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The query's name in the store
    #[arg(value_name = "OLD")]
    old: String,
    /// Its new one, as the configuration has it: the letters a to z, digits and hyphens
    #[arg(value_name = "NEW", value_parser = query_name)]
    new: String,
    /// Where a run is under way, wait for so long until it has ended, as in 30s or 10m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "0s")]
    wait: Duration,
}

/// Renames the query and says what the configuration lacks.
///
/// # Errors
/// If the store does not have OLD, NEW has members, or the store can't be had.
pub async fn execute(args: &Args, flags: &Flags, around: &mut Surroundings<'_>) -> Result<Exit, Failure> {
    let settings = configured(flags, &around.environment, Bars::Hidden)?.settings;
    let Args { old, new, wait } = args;
    let opening = open_existing(&settings.store.path, "rename", *wait);
    let Some(opened) = around.stop.run_until_cancelled(opening).await else { return Ok(Exit::NotDone) };
    let (_lock, mut store) = opened?;
    let renamed = rename(&mut store, old, new, Timestamp::now()).await;
    store.close().await?;
    let members = grouped(renamed?);
    writeln!(around.output, "{old}: called {new} from now on, with {members} members and their history")?;
    if let Some(note) = disagreement(old, new, &settings) {
        tracing::warn!("{note}");
    }
    Ok(Exit::Done)
}

/// What is to be done in the configuration.
fn disagreement(old: &str, new: &str, settings: &Settings) -> Option<String> {
    let has = |name: &str| settings.queries.iter().any(|query| query.name == name);
    if !has(new) {
        return Some(format!(
            "the configuration has no query \"{new}\" yet: rename it there too, and let a daemon read it again \
             (SIGHUP)"
        ));
    }
    has(old).then(|| format!("the configuration still has \"{old}\" too: it begins anew, without members"))
}
