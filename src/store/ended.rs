//! What runs did that have ended, summed up: for counters, which look at each run once.

use std::fmt::Write;

use sqlx::{Connection, FromRow};

use super::{Store, StoreError};

/// The runs of one query that ended in one way, together.
#[derive(Debug, Clone, FromRow)]
pub struct Ended {
    pub query: String,
    pub status: String,
    pub runs: i64,
    pub fetched: i64,
    pub created: i64,
    pub entered: i64,
    pub updated: i64,
    pub left: i64,
    pub rejected: i64,
    /// How long they took.
    pub seconds: f64,
    took_0: i64,
    took_1: i64,
    took_2: i64,
    took_3: i64,
    took_4: i64,
    took_5: i64,
    took_6: i64,
}

impl Ended {
    /// The lengths that runs are told apart by, in seconds.
    pub const UP_TO: [f64; 7] = [1.0, 10.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0];

    /// How many took up to each of these, without those before; who took longer is in none.
    #[must_use]
    pub fn took(&self) -> [i64; 7] {
        [self.took_0, self.took_1, self.took_2, self.took_3, self.took_4, self.took_5, self.took_6]
    }
}

/// What has ended since it was last looked.
#[derive(Debug)]
pub struct EndedSince {
    pub ended: Vec<Ended>,
    /// The runs that are under way.
    pub running: Vec<i64>,
    /// The latest run.
    pub last: i64,
}

/// `?1`: the last run that was looked at; `?2`: those of them that were under way.
const NOT_LOOKED_AT: &str = "(id > ?1 OR id IN (SELECT value FROM json_each(?2)))";

impl Store {
    /// What has ended of the runs after `counted`, and of those that were `running` when it was last looked.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn ended_since(&mut self, counted: i64, running: &[i64]) -> Result<EndedSince, StoreError> {
        let result = self.try_ended_since(counted, running).await;
        self.checked(result)
    }

    async fn try_ended_since(&mut self, counted: i64, running: &[i64]) -> sqlx::Result<EndedSince> {
        let before = serde_json::to_string(running).expect("a list of numbers is always JSON");
        // One moment for all three, or a run that ends in between is missed or counted twice.
        let mut tx = self.connection.begin().await?;
        let sql = format!("SELECT id FROM runs WHERE status = 'running' AND {NOT_LOOKED_AT}");
        let running = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(counted)
            .bind(&before)
            .fetch_all(&mut *tx)
            .await?;
        let ended = sqlx::query_as(sqlx::AssertSqlSafe(sums()))
            .bind(counted)
            .bind(&before)
            .fetch_all(&mut *tx)
            .await?;
        let last = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM runs").fetch_one(&mut *tx).await?;
        tx.commit().await?;
        Ok(EndedSince { ended, running, last })
    }
}

fn sums() -> String {
    let mut took = String::new();
    let mut above = "-1".to_owned();
    for (number, up_to) in Ended::UP_TO.iter().enumerate() {
        let _ = write!(took, ", sum(took > {above} AND took <= {up_to}) AS took_{number}");
        above = up_to.to_string();
    }
    // Materialized, or SQLite reckons `took` anew for each of the sums. A clock that was set back makes no run shorter
    // than nothing.
    format!(
        "WITH ended AS MATERIALIZED (SELECT query, status, fetched, created, entered, updated, \"left\", rejected, \
           max(0.0, coalesce((julianday(finished_at) - julianday(started_at)) * 86400.0, 0.0)) AS took \
           FROM runs WHERE status <> 'running' AND {NOT_LOOKED_AT}) \
         SELECT query, status, count(*) AS runs, sum(fetched) AS fetched, sum(created) AS created, \
         sum(entered) AS entered, sum(updated) AS updated, sum(\"left\") AS \"left\", sum(rejected) AS rejected, \
         total(took) AS seconds{took} FROM ended GROUP BY query, status"
    )
}
