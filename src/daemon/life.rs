use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;
use tracing::{error, info, warn};

use super::heartbeat::Heartbeat;
use super::{Daemon, DaemonError, Setup};
use crate::observe::http::{Listener, Site};
use crate::observe::notify::{Moment, Watchdog, say_state, tell};
use crate::observe::vitals::Vitals;
use crate::shutdown::Hangups;
use crate::store::{Lock, Store};
use crate::vainu::{self, Kind};

/// How long the start waits for the API to say whether the credentials are good.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// What `systemctl status` shows, which else says of a reload that it went well.
const REFUSED: &str = "the configuration was refused when it was read again, the old one stays: see the log";

/// What a daemon does when it is told to read its configuration again.
pub struct Reloads<'a> {
    pub hangups: Hangups,
    /// Reads the configuration; what is wrong with it, a message each.
    pub load: &'a (dyn Fn() -> Result<Setup, Vec<String>> + Send + Sync),
}

impl Reloads<'_> {
    /// A setup in place of the present one, once a signal asks for it and what is read is right.
    async fn next(&mut self, vitals: &Vitals) -> Setup {
        loop {
            self.hangups.next().await;
            tell(Moment::Reloading);
            let loaded = (self.load)();
            let was_refused = vitals.reading().refused_at.is_some();
            vitals.set_read(loaded.is_ok(), Timestamp::now());
            tell(Moment::Ready);
            if loaded.is_err() || was_refused {
                say_state(if loaded.is_err() { REFUSED } else { "" });
            }
            match loaded {
                Ok(setup) => {
                    info!("the configuration was read again and is right");
                    return setup;
                }
                Err(messages) => {
                    for message in messages {
                        error!("the configuration was read again and refused, the old one stays: {message}");
                    }
                }
            }
        }
    }
}

impl Daemon<'_> {
    /// Lives until it is told to stop.
    ///
    /// # Errors
    /// At the start only: credentials that are refused, a store that can't be used, another daemon on it.
    pub async fn live(mut self, mut reloads: Reloads<'_>) -> Result<(), DaemonError> {
        let path = self.setup.settings.store.path.clone();
        Store::inspect(&path).await?;
        let _lock = Lock::take_for_daemon(&path, &self.holder)?;
        let (stop, vitals) = (self.stop.clone(), self.vitals());
        let listener = Listener::start(Site::new(self.vitals(), Arc::new(Timestamp::now)));
        match stop.run_until_cancelled(vitals.alive_while(self.open_once())).await {
            Some(Err(error)) if error.is_unusable() => return Err(error.into()),
            Some(Err(error)) => warn!(%error, "the store can't be used yet: runs wait for it"),
            Some(Ok(())) | None => {}
        }
        vitals.alive_while(self.check_credentials()).await?;
        info!(queries = self.setup.settings.queries.len(), "daemon started");
        let mut heart = Heartbeat::start().await?;
        let handing = self.handovers.tend(self.vitals(), stop.clone(), &self.holder);
        tell(Moment::Ready);
        let mut watchdog = Watchdog::from_process();
        let read = listening_while(self.catch_feeds_up(), &vitals, &mut reloads, &mut watchdog).await;
        self.take_over_if(read);
        loop {
            vitals.beat();
            tokio::select! {
                () = stop.cancelled() => break,
                () = watchdog.next() => {}
                setup = reloads.next(&vitals) => self.take_over(setup),
                () = heart.next() => {
                    let read = listening_while(self.beat(), &vitals, &mut reloads, &mut watchdog).await;
                    self.take_over_if(read);
                }
            }
        }
        tell(Moment::Stopping);
        listener.stop();
        // Each command that is under way is ended.
        if let Err(error) = handing.await {
            error!(%error, "what hands files over broke off");
        }
        self.pings.settle(&stop).await;
        heart.stop().await?;
        info!("daemon stopped");
        Ok(())
    }

    fn take_over_if(&mut self, read: Option<Setup>) {
        if let Some(setup) = read {
            self.take_over(setup);
        }
    }

    /// Refused credentials end the start; an API that is down does not, nor does it hold the start up.
    async fn check_credentials(&self) -> Result<(), vainu::Error> {
        let meter = self.setup.client.meter();
        let check = timeout(START_PATIENCE, self.setup.client.authenticate(&meter));
        match self.stop.run_until_cancelled(check).await {
            Some(Ok(Err(error))) if matches!(error.kind(), Kind::Credentials | Kind::Setup) => Err(error),
            Some(Ok(Err(error))) => {
                error!(%error, "the API gives no access token: runs will fail until it does");
                Ok(())
            }
            Some(Err(_)) => {
                let seconds = START_PATIENCE.as_secs();
                error!("the API gave no access token within {seconds} s: runs will fail until it does");
                Ok(())
            }
            Some(Ok(Ok(()))) | None => Ok(()),
        }
    }
}

/// Waits for a step, which may take hours, and shows meanwhile that the daemon lives. A configuration that is read
/// meanwhile is judged at once; the last one is to be heeded now that the step has ended.
async fn listening_while<T>(
    step: impl Future<Output = T>,
    vitals: &Vitals,
    reloads: &mut Reloads<'_>,
    watchdog: &mut Watchdog,
) -> Option<Setup> {
    let mut step = Box::pin(vitals.alive_while(step));
    let mut read = None;
    loop {
        tokio::select! {
            _ = &mut step => return read,
            () = watchdog.next() => {}
            setup = reloads.next(vitals) => {
                info!("what was read takes effect when the run under way has ended");
                read = Some(setup);
            }
        }
    }
}
