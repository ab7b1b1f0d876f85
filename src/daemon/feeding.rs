use tracing::warn;

use super::Daemon;
use crate::feed::{self, Tools};
use crate::store::{Lock, Store, StoreError};

impl Daemon<'_> {
    /// Writes the feeds of these queries.
    pub(super) async fn feed(&self, queries: &[&str], store: &mut Store) {
        let tools = Tools {
            settings: &self.setup.settings,
            store,
            stop: &self.stop,
            clock: self.clock,
            batch: feed::BATCH,
        };
        let reports = feed::follow(queries, tools).await;
        self.handovers.look_at(reports.into_iter().map(|report| report.feed));
    }

    /// Writes what a death has kept from being written between a run and its feeds.
    pub(super) async fn catch_feeds_up(&self) {
        if self.setup.settings.feed_names().is_empty() {
            return;
        }
        match self.try_to_catch_feeds_up().await {
            // Whoever works on the store writes them.
            Ok(()) | Err(StoreError::InUse { .. }) => {}
            Err(error) => warn!(%error, "the feeds can't be caught up yet: the next run does so"),
        }
    }

    async fn try_to_catch_feeds_up(&self) -> Result<(), StoreError> {
        let settings = &self.setup.settings;
        let lock = Lock::take(&settings.store.path, &self.holder)?;
        let mut store = Store::open(&settings.store.path, &lock).await?;
        self.feed(&settings.query_names(), &mut store).await;
        store.close().await
    }
}
