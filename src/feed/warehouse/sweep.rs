//! What the tables hold of this store and the store does not know: memberships that a restored backup has not seen,
//! and rows that nobody holds.

use sqlx::Row;

use super::error::WarehouseError;
use super::pass::{Pass, statement};
use crate::config::settings::Departed;
use crate::feed::FeedError;
use crate::store::Moment;

impl Pass<'_> {
    /// Takes out what is there without reason.
    pub(super) async fn sweep(&mut self, moment: &mut Moment<'_>) -> Result<(), FeedError> {
        let store = self.store.to_owned();
        let names: Vec<String> = self.queries.iter().map(|query| query.name.clone()).collect();
        let letting_go = statement(&self.sql.let_queries_go).bind(store.clone()).bind(names);
        let mut let_go = self.link.execute(letting_go).await?;
        if self.feed.removals == Departed::Deleted {
            let_go += self.link.execute(statement(&self.sql.let_left_go).bind(store.clone())).await?;
        }
        self.done.else_written |= let_go > 0;
        self.sweep_memberships(moment).await?;
        let closing =
            statement(&self.sql.close_all).bind(store.clone()).bind(self.now.to_owned()).bind(self.is_proved);
        let closed = self.link.execute(closing).await?;
        self.done.rows += closed;
        self.done.removed += closed;
        self.link.execute(statement(&self.sql.release_all).bind(store)).await?;
        Ok(())
    }

    /// Ends memberships that the store has never heard of, page by page. Those of a query that has never succeeded
    /// stay: the store does not know its members.
    async fn sweep_memberships(&mut self, moment: &mut Moment<'_>) -> Result<(), FeedError> {
        let proved: Vec<(i64, &str)> = self
            .queries
            .iter()
            .filter(|query| query.is_proved)
            .filter_map(|query| Some((query.id?, query.name.as_str())))
            .collect();
        let numbers: Vec<i64> = proved.iter().map(|(id, _)| *id).collect();
        let mut after = (String::new(), String::new());
        loop {
            let page = self.page(&after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.clone();
            let ids: Vec<String> = page.iter().map(|(_, id)| id.clone()).collect();
            let known = moment.known(&numbers, &ids).await?;
            let is_unknown = |pair: &(String, String)| {
                proved.iter().any(|(_, name)| *name == pair.0) && !known.contains(pair)
            };
            let unknown: Vec<(String, String)> = page.into_iter().filter(is_unknown).collect();
            self.end(&unknown).await?;
        }
    }

    async fn page(&mut self, after: &(String, String)) -> Result<Vec<(String, String)>, WarehouseError> {
        let (query, id) = after.clone();
        let asked = statement(&self.sql.page).bind(self.store.to_owned()).bind(query).bind(id);
        let rows = self.link.rows(asked).await?;
        Ok(rows.iter().map(|row| (row.get("query"), row.get("business_id"))).collect())
    }

    async fn end(&mut self, pairs: &[(String, String)]) -> Result<(), WarehouseError> {
        if pairs.is_empty() {
            return Ok(());
        }
        let (queries, ids): (Vec<String>, Vec<String>) = pairs.iter().cloned().unzip();
        if self.feed.removals == Departed::Deleted {
            self.let_go(pairs).await?;
        } else {
            let marking = statement(&self.sql.mark_left)
                .bind(queries)
                .bind(ids.clone())
                .bind(self.store.to_owned())
                .bind(self.now.to_owned());
            self.link.execute(marking).await?;
        }
        self.done.else_written = true;
        self.settle(ids).await
    }
}
