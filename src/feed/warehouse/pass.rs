//! One pass: what differs between the store and the tables, a few organizations at a time.

use std::collections::{HashMap, HashSet};

use roaring::RoaringTreemap;
use sqlx::{AssertSqlSafe, Row};

use super::copy::{Rows, bytea};
use super::error::WarehouseError;
use super::link::{Link, Statement};
use super::row::Content;
use super::sql::Sql;
use crate::config::settings::{Departed, Warehouse};
use crate::feed::FeedError;
use crate::feed::pass::batches;
use crate::feed::scope::{OfFeed, Scope};
use crate::organization::compact::without_nul;
use crate::store::{Membership, Moment, Subject};

/// A pass that is under way.
pub struct Pass<'a> {
    pub feed: &'a Warehouse,
    pub link: &'a mut Link,
    pub sql: &'a Sql,
    /// The store's own number.
    pub store: &'a str,
    pub queries: &'a [OfFeed],
    /// Each query has succeeded once: who is no member is proved to be none.
    pub is_proved: bool,
    pub scope: Scope,
    pub now: &'a str,
    pub batch: usize,
    pub done: Done,
}

/// What a pass has written.
#[derive(Debug, Default)]
pub struct Done {
    /// Organizations, those that went among them.
    pub rows: u64,
    pub removed: u64,
    /// Whether anything else was written: memberships, the log.
    pub else_written: bool,
    /// Organizations whose going waits for a proof.
    pub held: u64,
}

impl Done {
    pub fn has_written(&self) -> bool {
        self.rows > 0 || self.else_written
    }
}

/// A row as the tables have it.
struct Present {
    /// `None`: its store has let go of it, and another is to write its own document.
    hash: Option<Vec<u8>>,
    store: Option<String>,
    /// A query of that store holds the organization.
    is_vouched_for: bool,
    changed_at: String,
}

/// A membership as the tables have it: when it began and ended.
type Spans = HashMap<(String, String), (String, Option<String>)>;

impl Pass<'_> {
    /// Brings the tables to what the store says.
    pub async fn write(&mut self, moment: &mut Moment<'_>) -> Result<(), FeedError> {
        let ids = self.query_ids();
        let organizations = match self.scope {
            Scope::Changed(since) => moment.changed(since).await? | self.orphans(moment).await?,
            Scope::All | Scope::Anew => moment.all(&ids).await? | self.orphans(moment).await?,
        };
        for organizations in batches(&organizations, self.batch) {
            let subjects = moment.subjects(&ids, &organizations).await?;
            self.compare(&subjects).await?;
        }
        if !matches!(self.scope, Scope::Changed(_)) {
            self.sweep(moment).await?;
        }
        Ok(())
    }

    fn query_ids(&self) -> Vec<i64> {
        self.queries.iter().filter_map(|query| query.id).collect()
    }

    /// Members of ours whose document another machine has let go of.
    async fn orphans(&mut self, moment: &mut Moment<'_>) -> Result<RoaringTreemap, FeedError> {
        let rows = self.link.rows(statement(&self.sql.orphans).bind(self.store.to_owned())).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.get("business_id")).collect();
        Ok(moment.with_ids(&ids).await?)
    }

    async fn compare(&mut self, subjects: &[Subject]) -> Result<(), WarehouseError> {
        let ids: Vec<String> =
            subjects.iter().map(|subject| without_nul(&subject.business_id).into_owned()).collect();
        let present = self.present(&ids).await?;
        let spans = self.spans(&ids).await?;
        self.write_rows(subjects, &ids, &present).await?;
        self.write_memberships(subjects, &ids, &spans).await?;
        self.settle(ids).await
    }

    async fn present(&mut self, ids: &[String]) -> Result<HashMap<String, Present>, WarehouseError> {
        let rows = self.link.rows(statement(&self.sql.rows).bind(ids.to_vec())).await?;
        let present = rows.iter().map(|row| {
            let found = Present {
                hash: row.get("hash"),
                store: row.get("store"),
                is_vouched_for: row.get("is_vouched_for"),
                changed_at: row.get("changed_at"),
            };
            (row.get("business_id"), found)
        });
        Ok(present.collect())
    }

    async fn spans(&mut self, ids: &[String]) -> Result<Spans, WarehouseError> {
        let asked = statement(&self.sql.memberships).bind(ids.to_vec()).bind(self.store.to_owned());
        let rows = self.link.rows(asked).await?;
        let span = |row: &sqlx::postgres::PgRow| {
            ((row.get("query"), row.get("business_id")), (row.get("entered_at"), row.get("left_at")))
        };
        Ok(rows.iter().map(span).collect())
    }

    async fn write_rows(
        &mut self,
        subjects: &[Subject],
        ids: &[String],
        present: &HashMap<String, Present>,
    ) -> Result<(), WarehouseError> {
        let (mut rows, mut written) = (Rows::default(), HashSet::new());
        for (subject, id) in subjects.iter().zip(ids) {
            if !self.may_tell(subject) {
                continue;
            }
            let content = Content::of(self.feed, &subject.document);
            if self.differs(subject, &content, present.get(id)) && written.insert(id) {
                let hash = bytea(&content.hash);
                let own = [Some(id.as_str()), Some(&subject.changed_at), Some(&hash)];
                rows.put(own.into_iter().chain(content.cells.iter().map(Option::as_deref)));
            }
        }
        let Sql { copy_rows, take_rows, .. } = self.sql;
        self.stage(&rows, copy_rows, take_rows, "vainu_rows").await?;
        self.done.rows += written.len() as u64;
        Ok(())
    }

    /// Whether there is anything to tell of an organization: its members alone, where removals delete.
    fn may_tell(&self, subject: &Subject) -> bool {
        let is_former = self.feed.removals == Departed::Marked && !subject.memberships.is_empty();
        is_member(subject) || is_former
    }

    /// Whether the row is to be written. Of two machines that hold an organization, the newer document counts.
    fn differs(&self, subject: &Subject, content: &Content, present: Option<&Present>) -> bool {
        let Some(present) = present else { return is_member(subject) || self.is_proved };
        let is_ours = present.store.as_deref() == Some(self.store);
        match &present.hash {
            None => is_member(subject),
            Some(hash) if is_ours => {
                self.scope == Scope::Anew
                    || hash[..] != content.hash
                    || present.changed_at != subject.changed_at
            }
            Some(_) => {
                is_member(subject) && (!present.is_vouched_for || subject.changed_at > present.changed_at)
            }
        }
    }

    /// Writes which queries hold these organizations, or held them.
    async fn write_memberships(
        &mut self,
        subjects: &[Subject],
        ids: &[String],
        spans: &Spans,
    ) -> Result<(), WarehouseError> {
        let (mut rows, mut gone) = (Rows::default(), Vec::new());
        for (subject, id) in subjects.iter().zip(ids) {
            for membership in &subject.memberships {
                let Membership { query, entered_at, left_at, .. } = membership;
                let key = (query.clone(), id.clone());
                let known = spans.get(&key);
                if left_at.is_some() && self.feed.removals == Departed::Deleted {
                    if known.is_some() {
                        gone.push(key);
                    }
                } else if known != Some(&(entered_at.clone(), left_at.clone())) {
                    rows.put([Some(query.as_str()), Some(id), Some(entered_at), left_at.as_deref()]);
                }
            }
        }
        let Sql { copy_memberships, take_memberships, .. } = self.sql;
        self.stage(&rows, copy_memberships, take_memberships, "vainu_memberships").await?;
        self.done.else_written |= !gone.is_empty() || !rows.is_empty();
        self.let_go(&gone).await
    }

    /// Sends rows into a temporary table and takes them over from there, which is empty then. How many were taken.
    pub(super) async fn stage(
        &mut self,
        rows: &Rows,
        copy: &str,
        take: &str,
        table: &str,
    ) -> Result<u64, WarehouseError> {
        if rows.is_empty() {
            return Ok(0);
        }
        self.link.copy(copy, rows.text()).await?;
        let taken = self.link.execute(statement(take).bind(self.store.to_owned())).await?;
        self.link.run(&format!("TRUNCATE pg_temp.{table}")).await?;
        Ok(taken)
    }

    /// Deletes memberships.
    pub(super) async fn let_go(&mut self, pairs: &[(String, String)]) -> Result<(), WarehouseError> {
        if pairs.is_empty() {
            return Ok(());
        }
        let (queries, ids): (Vec<String>, Vec<String>) = pairs.iter().cloned().unzip();
        let asked = statement(&self.sql.let_go).bind(queries).bind(ids).bind(self.store.to_owned());
        self.link.execute(asked).await.map(|_| ())
    }

    /// After memberships were written: who is held by a query of any machine is there, who is by none goes.
    pub(super) async fn settle(&mut self, ids: Vec<String>) -> Result<(), WarehouseError> {
        let (store, now) = (self.store.to_owned(), self.now.to_owned());
        let reopened = self.link.execute(statement(&self.sql.reopen).bind(ids.clone())).await?;
        self.done.rows += reopened;
        if self.is_proved {
            let closing = statement(&self.sql.close).bind(ids.clone()).bind(store.clone()).bind(now);
            let closed = self.link.execute(closing).await?;
            self.done.rows += closed;
            self.done.removed += closed;
        } else {
            let counting = statement(&self.sql.count_closing).bind(ids.clone()).bind(store.clone());
            let count: i64 = self.link.one(counting).await?.get("count");
            self.done.held += count.unsigned_abs();
        }
        self.link.execute(statement(&self.sql.release).bind(ids).bind(store)).await.map(|_| ())
    }
}

fn is_member(subject: &Subject) -> bool {
    subject.memberships.iter().any(|membership| membership.left_at.is_none())
}

/// A statement of [`Sql`].
pub(super) fn statement(sql: &str) -> Statement<'static> {
    sqlx::query(AssertSqlSafe(sql.to_owned()))
}
