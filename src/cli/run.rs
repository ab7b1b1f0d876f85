//! `run`: the daemon.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::task::TaskTracker;

use super::{Exit, Failure, Surroundings, client, configured, holder, to_run};
use crate::config::settings::Settings;
use crate::config::{Environment, Flags, load};
use crate::daemon::{Daemon, Reloads, Setup};
use crate::observe::logging::Bars;
use crate::shutdown::Hangups;
use crate::vainu::Traffic;

/// Runs until it is told to stop.
///
/// # Errors
/// At the start only: a wrong configuration, refused credentials, a store that can't be used.
pub async fn execute(flags: &Flags, around: &Surroundings<'_>) -> Result<Exit, Failure> {
    let hangups = Hangups::listen()?;
    let Surroundings { environment, refreshes, .. } = around;
    let traffic = Arc::default();
    let setup = setup(to_run(configured(flags, environment, Bars::Hidden)?)?, refreshes, &traffic)?;
    let store = setup.settings.store.path.clone();
    let again = || setup_again(flags, environment, refreshes, &traffic, &store);
    let daemon = Daemon::new(setup, &Timestamp::now, around.stop.clone(), holder("run"));
    daemon.live(Reloads { hangups, load: &again }).await?;
    Ok(Exit::Done)
}

/// What is read anew, or what is wrong with it. Another store needs another daemon.
fn setup_again(
    flags: &Flags,
    environment: &Environment,
    refreshes: &TaskTracker,
    traffic: &Arc<Traffic>,
    store: &Path,
) -> Result<Setup, Vec<String>> {
    let loaded = load(flags, environment).map_err(Failure::from);
    let again = loaded.and_then(to_run).and_then(|settings| setup(settings, refreshes, traffic));
    let again = again.map_err(|failure| failure.messages())?;
    if again.settings.store.path != store {
        let path = again.settings.store.path.display();
        return Err(vec![format!("store.path is another one, {path}: restart to use it")]);
    }
    Ok(again)
}

/// Counted is in one place, whichever client asks: counters don't fall when the configuration is read again.
fn setup(settings: Settings, refreshes: &TaskTracker, traffic: &Arc<Traffic>) -> Result<Setup, Failure> {
    let client = client(&settings, refreshes)?.with_traffic(Arc::clone(traffic));
    Ok(Setup { settings: Arc::new(settings), client })
}
