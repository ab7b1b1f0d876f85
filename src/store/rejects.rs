use sqlx::{QueryBuilder, SqliteConnection};

use crate::organization::Rejected;

/// Of each run, this many are kept; all are counted.
pub const KEPT_A_RUN: u64 = 100;

/// Of each row, this much is kept, in bytes.
const KEPT_A_ROW: usize = 4096;

/// Keeps rows that were set aside.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    run: i64,
    at: &str,
    rejects: &[Rejected],
) -> sqlx::Result<()> {
    if rejects.is_empty() {
        return Ok(());
    }
    let mut sql = QueryBuilder::new("INSERT INTO rejects (run_id, at, reason, row) ");
    sql.push_values(rejects, |mut values, reject| {
        values
            .push_bind(run)
            .push_bind(at)
            .push_bind(reject.reason.to_string())
            .push_bind(start(&reject.text));
    });
    sql.build().execute(connection).await?;
    Ok(())
}

fn start(row: &str) -> &str {
    &row[..row.floor_char_boundary(KEPT_A_ROW)]
}
