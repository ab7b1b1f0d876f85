//! The address of a database: read anew at each use, and never shown.

use std::str::FromStr;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use super::error::WarehouseError;
use crate::config::SecretError;
use crate::config::settings::{Secret, Warehouse};

const SHAPE: &str =
    "write postgres://USER:PASSWORD@HOST/DATABASE, with %40 for an @ in a password, and %2F for a /";

/// Parameters of an address that are understood. Of others sqlx would log the values.
const KNOWN: [&str; 10] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
];

/// What names the server without showing anything of its address.
pub fn place(feed: &Warehouse) -> String {
    match &feed.url {
        Secret::File(path) => path.display().to_string(),
        Secret::Value(_) => format!("the url of feed \"{}\"", feed.name),
    }
}

/// How to connect.
pub fn options(feed: &Warehouse) -> Result<PgConnectOptions, WarehouseError> {
    let wrong = |reason: &str| WarehouseError::Url { place: place(feed), reason: reason.to_owned() };
    let text = feed.url.read().map_err(|error| wrong(&unreadable(&error)))?;
    check(&text).map_err(|reason| wrong(&reason))?;
    let options = PgConnectOptions::from_str(text.expose_secret())
        .map_err(|_| wrong("holds an address with a parameter whose value is none that PostgreSQL knows"))?;
    Ok(options.application_name("vainu-sync").disable_statement_logging())
}

/// Why the address can't be used, as far as it can be told without reading it.
#[must_use]
pub fn fault(feed: &Warehouse) -> Option<WarehouseError> {
    let error = feed.url.fault()?;
    Some(WarehouseError::Url { place: place(feed), reason: unreadable(&error) })
}

fn unreadable(error: &SecretError) -> String {
    match error {
        SecretError::Directory(_) => "is a directory; put the address into a file of that name".into(),
        SecretError::Unreadable { reason, .. } => format!("can't be read: {reason}"),
        SecretError::NotText { .. } => "is no UTF-8 text".into(),
        SecretError::Empty { .. } => format!("is empty; {SHAPE}"),
        SecretError::ManyLines { .. } => "has more than one line; the address is one".into(),
    }
}

fn check(text: &SecretString) -> Result<(), String> {
    // What the parser says names no part of the text.
    let url =
        Url::parse(text.expose_secret()).map_err(|error| format!("holds no address ({error}); {SHAPE}"))?;
    if !["postgres", "postgresql"].contains(&url.scheme()) {
        return Err(format!("holds an address of another kind; {SHAPE}"));
    }
    let given: Vec<String> = url.query_pairs().map(|(key, _)| key.into_owned()).collect();
    if given.iter().any(|key| !KNOWN.contains(&key.as_str())) {
        let known = KNOWN.join(", ");
        return Err(format!("holds an address with a parameter that is not known here; there are {known}"));
    }
    let has = |key: &str| given.iter().any(|given| given == key);
    if url.host_str().is_none_or(str::is_empty) && !has("host") {
        return Err(format!("holds an address without a host; {SHAPE}"));
    }
    if url.username().is_empty() && !has("user") {
        return Err(format!("holds an address without a user; {SHAPE}"));
    }
    if url.path().trim_start_matches('/').is_empty() && !has("dbname") {
        return Err(format!("holds an address without a database; {SHAPE}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(url: &str) -> Option<String> {
        check(&SecretString::from(url)).err()
    }

    #[test]
    fn an_address_that_can_not_be_meant_is_refused_without_showing_it() {
        for url in [
            "postgres://u:s3cret@localhost/db",
            "postgresql://u@localhost:5433/db?sslmode=verify-full&sslrootcert=/etc/ca.pem",
            "postgres:///db?host=/run/postgresql&user=u",
        ] {
            assert_eq!(reason(url), None, "{url}");
        }
        for (url, words) in [
            ("s3cret", "no address"),
            ("mysql://u:s3cret@h/db", "another kind"),
            ("postgres://u:s3/cret@h/db", "no address"),
            ("postgres://:s3cret@h/db", "without a user"),
            ("postgres://u:s3cret@h", "without a database"),
            ("postgres://u:p@h/db?passwd=s3cret", "not known"),
        ] {
            let reason = reason(url).unwrap();
            assert!(reason.contains(words) && !reason.contains("s3"), "{reason}");
        }
    }
}
