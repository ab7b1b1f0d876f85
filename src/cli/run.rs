//! `run`: the daemon.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Exit, Failure, Surroundings, client, configured, holder, to_run};
use crate::config::settings::Settings;
use crate::config::{Environment, Flags, load};
use crate::daemon::{Daemon, Reloads, Setup};
use crate::observe::logging::Bars;
use crate::shutdown::Hangups;

/// Runs until it is told to stop.
///
/// # Errors
/// At the start only: a wrong configuration, refused credentials, a store that can't be used.
pub async fn execute(flags: &Flags, around: &Surroundings<'_>) -> Result<Exit, Failure> {
    let hangups = Hangups::listen()?;
    let setup = setup(to_run(configured(flags, &around.environment, Bars::Hidden)?)?)?;
    let environment = &around.environment;
    let again = || setup_again(flags, environment).map_err(|failure| failure.messages());
    let daemon = Daemon::new(setup, &Timestamp::now, around.stop.clone(), holder("run"));
    daemon.live(Reloads { hangups, load: &again }).await?;
    Ok(Exit::Done)
}

fn setup_again(flags: &Flags, environment: &Environment) -> Result<Setup, Failure> {
    setup(to_run(load(flags, environment)?)?)
}

fn setup(settings: Settings) -> Result<Setup, Failure> {
    let client = client(&settings)?;
    Ok(Setup { settings: Arc::new(settings), client })
}
