//! The connection of one pass. Nothing that it does lasts until [`Link::commit`]; dropped, the server undoes it.

use std::future::Future;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Postgres, Row, query::Query};

use super::error::{Scene, WarehouseError};

const CONNECTING: Duration = Duration::from_secs(30);

/// For one statement: a network that swallows everything would hold the daemon for ever.
const ANSWER: Duration = Duration::from_mins(15);

/// A connection within its transaction.
pub struct Link {
    connection: PgConnection,
    pub scene: Scene,
}

impl Link {
    /// Connects and begins.
    pub async fn begin(options: &PgConnectOptions, scene: Scene) -> Result<Self, WarehouseError> {
        let connecting = tokio::time::timeout(CONNECTING, PgConnection::connect_with(options)).await;
        let Ok(connected) = connecting else {
            let reason = format!("no answer within {}s", CONNECTING.as_secs());
            return Err(WarehouseError::Unreachable { place: scene.place, reason });
        };
        let connection = connected.map_err(|error| scene.meaning_at_connecting(&error))?;
        let mut link = Self { connection, scene };
        link.look().await?;
        // Whatever the database's own defaults are.
        link.run(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '30s'; \
             SET LOCAL synchronous_commit = 'on'; SET LOCAL statement_timeout = 0; \
             SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL TIME ZONE 'UTC'; \
             SET LOCAL client_min_messages = 'warning'",
        )
        .await?;
        Ok(link)
    }

    /// Whether the database can take what comes.
    async fn look(&mut self) -> Result<(), WarehouseError> {
        let row = self
            .one(sqlx::query(
                "SELECT current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby",
            ))
            .await?;
        let (encoding, is_standby): (String, bool) = (row.get("encoding"), row.get("standby"));
        let place = self.scene.place.clone();
        if encoding != "UTF8" {
            return Err(WarehouseError::Encoding { place, found: encoding });
        }
        if is_standby { Err(WarehouseError::ReadOnly { place }) } else { Ok(()) }
    }

    /// Statements without parameters or answers. `sql` holds no value but names that were quoted.
    pub async fn run(&mut self, sql: &str) -> Result<(), WarehouseError> {
        let Self { connection, scene } = self;
        let running = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection);
        within(scene, running).await.map(|_| ())
    }

    /// How many rows a statement concerned.
    pub async fn execute(&mut self, query: Statement<'_>) -> Result<u64, WarehouseError> {
        let Self { connection, scene } = self;
        within(scene, query.execute(connection)).await.map(|done| done.rows_affected())
    }

    pub async fn rows(&mut self, query: Statement<'_>) -> Result<Vec<PgRow>, WarehouseError> {
        let Self { connection, scene } = self;
        within(scene, query.fetch_all(connection)).await
    }

    pub async fn row(&mut self, query: Statement<'_>) -> Result<Option<PgRow>, WarehouseError> {
        let Self { connection, scene } = self;
        within(scene, query.fetch_optional(connection)).await
    }

    pub async fn one(&mut self, query: Statement<'_>) -> Result<PgRow, WarehouseError> {
        let Self { connection, scene } = self;
        within(scene, query.fetch_one(connection)).await
    }

    /// Sends rows in the text format of COPY.
    pub async fn copy(&mut self, statement: &str, rows: &[u8]) -> Result<(), WarehouseError> {
        /// Of one message.
        const PIECE: usize = 1 << 20;
        let Self { connection, scene } = self;
        let copying = async {
            let mut copy = connection.copy_in_raw(statement).await?;
            for piece in rows.chunks(PIECE) {
                copy.send(piece).await?;
            }
            copy.finish().await
        };
        within(scene, copying).await.map(|_| ())
    }

    /// Makes all of it last.
    pub async fn commit(mut self) -> Result<(), WarehouseError> {
        self.run("COMMIT").await?;
        // What was committed stays, however the connection ends.
        let _ = tokio::time::timeout(CONNECTING, self.connection.close()).await;
        Ok(())
    }
}

pub type Statement<'q> = Query<'q, Postgres, sqlx::postgres::PgArguments>;

async fn within<T>(
    scene: &Scene,
    asking: impl Future<Output = sqlx::Result<T>>,
) -> Result<T, WarehouseError> {
    match tokio::time::timeout(ANSWER, asking).await {
        Ok(answer) => answer.map_err(|error| scene.meaning(&error)),
        Err(_) => Err(WarehouseError::Silent(ANSWER)),
    }
}
