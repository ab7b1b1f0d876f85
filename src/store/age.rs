use super::{Store, StoreError};

impl Store {
    /// When the store was made: its first migration was applied.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn made_at(&mut self) -> Result<Option<String>, StoreError> {
        let made = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', min(installed_on)) FROM _sqlx_migrations";
        let result = sqlx::query_scalar(made).fetch_one(&mut self.connection).await;
        self.checked(result)
    }
}
