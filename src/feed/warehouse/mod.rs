//! A feed whose rows go into a PostgreSQL database: organizations, memberships and changes, all within one
//! transaction there, with how far the feed has got. Whatever dies, the database has all of a pass or nothing of it.
//!
//! [`run`] is the path: connect, wait for other machines, make the tables, see how far this store has got there, bring
//! rows and memberships to what the store says, send the log, commit.

mod changes;
mod copy;
mod cursor;
mod error;
mod link;
mod pass;
mod row;
mod sql;
mod sweep;
mod tables;
mod url;

use serde::{Deserialize, Serialize};

pub use error::WarehouseError;
pub use url::fault;

use super::scope::{self, OfFeed};
use super::{FeedError, Outcome, Tools};
use crate::config::settings::Warehouse;
use crate::store::{Moment, time};
use cursor::{Cursor, Extent, Log};
use error::Scene;
use link::Link;
use pass::{Done, Pass};
use sql::Sql;
use tables::Tables;

/// What the store remembers of a feed's tables, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub table: String,
    /// What the last pass that wrote anything has written.
    pub rows: Option<i64>,
    pub written_at: Option<String>,
    /// When the tables were last right.
    pub checked_at: Option<String>,
}

/// Writes what is new; with `everything`, every row.
pub async fn run(feed: &Warehouse, everything: bool, tools: &mut Tools<'_>) -> Result<Outcome, FeedError> {
    let stop = tools.stop;
    // What is under way is undone by the server as the connection goes.
    let written = stop.run_until_cancelled(write(feed, everything, tools)).await;
    written.unwrap_or(Err(FeedError::Stopped))
}

async fn write(feed: &Warehouse, everything: bool, tools: &mut Tools<'_>) -> Result<Outcome, FeedError> {
    let state = tools.store.feed(&feed.name).await?;
    let queries = scope::queries(&feed.queries, &tools.store.queries().await?);
    let now = time::to_text((tools.clock)());
    let scene = Scene { place: url::place(feed), table: feed.place() };
    let mut link = Link::begin(&url::options(feed)?, scene).await?;
    let mut moment = tools.store.moment().await?;
    let feeds = &tools.settings.warehouses;
    let task = Task { feed, feeds, queries: &queries, now: &now, everything, batch: tools.batch };
    let (done, is_right) = task.write(&mut link, &mut moment).await?;
    drop(moment);
    link.commit().await?;
    let mut told: Told =
        state.warehouse.as_deref().and_then(|told| serde_json::from_str(told).ok()).unwrap_or_default();
    told.table = feed.place();
    if is_right {
        told.checked_at = Some(now.clone());
    }
    if done.has_written() {
        told = Told { rows: Some(done.rows.cast_signed()), written_at: Some(now.clone()), ..told };
    }
    let told = serde_json::to_string(&told).expect("texts and numbers are always JSON");
    tools.store.set_warehouse(state.id, &told).await?;
    Ok(task.outcome(&done, is_right))
}

struct Task<'a> {
    feed: &'a Warehouse,
    /// All of the configuration.
    feeds: &'a [Warehouse],
    queries: &'a [OfFeed],
    now: &'a str,
    everything: bool,
    batch: usize,
}

impl Task<'_> {
    /// Writes what differs; what that was, and whether all is right now.
    async fn write(&self, link: &mut Link, moment: &mut Moment<'_>) -> Result<(Done, bool), FeedError> {
        let tables = Tables::of(self.feed);
        tables.lock(link).await?;
        let is_new = tables.ensure(self.feed, link).await?;
        let store = moment.identity().await?;
        let known = cursor::read(link, &tables, &store).await?;
        self.refuse_shared(&known)?;
        let definition = cursor::definition(self.feed, self.queries);
        self.warn_of_unlike(link, &tables, &store, &definition).await?;
        let (extent, last) = self.extent(&known, is_new, moment).await?;
        let sql = Sql::of(self.feed, &tables);
        link.run(&sql.staging).await?;
        let is_proved = self.queries.iter().all(|query| query.is_proved);
        let mut pass = Pass {
            feed: self.feed,
            link,
            sql: &sql,
            store: &store,
            queries: self.queries,
            is_proved,
            scope: extent.organizations,
            now: self.now,
            batch: self.batch,
            done: Done::default(),
        };
        pass.write(moment).await?;
        pass.tell_changes(moment, extent.changes_after).await?;
        let done = pass.done;
        let is_right = done.held == 0;
        let definition = is_right.then_some(definition);
        let feed = self.feed.name.clone();
        let reached = Cursor { feed, seq: last, mark: moment.mark(last).await?, definition, is_proved };
        let wrote = (self.now, done.has_written());
        cursor::write(link, &tables, &store, &reached, wrote).await?;
        Ok((done, is_right))
    }

    /// Another feed of this store, whose address the configuration gives in another way, would have its memberships
    /// taken away.
    fn refuse_shared(&self, known: &Cursor) -> Result<(), WarehouseError> {
        let table = self.feed.place();
        let is_there = |other: &Warehouse| {
            other.name == known.feed && known.feed != self.feed.name && other.place() == table
        };
        if self.feeds.iter().any(is_there) {
            return Err(WarehouseError::Shared { table, feed: known.feed.clone() });
        }
        Ok(())
    }

    /// Two stores that map otherwise leave each other's columns as they were in rows that both hold.
    async fn warn_of_unlike(
        &self,
        link: &mut Link,
        tables: &Tables,
        store: &str,
        definition: &str,
    ) -> Result<(), WarehouseError> {
        for other in cursor::unlike(link, tables, store, definition).await? {
            tracing::warn!(
                feed = %self.feed.name, table = %self.feed.place(), store = %other,
                "another store writes this table with other columns or removals: give both the same"
            );
        }
        Ok(())
    }

    /// What is to be looked at, and the last entry of the log.
    async fn extent(
        &self,
        known: &Cursor,
        is_new: bool,
        moment: &mut Moment<'_>,
    ) -> Result<(Extent, i64), FeedError> {
        let (first, last) = moment.log_span().await?;
        let log = Log { first, last, mark: moment.mark(known.seq).await? };
        let definition = cursor::definition(self.feed, self.queries);
        Ok((cursor::extent(known, &log, &definition, is_new, self.everything), last))
    }

    fn outcome(&self, done: &Done, is_right: bool) -> Outcome {
        let unproved = self.queries.iter().filter(|query| !query.is_proved && !is_right);
        Outcome {
            table: Some(self.feed.place()),
            rows: done.rows,
            removed: done.removed,
            waits_for: unproved.map(|query| query.name.clone()).collect(),
            ..Outcome::default()
        }
    }
}
