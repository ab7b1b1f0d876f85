use std::io;
use std::time::Duration;

use sqlx::error::DatabaseError;

/// Why a feed's tables were not written. What was committed before stays, and the next run goes on.
#[derive(Debug, thiserror::Error)]
pub enum WarehouseError {
    /// The file with the address can't be had, or holds no address. Nothing of it is shown.
    #[error("{place} {reason}")]
    Url { place: String, reason: String },
    #[error(
        "the PostgreSQL server that {place} names can't be reached ({reason}): see that it runs, and that host and \
         port are right; the next run goes on"
    )]
    Unreachable { place: String, reason: String },
    #[error(
        "the PostgreSQL server that {place} names refuses the user or the password: correct them there, or let the \
         user in (pg_hba.conf)"
    )]
    Refused { place: String },
    #[error("the server has no database of the name in {place}: create it, or correct the name")]
    NoDatabase { place: String },
    #[error(
        "no safe connection to the server that {place} names ({reason}): see to its certificate, or to sslmode and \
         sslrootcert in the address"
    )]
    Tls { place: String, reason: String },
    #[error(
        "the PostgreSQL server has no connection free: raise max_connections there; the next run goes on"
    )]
    NoConnection,
    #[error(
        "the connection to the PostgreSQL server broke ({0}): nothing of this pass stays; the next run goes on"
    )]
    Broken(String),
    #[error(
        "the PostgreSQL server did not answer within {}: nothing of this pass stays; the next run goes on",
        humantime::format_duration(*.0)
    )]
    Silent(Duration),
    #[error(
        "the PostgreSQL server has no room left ({0}): make room there; nothing of this pass stays, and the next run \
         goes on"
    )]
    Full(String),
    #[error(
        "the database's user lacks a right for {table} ({reason}): let it own the tables, or grant it CREATE on the \
         schema and TEMPORARY on the database"
    )]
    Rights { table: String, reason: String },
    #[error("the database that {place} names can only be read (a standby?): name the primary server there")]
    ReadOnly { place: String },
    #[error(
        "the database that {place} names keeps its text as {found}, which can't hold all that comes: make one with ENCODING 'UTF8'"
    )]
    Encoding { place: String, found: String },
    #[error("{0} is being written or locked by somebody else for longer than 30s: the next run goes on")]
    Busy(String),
    /// Another program's: it is left as it is.
    #[error("{0} is there already, and vainu-sync did not make it: set table or schema to another name")]
    Foreign(String),
    /// A store has one place in these tables.
    #[error(
        "{table} is the table of the feed \"{feed}\", too, in the same database: give all queries to one of the two, \
         or set table to another name in one"
    )]
    Shared { table: String, feed: String },
    #[error("{table} is no longer as vainu-sync made it: {what}")]
    Changed { table: String, what: String },
    /// Anything else that PostgreSQL says.
    #[error("{table} could not be written; PostgreSQL says: {reason} ({code})")]
    Sql { table: String, reason: String, code: String },
}

/// Where something went wrong.
#[derive(Debug, Clone)]
pub struct Scene {
    /// What names the server: the file with its address. No part of the address is ever shown, for a password with a
    /// character that belongs elsewhere ends up in any of them.
    pub place: String,
    /// `public.organizations`
    pub table: String,
}

impl Scene {
    /// What `error` means here.
    pub fn meaning(&self, error: &sqlx::Error) -> WarehouseError {
        use sqlx::Error::{Configuration, Database, Io, Protocol, Tls};
        match error {
            Database(error) => self.said(&**error),
            Tls(reason) => WarehouseError::Tls { place: self.place.clone(), reason: reason.to_string() },
            Configuration(_) => WarehouseError::Url {
                place: self.place.clone(),
                reason:
                    "holds an address that names a file which can't be read, or a certificate that is none"
                        .into(),
            },
            Io(error) => WarehouseError::Broken(error.to_string()),
            Protocol(reason) => WarehouseError::Broken(reason.clone()),
            other => WarehouseError::Broken(other.to_string()),
        }
    }

    /// What it means while the connection is made.
    pub fn meaning_at_connecting(&self, error: &sqlx::Error) -> WarehouseError {
        let unreachable = |reason: String| WarehouseError::Unreachable { place: self.place.clone(), reason };
        match error {
            sqlx::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                WarehouseError::Tls { place: self.place.clone(), reason: error.to_string() }
            }
            sqlx::Error::Io(error) => unreachable(error.to_string()),
            error => match self.meaning(error) {
                WarehouseError::Broken(reason) => unreachable(reason),
                meaning => meaning,
            },
        }
    }

    /// By the codes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    fn said(&self, error: &dyn DatabaseError) -> WarehouseError {
        let (place, table, reason) = (self.place.clone(), self.table.clone(), error.message().to_owned());
        let code = error.code().unwrap_or_default().into_owned();
        match code.as_str() {
            "28000" | "28P01" => WarehouseError::Refused { place },
            "3D000" => WarehouseError::NoDatabase { place },
            "53100" | "53200" => WarehouseError::Full(reason),
            "53300" => WarehouseError::NoConnection,
            "57P03" => WarehouseError::Unreachable { place, reason },
            "42501" => WarehouseError::Rights { table, reason },
            "25006" => WarehouseError::ReadOnly { place },
            "55P03" | "40P01" => WarehouseError::Busy(table),
            "42P10" => WarehouseError::Changed {
                table,
                what: "a primary key is missing; put it back (docs/warehouse.md), or drop the table".into(),
            },
            "23502" | "23503" | "23505" | "23514" => WarehouseError::Changed {
                table,
                what: format!("a constraint refuses rows ({reason}); drop it"),
            },
            code if code.starts_with("08") || code.starts_with("57P") => WarehouseError::Broken(reason),
            _ => WarehouseError::Sql { table, reason, code },
        }
    }
}
