use sqlx::SqliteConnection;

use super::{NewChange, Written, changes, fingerprint, memberships, organizations};
use crate::organization::ChangeKind;

/// Members that leave, and what becomes of them.
#[derive(Debug, Default)]
pub struct Departures {
    pub left: Vec<i64>,
    /// Of those, the ones that no query holds any more.
    pub gone: Vec<i64>,
    /// Documents of those that others hold, without the keys that went with this query.
    pub released: Vec<Written>,
    /// What [`Self::released`] changed, to be logged.
    pub updates: Vec<NewChange>,
    /// Members that wait for a second complete listing.
    pub missing: Vec<i64>,
}

/// Lets members of `query` go and logs it under `run`.
pub(super) async fn depart(
    connection: &mut SqliteConnection,
    run: Option<i64>,
    query: i64,
    departures: &Departures,
    now: &str,
) -> sqlx::Result<()> {
    let Departures { left, gone, released, updates, missing } = departures;
    organizations::update(connection, released).await?;
    let altered: Vec<i64> = released.iter().map(|written| written.id).collect();
    fingerprint::forget_others(connection, query, &altered).await?;
    memberships::leave(connection, query, left, now).await?;
    organizations::mark_gone(connection, gone, now).await?;
    memberships::set_missing(connection, query, missing, Some(now)).await?;
    let left = left.iter().map(|organization| NewChange {
        organization: *organization,
        kind: ChangeKind::Left,
        before: None,
        after: None,
    });
    let log: Vec<NewChange> = left.chain(updates.iter().cloned()).collect();
    changes::append(connection, run, query, now, &log).await
}
