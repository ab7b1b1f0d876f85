//! What a feed into a database reads of the store: all of it as it was at one moment. It writes nothing, for how far
//! it got is known in that database alone.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use roaring::RoaringTreemap;
use sqlx::{Connection, FromRow, QueryBuilder, Sqlite, Transaction};

use super::changes::Change;
use super::feed_rows::{collect, log_span};
use super::{Store, StoreError, push_list};

/// Ids in one statement.
const IDS_A_STATEMENT: usize = 500;

/// The store at one moment.
pub struct Moment<'s> {
    path: PathBuf,
    tx: Transaction<'s, Sqlite>,
}

/// An organization, and which queries of the feed hold or held it.
#[derive(Debug, FromRow)]
pub struct Subject {
    pub id: i64,
    pub business_id: String,
    pub changed_at: String,
    pub document: String,
    #[sqlx(skip)]
    pub memberships: Vec<Membership>,
}

/// That a query holds an organization, or held it.
#[derive(Debug, Clone, FromRow)]
pub struct Membership {
    pub organization: i64,
    pub query: String,
    pub entered_at: String,
    /// `None`: a member.
    pub left_at: Option<String>,
}

impl Store {
    /// The store as it is now, for as long as the answer lives.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn moment(&mut self) -> Result<Moment<'_>, StoreError> {
        self.check_place()?;
        let path = self.path.clone();
        let begun = match self.leave_rolled_back().await {
            Ok(()) => self.connection.begin().await,
            Err(error) => Err(error),
        };
        begun.map(|tx| Moment { path: path.clone(), tx }).map_err(|error| StoreError::from_sql(&path, error))
    }

    /// Remembers for people what a feed last wrote into its table, as JSON. Files that it wrote before count no more.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn set_warehouse(&mut self, feed: i64, told: &str) -> Result<(), StoreError> {
        self.check_place()?;
        let result = sqlx::query(
            "UPDATE _feeds SET warehouse = ?, definition = NULL, retired_at = NULL, error = NULL WHERE id = ?",
        )
        .bind(told)
        .bind(feed)
        .execute(&mut self.connection)
        .await;
        self.checked(result.map(|_| ()))
    }
}

impl Moment<'_> {
    /// What tells this store from others; a backup of it has the same.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn identity(&mut self) -> Result<String, StoreError> {
        let found = sqlx::query_scalar("SELECT id FROM _identity").fetch_one(&mut *self.tx).await;
        self.checked(found)
    }

    /// The first entry that is left of the change log, and the last that was ever written.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn log_span(&mut self) -> Result<(Option<i64>, i64), StoreError> {
        let found = log_span(&mut self.tx).await;
        self.checked(found)
    }

    /// What tells an entry of the log from one of the same number in another history of the store.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn mark(&mut self, seq: i64) -> Result<Option<String>, StoreError> {
        let found = sqlx::query_scalar(
            "SELECT at || ' ' || kind || ' ' || query || ' ' || organization FROM _changes WHERE seq = ?",
        )
        .bind(seq)
        .fetch_optional(&mut *self.tx)
        .await;
        self.checked(found)
    }

    /// The organizations that the log names after entry `since`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn changed(&mut self, since: i64) -> Result<RoaringTreemap, StoreError> {
        let mut sql = QueryBuilder::new("SELECT organization FROM _changes WHERE seq > ");
        sql.push_bind(since);
        self.numbers(sql).await
    }

    /// The organizations that these queries hold or held.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn all(&mut self, queries: &[i64]) -> Result<RoaringTreemap, StoreError> {
        let mut sql = QueryBuilder::new("SELECT organization FROM _memberships WHERE query IN");
        push_list(&mut sql, queries);
        self.numbers(sql).await
    }

    /// The organizations with these ids.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn with_ids(&mut self, ids: &[String]) -> Result<RoaringTreemap, StoreError> {
        let mut found = RoaringTreemap::new();
        for ids in ids.chunks(IDS_A_STATEMENT) {
            let mut sql = QueryBuilder::new("SELECT id FROM organizations WHERE business_id IN");
            push_list(&mut sql, ids.iter().map(String::as_str));
            found |= self.numbers(sql).await?;
        }
        Ok(found)
    }

    /// Of these ids those that one of these queries holds or held, each with that query's name.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn known(
        &mut self,
        queries: &[i64],
        ids: &[String],
    ) -> Result<HashSet<(String, String)>, StoreError> {
        let mut known = HashSet::new();
        for ids in ids.chunks(IDS_A_STATEMENT) {
            let mut sql = QueryBuilder::new(
                "SELECT q.name, o.business_id FROM organizations o JOIN _memberships m ON m.organization = o.id \
                 JOIN _queries q ON q.id = m.query WHERE m.query IN",
            );
            push_list(&mut sql, queries);
            sql.push(" AND o.business_id IN");
            push_list(&mut sql, ids.iter().map(String::as_str));
            let found = sql.build_query_as::<(String, String)>().fetch_all(&mut *self.tx).await;
            known.extend(self.checked(found)?);
        }
        Ok(known)
    }

    /// What is true of these organizations, ascending.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn subjects(
        &mut self,
        queries: &[i64],
        organizations: &[i64],
    ) -> Result<Vec<Subject>, StoreError> {
        let mut sql =
            QueryBuilder::new("SELECT id, business_id, changed_at, document FROM organizations WHERE id IN");
        push_list(&mut sql, organizations);
        sql.push(" ORDER BY id");
        let found = sql.build_query_as::<Subject>().fetch_all(&mut *self.tx).await;
        let mut subjects = self.checked(found)?;
        let mut memberships = self.memberships(queries, organizations).await?;
        for subject in &mut subjects {
            subject.memberships = memberships.remove(&subject.id).unwrap_or_default();
        }
        Ok(subjects)
    }

    /// Entries of the log of these queries after `since`, a few at a time.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn log(&mut self, queries: &[i64], since: i64, limit: i64) -> Result<Vec<Change>, StoreError> {
        let mut sql = QueryBuilder::new(
            "SELECT c.seq, c.at, c.run_id, q.name AS query, o.business_id, c.kind, c.before, \
             CASE WHEN c.kind = 'created' AND c.after IS NULL THEN o.document ELSE c.after END AS after \
             FROM _changes c JOIN _queries q ON q.id = c.query JOIN organizations o ON o.id = c.organization \
             WHERE c.seq > ",
        );
        // The unary plus keeps SQLite from sorting what the key gives in order.
        sql.push_bind(since).push(" AND +c.query IN");
        push_list(&mut sql, queries);
        sql.push(" ORDER BY c.seq LIMIT ").push_bind(limit);
        let found = sql.build_query_as().fetch_all(&mut *self.tx).await;
        self.checked(found)
    }

    async fn memberships(
        &mut self,
        queries: &[i64],
        organizations: &[i64],
    ) -> Result<HashMap<i64, Vec<Membership>>, StoreError> {
        let mut sql = QueryBuilder::new(
            "SELECT m.organization, q.name AS query, m.entered_at, m.left_at FROM _memberships m \
             JOIN _queries q ON q.id = m.query WHERE m.query IN",
        );
        push_list(&mut sql, queries);
        sql.push(" AND m.organization IN");
        push_list(&mut sql, organizations);
        let found = sql.build_query_as::<Membership>().fetch_all(&mut *self.tx).await;
        let mut memberships: HashMap<i64, Vec<Membership>> = HashMap::new();
        for membership in self.checked(found)? {
            memberships.entry(membership.organization).or_default().push(membership);
        }
        Ok(memberships)
    }

    async fn numbers(&mut self, mut sql: QueryBuilder<Sqlite>) -> Result<RoaringTreemap, StoreError> {
        let found = collect(&mut self.tx, &mut sql).await;
        self.checked(found)
    }

    fn checked<T>(&self, result: sqlx::Result<T>) -> Result<T, StoreError> {
        result.map_err(|error| StoreError::from_sql(&self.path, error))
    }
}
