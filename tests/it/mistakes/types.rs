//! Values of another type than their keys take.

use std::fmt::Write as _;

use super::feeds::FEED;
use super::{Mistake, QUERY, assert_told, folder, run};

const EXAMPLE: &str = include_str!("../../../config.example.toml");

/// What a key takes, in the words that ask for it.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    Text,
    Duration,
    Share,
    Number,
    Boolean,
    Texts,
}

/// A value of each type, and what it is called.
const VALUES: [(&str, &str); 7] = [
    ("'x'", "\"x\""),
    ("7", "7"),
    ("1.5", "1.5"),
    ("true", "true"),
    ("['x', 3]", "[\"x\", 3]"),
    ("{ x = 1 }", "{…}"),
    ("2026-03-30", "the value"),
];

impl Takes {
    fn fits(self, value: &str) -> bool {
        match value.as_bytes()[0] {
            b'\'' => self == Self::Text,
            b'7' => self == Self::Number,
            b't' => self == Self::Boolean,
            _ => false,
        }
    }

    /// The words that say what would be right.
    fn wanted(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["write text in quotes"],
            Self::Duration => &["write a number and a unit", "write \"7s\" for seconds"],
            Self::Share => &["write it with its sign in quotes, as \"20%\""],
            Self::Number => &["write a whole number, without quotes"],
            Self::Boolean => &["write true or false, without quotes"],
            Self::Texts => &["write a list of texts", "write each text in quotes"],
        }
    }
}

const TABLES: [(&str, &[(&str, Takes)]); 5] = [
    (
        "api",
        &[
            ("base_url", Takes::Text),
            ("language", Takes::Text),
            ("page_size", Takes::Number),
            ("concurrency", Takes::Number),
            ("requests_per_second", Takes::Number),
            ("timeout", Takes::Duration),
            ("retry_for", Takes::Duration),
            ("count_timeout", Takes::Duration),
            ("export_timeout", Takes::Duration),
            ("ca_file", Takes::Text),
        ],
    ),
    (
        "store",
        &[
            ("path", Takes::Text),
            ("keep_changes", Takes::Duration),
            ("keep_runs", Takes::Duration),
            ("keep_departed", Takes::Duration),
        ],
    ),
    ("http", &[("listen", Takes::Text), ("hosts", Takes::Texts)]),
    ("log", &[("level", Takes::Text), ("format", Takes::Text)]),
    (
        "defaults",
        &[
            ("database", Takes::Text),
            ("fields", Takes::Texts),
            ("quiet", Takes::Texts),
            ("schedule", Takes::Text),
            ("timezone", Takes::Text),
            ("full_every", Takes::Duration),
            ("fetch", Takes::Text),
            ("jitter", Takes::Duration),
            ("catch_up", Takes::Boolean),
            ("retry_run_after", Takes::Duration),
            ("max_departures", Takes::Share),
            ("max_arrivals", Takes::Share),
            ("ping_url", Takes::Text),
        ],
    ),
];

/// Told one at a time: two of them at once are another mistake.
const SECRETS: [&str; 5] =
    ["refresh_token", "refresh_token_file", "client_id", "client_secret", "client_secret_file"];

/// Keys of a query that `[defaults]` can't have, and the line of the query that each takes the place of.
const OF_A_QUERY: [(&str, &str); 5] = [
    ("name", "name = 'all'"),
    ("query", "query = '{\"?ALL\": []}'"),
    ("query_file", "query = '{\"?ALL\": []}'"),
    ("list", "query = '{\"?ALL\": []}'"),
    ("payload_file", "query = '{\"?ALL\": []}'"),
];

/// Keys of a feed, and the line of the feed that each takes the place of, or follows.
const OF_A_FEED: [(&str, Takes, &str); 18] = [
    ("name", Takes::Text, "name = 'crm'"),
    ("queries", Takes::Texts, "queries = ['all']"),
    ("directory", Takes::Text, "directory = 'folder'"),
    ("format", Takes::Text, ""),
    ("content", Takes::Text, ""),
    ("keep_files", Takes::Duration, ""),
    ("delimiter", Takes::Text, ""),
    ("line_ending", Takes::Text, ""),
    ("bom", Takes::Boolean, ""),
    ("null", Takes::Text, ""),
    ("join", Takes::Text, ""),
    ("spreadsheet_safe", Takes::Boolean, ""),
    ("target", Takes::Text, ""),
    ("max_rows", Takes::Number, ""),
    ("max_bytes", Takes::Text, ""),
    ("removals", Takes::Text, ""),
    ("after", Takes::Texts, ""),
    ("after_timeout", Takes::Duration, ""),
];

/// Keys of a feed whose values are shown nowhere.
const HIDDEN_OF_A_FEED: [&str; 2] = ["webhook_url", "webhook_secret"];

/// Keys of a feed into tables.
const OF_TABLES: [&str; 4] = ["url_file", "schema", "table", "removals"];

#[test]
fn every_key_tells_a_value_of_another_type() {
    for (value, shown) in VALUES {
        let (mut text, mut places) = (String::new(), Vec::new());
        let mut lines = 0;
        for (table, keys) in TABLES {
            let _ = writeln!(text, "[{table}]");
            lines += 1;
            for (key, takes) in keys.iter().filter(|(_, takes)| !takes.fits(value)) {
                let _ = writeln!(text, "{key} = {value}");
                lines += 1;
                let shown = if *key == "ping_url" { "the value" } else { shown };
                places.push((format!("config.toml:{lines}: {table}.{key}: {shown} "), *takes));
            }
        }
        let ended = run(folder(&text).path(), &["check".into()], &[]);
        assert_eq!((ended.code, ended.out.as_str()), (Some(78), ""), "{value}");
        let told = ended.err.strip_prefix("vainu-sync: ").unwrap();
        assert_eq!(told.lines().count(), places.len(), "{told}");
        for (place, takes) in places {
            let line = told.lines().find(|line| line.starts_with(&place));
            let line = line.unwrap_or_else(|| panic!("{place} is not in {told}"));
            assert!(takes.wanted().iter().any(|words| line.contains(words)), "{line}");
        }
    }
}

#[test]
fn a_credential_of_another_type_is_told_and_not_shown() {
    let wrong = VALUES.iter().filter(|(value, _)| !Takes::Text.fits(value));
    assert_told(wrong.flat_map(|(value, _)| {
        SECRETS.map(|key| {
            let place = format!("config.toml:2: auth.{key}: the value");
            let value = value.replace('x', "s3cr3t");
            Mistake::above(&format!("[auth]\n{key} = {value}"), place, &["write text in quotes"])
        })
    }));
}

#[test]
fn what_a_query_alone_has_tells_a_value_of_another_type() {
    let wrong = VALUES.iter().filter(|(value, _)| !Takes::Text.fits(value));
    assert_told(wrong.flat_map(|(value, shown)| {
        OF_A_QUERY.map(|(key, right)| {
            let (line, table) = if key == "name" { (2, "queries[0]") } else { (4, "queries.all") };
            let place = format!("config.toml:{line}: {table}.{key}: {shown}");
            Mistake::within(right, &format!("{key} = {value}"), place, &["in quotes"])
        })
    }));
}

#[test]
fn what_a_feed_has_tells_a_value_of_another_type() {
    for (key, takes, right) in OF_A_FEED {
        let wrong = VALUES
            .iter()
            .filter(|(value, _)| !takes.fits(value) && (*value != "'x'" || takes != Takes::Duration));
        assert_told(wrong.map(|(value, shown)| {
            let line = format!("{key} = {value}");
            let feed = match right {
                "" => FEED.replace("\n[feeds.columns]", &format!("\n{line}\n[feeds.columns]")),
                right => FEED.replace(right, &line),
            };
            let number = feed.lines().position(|one| one == line).unwrap() + 1;
            let table = if key == "name" { "feeds[0]" } else { "feeds.crm" };
            let words: &'static [&'static str] = match (takes, *value) {
                (Takes::Duration, "7") | (Takes::Texts, "['x', 3]") => &takes.wanted()[1..],
                _ => &takes.wanted()[..1],
            };
            Mistake::above(&feed, format!("config.toml:{number}: {table}.{key}: {shown}"), words)
        }));
    }
}

#[test]
fn what_a_feed_hides_is_told_and_not_shown() {
    let wrong = VALUES.iter().filter(|(value, _)| !Takes::Text.fits(value));
    assert_told(wrong.flat_map(|(value, _)| {
        HIDDEN_OF_A_FEED.map(|key| {
            let line = format!("{key} = {}", value.replace('x', "s3cr3t"));
            let feed = FEED.replace("\n[feeds.columns]", &format!("\n{line}\n[feeds.columns]"));
            Mistake::above(
                &feed,
                format!("config.toml:5: feeds.crm.{key}: the value"),
                &["write text in quotes"],
            )
        })
    }));
}

#[test]
fn what_a_feed_of_tables_has_tells_a_value_of_another_type() {
    let feed = "[[feeds]]\nname = 'dwh'\nqueries = ['all']\nformat = 'postgres'\nurl_file = 'address'\n";
    let wrong = VALUES.iter().filter(|(value, _)| !Takes::Text.fits(value));
    assert_told(wrong.flat_map(|(value, shown)| {
        OF_TABLES.map(|key| {
            let line = format!("{key} = {value}");
            let text = match key {
                "url_file" => feed.replace("url_file = 'address'", &line),
                _ => format!("{feed}{line}\n"),
            };
            let number = text.lines().position(|one| one == line).unwrap() + 1;
            Mistake::above(
                &text,
                format!("config.toml:{number}: feeds.dwh.{key}: {shown}"),
                &["write text in quotes"],
            )
        })
    }));
}

#[test]
fn every_key_of_the_example_is_among_those_that_are_tried() {
    let known = |key: &str| {
        TABLES.iter().any(|(_, keys)| keys.iter().any(|(known, _)| *known == key))
            || SECRETS.contains(&key)
            || OF_A_QUERY.iter().any(|(known, _)| *known == key)
            || OF_TABLES.contains(&key)
            || OF_A_FEED.iter().any(|(known, ..)| *known == key)
            || HIDDEN_OF_A_FEED.contains(&key)
            || key == "webhook_secret_file"
    };
    let keys = EXAMPLE.lines().filter_map(|line| line.trim_start_matches("# ").split_once(" = "));
    let keys: Vec<&str> = keys.map(|(key, _)| key).filter(|key| !key.contains([' ', '"'])).collect();
    assert!(keys.len() > 30, "{keys:?}");
    for key in keys {
        assert!(known(key), "{key}");
    }
    assert!(QUERY.lines().filter_map(|line| line.split_once(" = ")).all(|(key, _)| known(key)));
}
