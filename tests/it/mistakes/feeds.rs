//! Mistakes in `[[feeds]]`.

use super::{Mistake, QUERY, Words, assert_told};

/// A feed that is right.
pub const FEED: &str =
    "[[feeds]]\nname = 'crm'\nqueries = ['all']\ndirectory = 'folder'\n[feeds.columns]\n'Name' = 'name'\n";

/// A line of the feed, what stands in its place, where that is told, and in which words.
const LINES: &[(&str, &str, &str, Words)] = &[
    ("name = 'crm'", "name = 'CRM feed'", "2: feeds[0].name", &["is no name for a feed", "as \"crm-feed\""]),
    ("name = 'crm'\n", "", "1: feeds[0]", &["name is missing"]),
    ("queries = ['all']\n", "", "1: feeds.crm", &["queries is missing"]),
    ("directory = 'folder'\n", "", "1: feeds.crm", &["directory is missing"]),
    ("['all']", "[]", "3: feeds.crm.queries", &["names no query", "of one at least"]),
    ("['all']", "'all'", "3: feeds.crm.queries", &["is text; write a list of texts"]),
    ("['all']", "['al']", "3: feeds.crm.queries", &["\"al\"", "no query of that name", "did you mean all?"]),
    ("'folder'", "''", "4: feeds.crm.directory", &["\"\" is empty; name a folder"]),
    ("'folder'", "'~/feeds'", "4: feeds.crm.directory", &["begins with ~"]),
    ("'folder'", "'folder'\nformat = 'xml'", "5: feeds.crm.format", &["\"xml\" is none of csv, jsonl"]),
    ("'folder'", "'folder'\ncontent = 'full'", "5: feeds.crm.content", &["is none of delta, snapshot"]),
    ("'folder'", "'folder'\nkeep_files = '0s'", "5: feeds.crm.keep_files", &["no time at all"]),
    ("'folder'", "'folder'\ndelimiter = ''", "5: feeds.crm.delimiter", &["is empty; write one character"]),
    (
        "'folder'",
        "'folder'\ndelimiter = '\\t'",
        "5: feeds.crm.delimiter",
        &["a tab is \"\\t\", in double quotes"],
    ),
    ("'folder'", "'folder'\ndelimiter = '||'", "5: feeds.crm.delimiter", &["more than one character"]),
    ("'folder'", "'folder'\ndelimiter = '\"'", "5: feeds.crm.delimiter", &["another meaning in CSV"]),
    ("'folder'", "'folder'\ndelimiter = \"\\r\"", "5: feeds.crm.delimiter", &["another meaning in CSV"]),
    ("'folder'", "'folder'\nline_ending = 'cr'", "5: feeds.crm.line_ending", &["is none of crlf, lf"]),
    ("'folder'", "'folder'\nbom = 'yes'", "5: feeds.crm.bom", &["write true or false, without quotes"]),
    ("'folder'", "'folder'\nnull = 0", "5: feeds.crm.null", &["is a number; write text in quotes"]),
    ("'folder'", "'folder'\nnull = \"\\u0000\"", "5: feeds.crm.null", &["holds a NUL character"]),
    ("'folder'", "'folder'\nseparator = ';'", "5: feeds.crm.separator", &["did you mean delimiter?"]),
    ("'folder'", "'folder'\ncolour = 'red'", "5: feeds.crm.colour", &["no such key; [[feeds]] has name"]),
    (
        "'folder'",
        "'folder'\nafter = 'import-crm'",
        "5: feeds.crm.after",
        &["\"import-crm\" is text; write a list of texts, as [\"/usr/local/bin/import-crm\"]"],
    ),
    (
        "'folder'",
        "'folder'\ntarget = 'hubspt'",
        "5: feeds.crm.target",
        &["\"hubspt\" is none of", "did you mean hubspot?"],
    ),
    (
        "'folder'",
        "'folder'\nformat = 'jsonl'\ntarget = 'hubspot'",
        "6: feeds.crm.target",
        &["is an option of CSV", "leave one of the two out"],
    ),
    (
        "'folder'",
        "'folder'\ncontent = 'snapshot'\ntarget = 'hubspot'",
        "6: feeds.crm.target",
        &["is for a delta", "content = \"snapshot\"", "leave one of the two out"],
    ),
    (
        "'folder'",
        "'folder'\ncontent = 'snapshot'\nmax_rows = 5",
        "6: feeds.crm.max_rows",
        &["is for a delta", "which is one file with every member"],
    ),
    ("'folder'", "'folder'\nmax_rows = 0", "5: feeds.crm.max_rows", &["write a whole number from 1 up"]),
    ("'folder'", "'folder'\nmax_bytes = 100", "5: feeds.crm.max_bytes", &["is a number", "as \"100MB\""]),
    ("'folder'", "'folder'\nmax_bytes = '1GiB'", "5: feeds.crm.max_bytes", &["is no size", "kB, MB or GB"]),
    ("'folder'", "'folder'\nmax_bytes = '10B'", "5: feeds.crm.max_bytes", &["too small for a row"]),
    ("'folder'", "'folder'\nremovals = 'none'", "5: feeds.crm.removals", &["is none of rows, files"]),
    ("'folder'", "'folder'\nafter = []", "5: feeds.crm.after", &["names no program"]),
    ("'folder'", "'folder'\nafter = ['x', 3]", "5: feeds.crm.after", &["holds 3", "[", "in quotes"]),
    ("'folder'", "'folder'\nafter = ['~/x']", "5: feeds.crm.after", &["begins with ~"]),
    (
        "'folder'",
        "'folder'\nafter = ['x']\nafter_timeout = '0s'",
        "6: feeds.crm.after_timeout",
        &["no time at all"],
    ),
    (
        "'folder'",
        "'folder'\nafter_timeout = '5m'",
        "5: feeds.crm.after_timeout",
        &["has no effect without after"],
    ),
    (
        "'folder'",
        "'folder'\nwebhook_url = 'http://crm.example/s3cr3t'",
        "5: feeds.crm.webhook_url",
        &["the value goes over http", "write https"],
    ),
    (
        "'folder'",
        "'folder'\nwebhook_url = 'https://crm.example/s3cr3t'",
        "5: feeds.crm.webhook_url",
        &["has no secret to sign", "webhook_secret_file", "openssl rand"],
    ),
    (
        "'folder'",
        "'folder'\nwebhook_secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'",
        "5: feeds.crm.webhook_secret",
        &["has no effect without webhook_url"],
    ),
    (
        "'folder'",
        "'folder'\nwebhook_url = 'https://crm.example'\nwebhook_secret = 's3cr3t'",
        "6: feeds.crm.webhook_secret",
        &["the value is no secret of a webhook", "whsec_"],
    ),
    (
        "'folder'",
        "'folder'\nwebhook_url = 'https://crm.example'\nwebhook_secret_file = 'whsec_s3cr3t'",
        "6: feeds.crm.webhook_secret_file",
        &["the value is a secret, not a file; use webhook_secret"],
    ),
    (
        "'folder'",
        "'folder'\nwebhook_url = 'https://crm.example'\nwebhook_secret_file = 'x'\nwebhook_secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'",
        "7: feeds.crm.webhook_secret",
        &["webhook_secret_file", "the same thing twice"],
    ),
    (
        "'folder'",
        "'folder'\nformat = 'jsonl'\nnull = '-'",
        "6: feeds.crm.null",
        &["is an option of CSV", "format = \"jsonl\"", "leave one of the two out"],
    ),
    (
        "[feeds.columns]\n'Name' = 'name'\n",
        "",
        "1: feeds.crm",
        &["columns are missing", "\"Header\" = \"path\""],
    ),
    ("'Name' = 'name'\n", "", "5: feeds.crm.columns", &["names no column"]),
    ("[feeds.columns]\n'Name' = 'name'", "columns = ['name']", "5: feeds.crm.columns", &["is a list; write"]),
    ("'Name' = 'name'", "'Name' = 3", "6: feeds.crm.columns.\"Name\"", &["3 is a number"]),
    ("'Name' = 'name'", "Name.x = 'name'", "6: feeds.crm.columns.\"Name\"", &["is a table"]),
    (
        "'Name' = 'name'",
        "'' = 'name'",
        "6: feeds.crm.columns.\"\"",
        &["is no header; give the column a name"],
    ),
    (
        "'Name' = 'name'",
        "'Name' = 'name['",
        "6: feeds.crm.columns.\"Name\"",
        &["is no path", "[0] for the first"],
    ),
    (
        "'Name' = 'name'",
        "'Name' = 'nmae'",
        "6: feeds.crm.columns.\"Name\"",
        &["\"nmae\" is not in the fields of query \"all\" (config.toml:12)", "did you mean name?"],
    ),
    ("'Name' = 'name'", "'City' = 'units[].city'", "6: feeds.crm.columns.\"City\"", &["ask for it there"]),
    (
        "'Name' = 'name'",
        "'Name' = 'name'\n'name' = 'business_id'",
        "7: feeds.crm.columns.\"name\"",
        &["would meet \"Name\" (config.toml:6)", "give one of them another name"],
    ),
    ("'Name' = 'name'", "'Change' = 'name'", "6: feeds.crm.columns.\"Change\"", &["the column \"change\""]),
    (
        "'Name' = 'name'",
        "business_id = 'name'",
        "6: feeds.crm.columns.\"business_id\"",
        &["that every feed has"],
    ),
    (
        "'Name' = 'name'",
        "CHANGED_AT = 'name'",
        "6: feeds.crm.columns.\"CHANGED_AT\"",
        &["case does not count"],
    ),
];

#[test]
fn a_mistake_in_a_feed_is_told_with_what_would_be_right() {
    assert_told(LINES.iter().map(|(right, wrong, place, words)| {
        assert!(FEED.contains(right), "{right}");
        Mistake::above(&FEED.replace(right, wrong), format!("config.toml:{place}"), words)
    }));
}

#[test]
fn feeds_that_can_not_stand_side_by_side_or_see_what_they_tell_of_are_told() {
    let quiet = format!("{QUERY}quiet = ['name']\n");
    let other = QUERY.replace("'all'", "'other'");
    let place = "config.toml:6: feeds.crm.columns.\"Name\"";
    assert_told([
        Mistake::above(
            &format!("{FEED}{FEED}"),
            "config.toml:8: feeds.crm.name",
            &["is taken by the feed at config.toml:2", "another"],
        ),
        Mistake::above(
            "[feeds]\nname = 'x'",
            "config.toml:1: feeds",
            &["write [[feeds]], in double brackets"],
        ),
        Mistake::in_file(format!("{FEED}{quiet}"), place, &["under \"name\"", "query \"all\" keeps quiet"]),
        Mistake::in_file(
            format!("{FEED}{QUERY}{other}quiet = ['name']\n"),
            place,
            &["query \"other\" keeps quiet", "would not see them"],
        ),
    ]);
}
