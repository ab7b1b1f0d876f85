use std::path::Path;

use jiff::Timestamp;

use super::Daemon;
use crate::agenda;
use crate::config::settings::Query;
use crate::feed;
use crate::schedule::Due;
use crate::store::{Identity, Lock, Store, StoreError, time};

impl Daemon<'_> {
    /// A store that was removed would be made anew, empty, and everybody in it be created once more.
    pub(super) fn check_store(&self, path: &Path) -> Result<(), StoreError> {
        match self.store {
            Some(first) if Identity::of(path).ok() != Some(first) => {
                Err(StoreError::Replaced(path.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// The store with what is due for `query` by `now`.
    pub(super) async fn open_for(
        &self,
        query: &Query,
        lock: &Lock,
        now: Timestamp,
    ) -> Result<(Store, Option<Due>), StoreError> {
        let mut store = Store::open(&self.setup.settings.store.path, lock).await?;
        // First: settling ends a run whose process died now, from when it would wait once more.
        let next = agenda::next_start(&mut store, query, self.basis(), now).await?;
        self.settle(&mut store).await?;
        Ok((store, next.due(now)))
    }

    /// Ends runs whose process died, and retires queries and feeds that the configuration no longer has.
    async fn settle(&self, store: &mut Store) -> Result<(), StoreError> {
        let now = (self.clock)();
        store.mark_interrupted(&time::to_text(now)).await?;
        store.retire(&self.setup.settings.query_names()).await?;
        feed::retire(&self.setup.settings, store, now).await
    }

    /// Makes or migrates the store, so that a file that can't be used ends the start.
    pub(super) async fn open_once(&self) -> Result<(), StoreError> {
        let path = &self.setup.settings.store.path;
        match Lock::take(path, &self.holder) {
            Ok(lock) => {
                let mut store = Store::open(path, &lock).await?;
                self.settle(&mut store).await?;
                store.close().await
            }
            // Another process works on the store, so it can be used.
            Err(StoreError::InUse { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
