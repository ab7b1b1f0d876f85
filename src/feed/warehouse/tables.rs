//! The tables: made where they are missing, given columns that are new, and never narrowed. What users add to them
//! (columns, indexes, views, triggers) is left alone.

use std::collections::{BTreeMap, HashMap};

use sqlx::Row;

use super::error::WarehouseError;
use super::link::Link;
use crate::config::settings::Warehouse;

const TIME: &str = "timestamp with time zone";

/// The tables of one feed, by their names in SQL.
#[derive(Debug, Clone)]
pub struct Tables {
    schema: String,
    table: String,
    /// The organizations.
    pub organizations: String,
    pub memberships: String,
    pub changes: String,
    /// One row for each store that writes here.
    pub feeds: String,
}

/// A table and what it must have: names, types, and what else stands in its definition.
struct Shape {
    name: String,
    columns: Vec<(String, &'static str, &'static str)>,
    /// What follows the columns.
    key: &'static str,
}

/// What is there: the kind of each table, and the types of its columns.
type Present = BTreeMap<String, (String, HashMap<String, String>)>;

impl Tables {
    pub fn of(feed: &Warehouse) -> Self {
        let named =
            |ending: &str| format!("{}.{}", quoted(&feed.schema), quoted(&format!("{}{ending}", feed.table)));
        Self {
            schema: feed.schema.clone(),
            table: feed.table.clone(),
            organizations: named(""),
            memberships: named("_memberships"),
            changes: named("_changes"),
            feeds: named("_feeds"),
        }
    }

    /// Waits until no other machine writes these tables.
    pub async fn lock(&self, link: &mut Link) -> Result<(), WarehouseError> {
        let key = format!("vainu-sync {}", self.organizations);
        let statement = sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))").bind(key);
        link.execute(statement).await.map(|_| ())
    }

    /// Makes what is missing. Whether there was anything: then all rows are to be looked at.
    pub async fn ensure(&self, feed: &Warehouse, link: &mut Link) -> Result<bool, WarehouseError> {
        let shapes = self.shapes(feed);
        let present = self.present(&shapes, link).await?;
        self.check_owner(&present)?;
        if present.is_empty() {
            self.ensure_schema(link).await?;
        }
        let mut has_grown = false;
        for shape in &shapes {
            let missing = match present.get(&shape.name) {
                None => vec![self.creation(shape)],
                Some((kind, columns)) => self.additions(shape, kind, columns)?,
            };
            has_grown |= !missing.is_empty();
            for statement in missing {
                link.run(&statement).await?;
            }
        }
        Ok(has_grown)
    }

    fn shapes(&self, feed: &Warehouse) -> Vec<Shape> {
        let own = |columns: &[(&str, &'static str, &'static str)]| {
            columns.iter().map(|(name, kind, rest)| ((*name).to_owned(), *kind, *rest)).collect::<Vec<_>>()
        };
        let mut organizations = own(&[("business_id", "text", "NOT NULL")]);
        organizations.extend(columns(feed).into_iter().map(|(name, kind)| (name.to_owned(), kind, "")));
        organizations.extend(own(&[
            ("changed_at", TIME, "NOT NULL"),
            ("gone_at", TIME, ""),
            ("_store", "text", ""),
            ("_hash", "bytea", ""),
        ]));
        let shape =
            |ending: &str, columns, key| Shape { name: format!("{}{ending}", self.table), columns, key };
        vec![
            shape("", organizations, "business_id"),
            shape(
                "_memberships",
                own(&[
                    ("store", "text", "NOT NULL"),
                    ("query", "text", "NOT NULL"),
                    ("business_id", "text", "NOT NULL"),
                    ("entered_at", TIME, "NOT NULL"),
                    ("left_at", TIME, ""),
                ]),
                "store, query, business_id",
            ),
            shape(
                "_changes",
                own(&[
                    ("store", "text", "NOT NULL"),
                    ("seq", "bigint", "NOT NULL"),
                    ("at", TIME, "NOT NULL"),
                    ("query", "text", "NOT NULL"),
                    ("business_id", "text", "NOT NULL"),
                    ("kind", "text", "NOT NULL"),
                    ("before", "text", ""),
                    ("after", "text", ""),
                ]),
                "store, seq, at",
            ),
            shape(
                "_feeds",
                own(&[
                    ("store", "text", "NOT NULL"),
                    ("feed", "text", "NOT NULL"),
                    ("cursor", "bigint", "NOT NULL"),
                    ("mark", "text", ""),
                    ("definition", "text", ""),
                    ("proved", "boolean", "NOT NULL"),
                    ("written_at", TIME, ""),
                    ("checked_at", TIME, "NOT NULL"),
                ]),
                "store",
            ),
        ]
    }

    async fn present(&self, shapes: &[Shape], link: &mut Link) -> Result<Present, WarehouseError> {
        let names: Vec<String> = shapes.iter().map(|shape| shape.name.clone()).collect();
        let statement = sqlx::query(
            "SELECT c.relname::text AS name, c.relkind::text AS kind, a.attname::text AS column, \
             format_type(a.atttypid, a.atttypmod) AS type FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_attribute a \
             ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             WHERE n.nspname = $1 AND c.relname = ANY($2)",
        );
        let mut present = Present::new();
        for row in link.rows(statement.bind(self.schema.clone()).bind(names)).await? {
            let (name, kind): (String, String) = (row.get("name"), row.get("kind"));
            let (_, columns) = present.entry(name).or_insert((kind, HashMap::new()));
            if let (Some(column), Some(of_type)) = (row.get("column"), row.get("type")) {
                columns.insert(column, of_type);
            }
        }
        Ok(present)
    }

    /// Another program's table of that name is not written into. The last of ours tells.
    fn check_owner(&self, present: &Present) -> Result<(), WarehouseError> {
        let is_ours = |(_, columns): &(String, HashMap<String, String>)| {
            ["store", "cursor", "mark"].iter().all(|column| columns.contains_key(*column))
        };
        if present.is_empty() || present.get(&format!("{}_feeds", self.table)).is_some_and(is_ours) {
            return Ok(());
        }
        let name = present.keys().next().map_or(self.table.as_str(), String::as_str);
        Err(WarehouseError::Foreign(format!("{}.{name}", self.schema)))
    }

    async fn ensure_schema(&self, link: &mut Link) -> Result<(), WarehouseError> {
        let statement = sqlx::query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1");
        if link.row(statement.bind(self.schema.clone())).await?.is_none() {
            link.run(&format!("CREATE SCHEMA {}", quoted(&self.schema))).await?;
        }
        Ok(())
    }

    fn in_sql(&self, name: &str) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(name))
    }

    fn creation(&self, shape: &Shape) -> String {
        let name = self.in_sql(&shape.name);
        let columns = shape.columns.iter();
        let columns: Vec<String> =
            columns.map(|(column, kind, rest)| format!("{} {kind} {rest}", quoted(column))).collect();
        let table = format!("CREATE TABLE {name} ({}, PRIMARY KEY ({}))", columns.join(", "), shape.key);
        let index = if name == self.memberships {
            format!("; CREATE INDEX ON {name} (business_id)")
        } else if name == self.organizations {
            // Documents that another store is to write, of which there are few.
            format!("; CREATE INDEX ON {name} (business_id) WHERE _hash IS NULL")
        } else {
            String::new()
        };
        table + &index
    }

    /// The statements that add what `shape` has and the table has not.
    fn additions(
        &self,
        shape: &Shape,
        kind: &str,
        present: &HashMap<String, String>,
    ) -> Result<Vec<String>, WarehouseError> {
        let changed =
            |what: String| WarehouseError::Changed { table: format!("{}.{}", self.schema, shape.name), what };
        if !["r", "p"].contains(&kind) {
            return Err(changed("it is no table; drop it, or set table to another name".into()));
        }
        let mut additions = Vec::new();
        for (column, wanted, rest) in &shape.columns {
            match present.get(column) {
                Some(found) if found == wanted => {}
                Some(found) => {
                    return Err(changed(format!(
                        "its column {column:?} is of the type {found} and has to be {wanted}; change it back, or drop it"
                    )));
                }
                // What must have a value can't be added to rows that are there.
                None if rest.is_empty() => additions.push(format!(
                    "ALTER TABLE {} ADD COLUMN {} {wanted}",
                    self.in_sql(&shape.name),
                    quoted(column)
                )),
                None => {
                    return Err(changed(format!(
                        "its column {column:?} is missing; put it back, or drop the table: it is then made anew"
                    )));
                }
            }
        }
        Ok(additions)
    }
}

/// The columns of an organization that the configuration asks for, and their types.
pub fn columns(feed: &Warehouse) -> Vec<(&str, &'static str)> {
    if feed.columns.is_empty() {
        return vec![("document", "jsonb"), ("document_text", "text")];
    }
    feed.columns.iter().map(|column| (column.header.as_str(), "text")).collect()
}

/// `name` as SQL writes it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_its_quotes() {
        assert_eq!(quoted("Company ID"), "\"Company ID\"");
        assert_eq!(quoted("a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
    }
}
