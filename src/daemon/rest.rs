//! Leaving the store alone after a failure, and saying so once.

use std::time::Duration;

use jiff::Timestamp;
use tracing::{error, info, warn};

use super::{Beat, Daemon};
use crate::store::StoreError;

/// How long is waited after the store could not be used.
const STORE_RETRY: Duration = Duration::from_secs(30);

/// How long is waited after the store was found damaged: a person has to come.
const DAMAGED_RETRY: Duration = Duration::from_hours(1);

/// How often it is looked whether another process still has a run under way.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Daemon<'_> {
    /// Leaves the store alone for a while. It is waited for whoever has a run under way.
    pub(super) fn rest(&mut self, error: StoreError, now: Timestamp) -> Beat {
        if matches!(error, StoreError::InUse { .. }) {
            self.vitals.set_trouble(None);
            if !std::mem::replace(&mut self.waiting, true) {
                info!(reason = %error, "a run is due and waits");
            }
        } else {
            self.vitals.set_trouble(Some(error.to_string()));
            self.say(&error);
        }
        self.rest_for(pause_after(&error), now);
        Beat::NoStore(error)
    }

    /// The same after a run that has failed by its store, and has said so. What wants a person is said here, too.
    pub(super) fn rest_after_run(&mut self, error: &StoreError, now: Timestamp) {
        if wants_a_person(error) {
            self.vitals.set_trouble(Some(error.to_string()));
            self.say(error);
        }
        self.rest_for(pause_after(error), now);
    }

    /// The store was used, or could have been.
    pub(super) fn is_usable(&mut self) {
        if self.said.take().is_some() {
            info!("the store can be used again");
        }
    }

    /// Says what keeps the daemon from its store, unless that was the last thing it said of it.
    fn say(&mut self, error: &StoreError) {
        let words = error.to_string();
        if self.said.as_ref() == Some(&words) {
            return;
        }
        if wants_a_person(error) {
            error!(%error, "the store can't be used, no query is run before somebody has seen to it");
        } else {
            warn!(%error, "the store can't be used: trying again");
        }
        self.said = Some(words);
    }

    fn rest_for(&mut self, pause: Duration, now: Timestamp) {
        self.rest_until = now.checked_add(pause).unwrap_or(now);
    }
}

fn wants_a_person(error: &StoreError) -> bool {
    error.is_unusable() || matches!(error, StoreError::Replaced(_))
}

/// How long the store is left alone after an error.
fn pause_after(error: &StoreError) -> Duration {
    match error {
        StoreError::InUse { .. } => LOOK_AGAIN,
        StoreError::Corrupt { .. } => DAMAGED_RETRY,
        _ => STORE_RETRY,
    }
}
