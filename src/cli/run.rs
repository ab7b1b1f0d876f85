//! `run`: the daemon.

use jiff::Timestamp;

use super::{Exit, Failure, Surroundings, client, configured_to_run, holder};
use crate::config::Flags;
use crate::daemon::Daemon;
use crate::observe::logging::Bars;

/// Runs until it is told to stop.
///
/// # Errors
/// At the start only: a wrong configuration, refused credentials, a store that can't be used.
pub async fn execute(flags: &Flags, around: &Surroundings<'_>) -> Result<Exit, Failure> {
    let settings = configured_to_run(flags, &around.environment, Bars::Hidden)?;
    let client = client(&settings)?;
    let daemon = Daemon::new(&settings, &client, &Timestamp::now, around.stop.clone(), holder("run"));
    daemon.live().await?;
    Ok(Exit::Done)
}
