//! Mistakes in `[[feeds]]` with `format = "postgres"`.

use super::{Mistake, Words, assert_told};

/// A feed that is right.
const FEED: &str = "[[feeds]]\nname = 'dwh'\nqueries = ['all']\nformat = 'postgres'\nurl_file = 'address'\n";

/// A line of the feed, what stands in its place, where that is told, and in which words.
const LINES: &[(&str, &str, &str, Words)] = &[
    ("'dwh'", "'D W'", "2: feeds[0].name", &["is no name for a feed"]),
    ("queries = ['all']\n", "", "1: feeds.dwh", &["queries is missing"]),
    ("url_file = 'address'\n", "", "1: feeds.dwh", &["url_file is missing", "postgres://USER"]),
    (
        "url_file = 'address'",
        "url_file = 'postgres://u:s3cr3t@h/d'",
        "5: feeds.dwh.url_file",
        &["holds an address"],
    ),
    ("url_file = 'address'", "url = ''", "5: feeds.dwh.url", &["is empty; write postgres://"]),
    ("'address'", "''", "5: feeds.dwh.url_file", &["is empty; name a file"]),
    ("'address'\n", "'address'\nurl = 'postgres://u:s3cr3t@h/d'\n", "6: feeds.dwh.url", &["beside url_file"]),
    ("'address'\n", "'address'\nschema = ''\n", "6: feeds.dwh.schema", &["is empty; give it a name"]),
    (
        "'address'\n",
        "'address'\ntable = 'a_name_that_is_longer_than_what_postgresql_keeps_of_it'\n",
        "6: feeds.dwh.table",
        &["longer than the 51 bytes"],
    ),
    ("'address'\n", "'address'\nremovals = 'keep'\n", "6: feeds.dwh.removals", &["is none of mark, delete"]),
    ("'address'\n", "'address'\ndirectory = 'x'\n", "6: feeds.dwh.directory", &["feeds of files"]),
    ("'address'\n", "'address'\ncontent = 'delta'\n", "6: feeds.dwh.content", &["feeds of files"]),
    ("'address'\n", "'address'\nafter = ['x']\n", "6: feeds.dwh.after", &["feeds of files"]),
    ("'address'\n", "'address'\n[feeds.columns]\n", "6: feeds.dwh.columns", &["names no column"]),
    (
        "'address'\n",
        "'address'\n[feeds.columns]\nGone_at = 'name'\n",
        "7: feeds.dwh.columns.\"Gone_at\"",
        &["\"gone_at\" that every feed has"],
    ),
    (
        "'address'\n",
        "'address'\n[feeds.columns]\nA = 'nam'\n",
        "7: feeds.dwh.columns.\"A\"",
        &["did you mean name?"],
    ),
    (
        "'address'\n",
        "'address'\n[feeds.columns]\nA_header_that_is_longer_than_what_a_column_may_be_called_in_there = 'name'\n",
        "7: feeds.dwh.columns.\"A_header_that_is_longer_than_what_a_column_may_be_called_in_there\"",
        &["longer than the 63 bytes"],
    ),
    (
        "'address'\n",
        "'address'\n[[feeds]]\nname = 'two'\nqueries = ['all']\nformat = 'postgres'\nurl_file = 'address'\n",
        "7: feeds.two",
        &["the same table as the feed \"dwh\""],
    ),
    (
        "format = 'postgres'\nurl_file = 'address'\n",
        "directory = 'folder'\ntable = 'x'\n[feeds.columns]\nA = 'name'\n",
        "5: feeds.dwh.table",
        &["belongs to format = \"postgres\""],
    ),
];

#[test]
fn a_mistake_in_a_feed_into_tables_is_told_with_what_would_be_right() {
    assert_told(LINES.iter().map(|(line, instead, place, words)| {
        assert!(FEED.contains(line), "{line}");
        Mistake::above(&FEED.replace(line, instead), format!("config.toml:{place}"), words)
    }));
}
