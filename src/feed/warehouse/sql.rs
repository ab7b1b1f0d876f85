//! The statements of a pass. Values are parameters; names are quoted.

use super::tables::{Tables, columns, quoted};
use crate::config::settings::{Departed, Warehouse};

/// The statements, made once a pass.
pub struct Sql {
    /// Temporary tables that take what COPY sends; they go with the transaction.
    pub staging: String,
    pub copy_rows: String,
    pub take_rows: String,
    pub copy_memberships: String,
    pub take_memberships: String,
    pub copy_changes: String,
    pub take_changes: String,
    /// $1: ids.
    pub rows: String,
    /// $1: ids, $2: the store.
    pub memberships: String,
    /// $1: the store. Members whose document no store vouches for.
    pub orphans: String,
    /// $1: queries, $2: ids, $3: the store.
    pub let_go: String,
    /// As [`Sql::let_go`]; $4: now.
    pub mark_left: String,
    /// $1: ids.
    pub reopen: String,
    /// $1: ids, $2: the store, $3: now. Whose rows go, or are marked.
    pub close: String,
    /// $1: ids, $2: the store. How many would.
    pub count_closing: String,
    /// $1: the store, $2: now, $3: whether the store's own are meant too.
    pub close_all: String,
    /// $1: ids, $2: the store.
    pub release: String,
    /// $1: the store.
    pub release_all: String,
    /// $1: the store, $2: its last query, $3: its last id.
    pub page: String,
    /// $1: the store, $2: its queries.
    pub let_queries_go: String,
    /// $1: the store.
    pub let_left_go: String,
}

/// A time as the store writes it.
fn as_text(column: &str) -> String {
    format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
}

impl Sql {
    pub fn of(feed: &Warehouse, tables: &Tables) -> Self {
        let parts = Parts { feed, tables };
        Self {
            staging: parts.staging(),
            copy_rows: format!(
                "COPY pg_temp.vainu_rows (business_id, changed_at, hash{}) FROM STDIN",
                parts.columns(|name, _| name.to_owned())
            ),
            take_rows: parts.take_rows(),
            copy_memberships:
                "COPY pg_temp.vainu_memberships (query, business_id, entered_at, left_at) FROM STDIN".into(),
            take_memberships: parts.take_memberships(),
            copy_changes:
                "COPY pg_temp.vainu_changes (seq, at, query, business_id, kind, before, after) FROM STDIN"
                    .into(),
            take_changes: parts.take_changes(),
            rows: parts.rows(),
            memberships: parts.memberships(),
            orphans: format!(
                "SELECT o.business_id FROM {} o WHERE o._hash IS NULL AND {}",
                tables.organizations,
                parts.held_by("= $1")
            ),
            let_go: format!(
                "DELETE FROM {} m USING unnest($1, $2) AS d (query, business_id) \
                 WHERE m.store = $3 AND m.query = d.query AND m.business_id = d.business_id",
                tables.memberships
            ),
            mark_left: format!(
                "UPDATE {} m SET left_at = $4::text::timestamptz FROM unnest($1, $2) AS d (query, business_id) \
                 WHERE m.store = $3 AND m.query = d.query AND m.business_id = d.business_id AND m.left_at IS NULL",
                tables.memberships
            ),
            reopen: format!(
                "UPDATE {} o SET gone_at = NULL WHERE o.business_id = ANY($1) AND o.gone_at IS NOT NULL AND {}",
                tables.organizations,
                parts.held()
            ),
            // A parameter that only one kind of removal uses still has to have a type.
            close: parts.close(&format!("{} AND $3::text IS NOT NULL", parts.closing()), "$3"),
            count_closing: format!(
                "SELECT count(*) AS count FROM {} o WHERE {}",
                tables.organizations,
                parts.closing()
            ),
            close_all: parts.close(&format!("{} AND $2::text IS NOT NULL", parts.closing_of_all()), "$2"),
            release: parts.release("o.business_id = ANY($1) AND ", "$2"),
            release_all: parts.release("", "$1"),
            page: format!(
                "SELECT m.query, m.business_id FROM {} m WHERE m.store = $1 AND m.left_at IS NULL \
                 AND (m.query, m.business_id) > ($2, $3) ORDER BY m.query, m.business_id LIMIT 1000",
                tables.memberships
            ),
            let_queries_go: format!(
                "DELETE FROM {} m WHERE m.store = $1 AND m.query <> ALL($2)",
                tables.memberships
            ),
            let_left_go: format!(
                "DELETE FROM {} m WHERE m.store = $1 AND m.left_at IS NOT NULL",
                tables.memberships
            ),
        }
    }
}

/// What the statements are made of. In conditions, `o` is an organization.
struct Parts<'a> {
    feed: &'a Warehouse,
    tables: &'a Tables,
}

impl Parts<'_> {
    /// Each column of the feed, its quoted name and its type written by `write`, after a comma.
    fn columns(&self, write: impl Fn(&str, &str) -> String) -> String {
        let columns = columns(self.feed).into_iter();
        columns.flat_map(|(name, kind)| [", ".to_owned(), write(&quoted(name), kind)]).collect()
    }

    fn staging(&self) -> String {
        format!(
            "CREATE TEMPORARY TABLE vainu_rows (business_id text, changed_at timestamptz, hash bytea{}) \
             ON COMMIT DROP; \
             CREATE TEMPORARY TABLE vainu_memberships (query text, business_id text, entered_at timestamptz, \
             left_at timestamptz) ON COMMIT DROP; \
             CREATE TEMPORARY TABLE vainu_changes (seq bigint, at timestamptz, query text, business_id text, \
             kind text, before text, after text) ON COMMIT DROP",
            self.columns(|name, kind| format!("{name} {kind}"))
        )
    }

    fn take_rows(&self) -> String {
        let named = self.columns(|name, _| name.to_owned());
        format!(
            "INSERT INTO {} AS o (business_id, changed_at, _store, _hash{named}) \
             SELECT DISTINCT ON (business_id) business_id, changed_at, $1, hash{named} FROM pg_temp.vainu_rows \
             ON CONFLICT (business_id) DO UPDATE SET changed_at = excluded.changed_at, _store = excluded._store, \
             _hash = excluded._hash{}",
            self.tables.organizations,
            self.columns(|name, _| format!("{name} = excluded.{name}"))
        )
    }

    fn take_memberships(&self) -> String {
        format!(
            "INSERT INTO {} (store, query, business_id, entered_at, left_at) \
             SELECT DISTINCT ON (query, business_id) $1, query, business_id, entered_at, left_at \
             FROM pg_temp.vainu_memberships ORDER BY query, business_id, left_at DESC NULLS FIRST \
             ON CONFLICT (store, query, business_id) DO UPDATE SET entered_at = excluded.entered_at, \
             left_at = excluded.left_at",
            self.tables.memberships
        )
    }

    fn take_changes(&self) -> String {
        format!(
            "INSERT INTO {} AS c (store, seq, at, query, business_id, kind, before, after) \
             SELECT $1, seq, at, query, business_id, kind, before, after FROM pg_temp.vainu_changes \
             ON CONFLICT (store, seq, at) DO UPDATE SET query = excluded.query WHERE c.query <> excluded.query",
            self.tables.changes
        )
    }

    fn rows(&self) -> String {
        format!(
            "SELECT o.business_id, o._store AS store, o._hash AS hash, {} AS changed_at, {} AS is_vouched_for \
             FROM {} o WHERE o.business_id = ANY($1)",
            as_text("o.changed_at"),
            self.held_by("= o._store"),
            self.tables.organizations
        )
    }

    fn memberships(&self) -> String {
        format!(
            "SELECT m.business_id, m.query, {} AS entered_at, {} AS left_at FROM {} m \
             WHERE m.business_id = ANY($1) AND m.store = $2",
            as_text("m.entered_at"),
            as_text("m.left_at"),
            self.tables.memberships
        )
    }

    /// A query of any machine holds it.
    fn held(&self) -> String {
        self.held_by("IS NOT NULL")
    }

    /// A query of a store that is so holds it.
    fn held_by(&self, store: &str) -> String {
        format!(
            "EXISTS (SELECT 1 FROM {} m WHERE m.business_id = o.business_id AND m.left_at IS NULL AND m.store {store})",
            self.tables.memberships
        )
    }

    /// What is not closed yet.
    fn open(&self) -> &'static str {
        if self.feed.removals == Departed::Marked { "o.gone_at IS NULL AND " } else { "" }
    }

    /// Nobody holds it, and it may go: another store that has not seen all of its queries yet may still find it
    /// among them.
    fn closing(&self) -> String {
        format!(
            "o.business_id = ANY($1) AND {}NOT {} AND (o._store = $2 OR NOT EXISTS (SELECT 1 FROM {} f \
             WHERE f.store = o._store AND NOT f.proved))",
            self.open(),
            self.held(),
            self.tables.feeds
        )
    }

    /// Nobody holds it, and it is of this store or of one that writes here no more.
    fn closing_of_all(&self) -> String {
        format!(
            "{}NOT {} AND ((o._store = $1 AND $3) OR (o._store IS DISTINCT FROM $1 AND NOT EXISTS \
             (SELECT 1 FROM {} f WHERE f.store = o._store)))",
            self.open(),
            self.held(),
            self.tables.feeds
        )
    }

    fn close(&self, condition: &str, now: &str) -> String {
        let Tables { organizations, memberships, .. } = self.tables;
        match self.feed.removals {
            Departed::Deleted => format!("DELETE FROM {organizations} o WHERE {condition}"),
            Departed::Marked => format!(
                "UPDATE {organizations} o SET gone_at = coalesce((SELECT max(m.left_at) FROM {memberships} m \
                 WHERE m.business_id = o.business_id), {now}::text::timestamptz) WHERE {condition}"
            ),
        }
    }

    /// Documents of this store that only others hold: one of these is to write its own.
    fn release(&self, condition: &str, store: &str) -> String {
        format!(
            "UPDATE {} o SET _hash = NULL WHERE {condition}o._store = {store} AND o._hash IS NOT NULL AND NOT {} AND {}",
            self.tables.organizations,
            self.held_by(&format!("= {store}")),
            self.held_by(&format!("<> {store}"))
        )
    }
}
