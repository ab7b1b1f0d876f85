//! What was: for whoever looks at the past of a query, and not at what is in the store.

use super::runs::COLUMNS;
use super::{Run, Store, StoreError};

/// How many runs are looked through for those without success: nothing finds them but their order.
const TROUBLES_AMONG: u32 = 5000;

impl Store {
    /// The runs of `query` before the run `before`, newest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn runs_before(
        &mut self,
        query: &str,
        before: i64,
        limit: u32,
    ) -> Result<Vec<Run>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM runs WHERE query = ? AND id < ? ORDER BY id DESC LIMIT ?");
        let runs = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(query).bind(before).bind(limit);
        let result = runs.fetch_all(&mut self.connection).await;
        self.checked(result)
    }

    /// The latest runs that ended without success, newest first, among the last some thousand.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn latest_troubles(&mut self, limit: u32) -> Result<Vec<Run>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE id > (SELECT max(id) FROM runs) - {TROUBLES_AMONG} \
             AND status NOT IN ('succeeded', 'running') ORDER BY id DESC LIMIT ?"
        );
        let runs = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(limit);
        let result = runs.fetch_all(&mut self.connection).await;
        self.checked(result)
    }
}
