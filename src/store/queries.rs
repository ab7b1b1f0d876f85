use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, SqliteConnection};

use super::Export;
use crate::listing::Way;
use crate::merge::Keys;
use crate::organization::Database;

/// What is remembered of a query from run to run.
#[derive(Debug, Clone)]
pub struct Remembered {
    pub id: i64,
    pub name: String,
    pub database: String,
    /// Of the last succeeded full run.
    pub definition: Option<String>,
    /// Top-level keys that its rows may have written.
    pub owned: Keys,
    /// The server's time up to which changes are known.
    pub watermark: Option<String>,
    /// The start of the last succeeded full run.
    pub last_full_at: Option<String>,
    /// Rows of the last complete listing.
    pub listing_rows: Option<u64>,
    pub held: Option<Held>,
    /// Under way when it was written down.
    pub export: Option<Export>,
    /// What `fetch = "auto"` takes, whatever the size.
    pub next_fetch: Option<Way>,
    /// Since when it is remembered, or when it was pruned.
    pub first_seen_at: String,
}

impl Remembered {
    /// Whether it was forgotten: its place is there for its history alone. Any other owns `business_id`.
    #[must_use]
    pub fn is_pruned(&self) -> bool {
        self.owned.is_empty()
    }
}

/// What held a query's last runs, and whether a person let it through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The definition that was held.
    pub definition: String,
    /// This many departures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub departures: Option<u64>,
    /// So high a count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// A proved listing this far below its count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shortfall: Option<u64>,
    /// Paths that Vainu's catalogue does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    #[serde(default)]
    pub accepted: bool,
    /// What was accepted before this held the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Held>>,
}

/// What a succeeded run proved.
#[derive(Debug, Clone)]
pub struct Proved {
    pub definition: String,
    pub owned: Keys,
    pub watermark: Option<String>,
    /// The start of a full run; `None` for an incremental one, which proves nothing about the whole.
    pub full_at: Option<String>,
    /// Of a full run.
    pub listing_rows: Option<u64>,
}

#[derive(FromRow)]
struct Stored {
    id: i64,
    name: String,
    database: String,
    definition: Option<String>,
    owned_keys: String,
    watermark: Option<String>,
    last_full_at: Option<String>,
    listing_rows: Option<i64>,
    held: Option<String>,
    export: Option<String>,
    next_fetch: Option<String>,
    first_seen_at: String,
}

impl TryFrom<Stored> for Remembered {
    type Error = sqlx::Error;

    fn try_from(stored: Stored) -> sqlx::Result<Self> {
        Ok(Self {
            id: stored.id,
            name: stored.name,
            database: stored.database,
            definition: stored.definition,
            owned: keys(&stored.owned_keys)?,
            watermark: stored.watermark,
            last_full_at: stored.last_full_at,
            listing_rows: stored.listing_rows.map(i64::unsigned_abs),
            held: stored.held.and_then(|held| serde_json::from_str(&held).ok()),
            export: stored.export.and_then(|export| serde_json::from_str(&export).ok()),
            next_fetch: stored.next_fetch.as_deref().and_then(Way::called),
            first_seen_at: stored.first_seen_at,
        })
    }
}

const SELECT: &str = "SELECT id, name, database, definition, owned_keys, watermark, last_full_at, \
     listing_rows, held, export, next_fetch, first_seen_at FROM _queries";

/// All queries that the store remembers, by name.
pub(super) async fn all(connection: &mut SqliteConnection) -> sqlx::Result<Vec<Remembered>> {
    let sql = format!("{SELECT} ORDER BY name");
    let rows: Vec<Stored> = sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(connection).await?;
    rows.into_iter().map(Remembered::try_from).collect()
}

pub(super) async fn find(connection: &mut SqliteConnection, name: &str) -> sqlx::Result<Option<Remembered>> {
    let sql = format!("{SELECT} WHERE name = ?");
    let row: Option<Stored> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(name).fetch_optional(connection).await?;
    row.map(Remembered::try_from).transpose()
}

/// Remembers `name` from now on, and that its rows may write `owned` beside what they wrote before.
pub(super) async fn register(
    connection: &mut SqliteConnection,
    name: &str,
    database: Database,
    owned: &Keys,
    now: &str,
) -> sqlx::Result<Remembered> {
    if let Some(mut known) = find(connection, name).await? {
        if !owned.is_subset(&known.owned) || known.database != database.code() {
            if known.is_pruned() {
                now.clone_into(&mut known.first_seen_at);
            }
            known.owned.extend(owned.iter().cloned());
            database.code().clone_into(&mut known.database);
            sqlx::query("UPDATE _queries SET database = ?, owned_keys = ?, first_seen_at = ? WHERE id = ?")
                .bind(&known.database)
                .bind(to_json(&known.owned))
                .bind(&known.first_seen_at)
                .bind(known.id)
                .execute(connection)
                .await?;
        }
        return Ok(known);
    }
    let id = sqlx::query_scalar(
        "INSERT INTO _queries (name, database, owned_keys, first_seen_at) VALUES (?, ?, ?, ?) RETURNING id",
    )
    .bind(name)
    .bind(database.code())
    .bind(to_json(owned))
    .bind(now)
    .fetch_one(connection)
    .await?;
    Ok(Remembered {
        id,
        name: name.to_owned(),
        database: database.code().to_owned(),
        definition: None,
        owned: owned.clone(),
        watermark: None,
        last_full_at: None,
        listing_rows: None,
        held: None,
        export: None,
        next_fetch: None,
        first_seen_at: now.to_owned(),
    })
}

/// The top-level keys of each query's rows, by the query's id.
pub(super) async fn owned_keys(connection: &mut SqliteConnection) -> sqlx::Result<HashMap<i64, Keys>> {
    let rows: Vec<(i64, String)> =
        sqlx::query_as("SELECT id, owned_keys FROM _queries").fetch_all(connection).await?;
    rows.into_iter().map(|(id, stored)| Ok((id, keys(&stored)?))).collect()
}

/// Advances a query by what a succeeded run proved; what held it is over.
pub(super) async fn advance(
    connection: &mut SqliteConnection,
    query: i64,
    proved: &Proved,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE _queries SET definition = ?, owned_keys = ?, watermark = coalesce(?, watermark), \
         last_full_at = coalesce(?, last_full_at), listing_rows = coalesce(?, listing_rows), held = NULL \
         WHERE id = ?",
    )
    .bind(&proved.definition)
    .bind(to_json(&proved.owned))
    .bind(proved.watermark.as_deref())
    .bind(proved.full_at.as_deref())
    .bind(proved.listing_rows.map(|rows| i64::try_from(rows).unwrap_or(i64::MAX)))
    .bind(query)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets up to when changes are known of a query whose rows or members are no longer those that were proved: of an
/// edited one, which may be edited back though its run failed, and of one that is being pruned. The next run is full.
pub(super) async fn forget_watermark(connection: &mut SqliteConnection, query: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE _queries SET watermark = NULL WHERE id = ? AND watermark IS NOT NULL")
        .bind(query)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets up to when changes are known of the queries that are not among `configured`: should one come back,
/// its first run is full. Their names.
pub(super) async fn retire(
    connection: &mut SqliteConnection,
    configured: &[&str],
) -> sqlx::Result<Vec<String>> {
    let configured = serde_json::to_string(configured).expect("a list of text is always JSON");
    sqlx::query_scalar(
        "UPDATE _queries SET watermark = NULL \
         WHERE watermark IS NOT NULL AND name NOT IN (SELECT value FROM json_each(?)) RETURNING name",
    )
    .bind(configured)
    .fetch_all(connection)
    .await
}

/// Remembers what holds a query, and whether it was accepted.
pub(super) async fn set_held(connection: &mut SqliteConnection, query: i64, held: &Held) -> sqlx::Result<()> {
    let held = serde_json::to_string(held).expect("numbers and text are always JSON");
    sqlx::query("UPDATE _queries SET held = ? WHERE id = ?")
        .bind(held)
        .bind(query)
        .execute(connection)
        .await?;
    Ok(())
}

fn to_json(keys: &Keys) -> String {
    serde_json::to_string(keys).expect("a set of text is always JSON")
}

/// Without its keys a query would count as pruned, and documents would lose them.
fn keys(json: &str) -> sqlx::Result<Keys> {
    serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(error.into()))
}
