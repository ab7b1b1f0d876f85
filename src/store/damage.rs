//! A store that is damaged: once that is noticed, nothing more is written to it.

use sqlx::SqliteConnection;

use super::{Store, StoreError, open, runs};

impl Store {
    /// Marks runs whose process has died as interrupted; how many there were. What kept a run from writing its
    /// end may have damaged the store: it is looked through first.
    ///
    /// # Errors
    /// If the store is damaged or can't be written.
    pub async fn mark_interrupted(&mut self, now: &str) -> Result<u64, StoreError> {
        self.check_place()?;
        let running = runs::any_running(&mut self.connection).await;
        if !self.checked(running)? {
            return Ok(0);
        }
        self.look_through().await?;
        let result = runs::mark_interrupted(&mut self.connection, now).await;
        self.checked(result)
    }

    /// Reads the whole file, and compares each index with its table.
    async fn look_through(&mut self) -> Result<(), StoreError> {
        let result = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut self.connection).await;
        let found: String = self.checked(result)?;
        if found == "ok" { Ok(()) } else { Err(self.found_damaged(found)) }
    }

    /// That the store holds what it never writes. Nothing more is written from now on.
    pub fn found_damaged(&mut self, reason: String) -> StoreError {
        let path = self.path.clone();
        self.damage = Some(reason.clone());
        StoreError::Corrupt { path, reason }
    }

    /// What was found damaged so far.
    #[must_use]
    pub fn damage(&self) -> Option<StoreError> {
        let reason = self.damage.clone()?;
        Some(StoreError::Corrupt { path: self.path.clone(), reason })
    }

    /// Remembers a damage that SQLite noticed.
    pub(super) fn noticed<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Corrupt { reason, .. }) = &result {
            self.damage = Some(reason.clone());
        }
        result
    }

    /// Whoever closes a store last brings the write-ahead log into the file. A damaged one is spared that as
    /// long as this reader has it open too.
    pub(super) async fn guard_damaged(&self) -> Option<SqliteConnection> {
        self.damage.as_ref()?;
        open::for_reading(&self.path).await.ok()
    }
}
