//! Mistakes within one query.

use super::{Mistake, Words, assert_told};

const NAME: &str = "name = 'all'";
const DATABASE: &str = "database = 'FI'";
const ASK: &str = "query = '{\"?ALL\": []}'";
const FIELDS: &str = "fields = ['name']";
const SCHEDULE: &str = "schedule = '@daily'";

#[test]
fn a_mistake_within_a_query_is_told_with_what_would_be_right() {
    assert_told(
        WITHIN.iter().map(|(right, wrong, place, words)| Mistake::within(right, wrong, *place, words)),
    );
}

#[test]
fn a_key_added_to_a_query_with_an_impossible_value_is_told() {
    assert_told(ADDED.iter().map(|(added, place, words)| {
        Mistake::within(SCHEDULE, &format!("{SCHEDULE}\n{added}"), *place, words)
    }));
}

#[test]
fn a_schedule_that_is_no_crontab_or_never_comes_is_told_with_what_would_be_right() {
    assert_told(SCHEDULES.iter().map(|(schedule, words)| {
        let wrong = format!("schedule = '{schedule}'");
        Mistake::within(SCHEDULE, &wrong, "config.toml:6: queries.all.schedule", words)
    }));
}

#[test]
fn a_zone_that_there_is_not_is_told_with_the_one_that_was_meant() {
    assert_told(ZONES.iter().map(|(zone, words)| {
        let wrong = format!("{SCHEDULE}\ntimezone = '{zone}'");
        Mistake::within(SCHEDULE, &wrong, "config.toml:7: queries.all.timezone", words)
    }));
}

/// A line of the query, what stands there instead, where it is told, and in which words.
const WITHIN: &[(&str, &str, &str, Words)] = &[
    (NAME, "", "config.toml:1: queries[0]", &["name is missing"]),
    (NAME, "name = ''", "config.toml:2: queries[0].name", &["\"\" is no name", "a to z, digits and hyphens"]),
    (NAME, "name = 'Finnish Software'", "config.toml:2: queries[0].name", &["as \"finnish-software\""]),
    (NAME, "name = 'a_b'", "config.toml:2: queries[0].name", &["\"a_b\" is no name", "as \"a-b\""]),
    (DATABASE, "", "config.toml:1: queries.all", &["database is missing", "no default"]),
    (DATABASE, "database = 'Fi'", "config.toml:3: queries.all.database", &["\"Fi\"", "did you mean FI?"]),
    (DATABASE, "database = 'Finland'", "config.toml:3: queries.all.database", &["did you mean FI?"]),
    (
        DATABASE,
        "database = 'DE'",
        "config.toml:3: queries.all.database",
        &["there are FI, SE, NO, DK and NL"],
    ),
    (DATABASE, "database = ['FI', 'SE']", "config.toml:3: queries.all.database", &["is a list"]),
    (ASK, "", "config.toml:1: queries.all", &["nothing to ask", "query_file", "list"]),
    (
        ASK,
        "query = '[]'",
        "config.toml:4: queries.all.query",
        &["no object", "'{\"?EQ\": {\"name\": \"Acme\"}}'"],
    ),
    (
        ASK,
        "query = '{\"?ALL\": [}'",
        "config.toml:4: queries.all.query",
        &["is not JSON", "line 1 column 11"],
    ),
    (ASK, "query = ''", "config.toml:4: queries.all.query", &["\"\" is not JSON"]),
    (
        ASK,
        "query = { '?ALL' = [] }",
        "config.toml:4: queries.all.query",
        &["is a table", "text in quotes, as '{\"?EQ\""],
    ),
    (
        ASK,
        "query = '{}'\nlist = '69b0'",
        "config.toml:4: queries.all.query",
        &["list (config.toml:5)", "keep one"],
    ),
    (
        ASK,
        "query_file = 'none.json'",
        "config.toml:4: queries.all.query_file",
        &["none.json", "no such file"],
    ),
    (ASK, "query_file = 'folder'", "config.toml:4: queries.all.query_file", &["folder", "is a directory"]),
    (ASK, "query_file = 'latin.json'", "config.toml:4: queries.all.query_file", &["is not UTF-8"]),
    (ASK, "query_file = ''", "config.toml:4: queries.all.query_file", &["\"\" is empty", "name a file"]),
    (ASK, "query_file = 'broken.json'", "{folder}/broken.json:3", &["is not JSON"]),
    (ASK, "list = ''", "config.toml:4: queries.all.list", &["no id of a list", "0123456789abcdef01234567"]),
    (ASK, "list = 'my list'", "config.toml:4: queries.all.list", &["no id of a list"]),
    (
        ASK,
        "list = '69b0'\nfull_every = '7d'",
        "config.toml:5: queries.all.full_every",
        &["leave full_every out"],
    ),
    (ASK, "payload_file = 'none.json'", "config.toml:4: queries.all.payload_file", &["no such file"]),
    (FIELDS, "", "config.toml:1: queries.all", &["fields is missing", "no default"]),
    (
        FIELDS,
        "fields = []",
        "config.toml:5: queries.all.fields",
        &["names no field", "[\"name\", \"website\"]"],
    ),
    (FIELDS, "fields = 'name'", "config.toml:5: queries.all.fields", &["is text", "write a list of texts"]),
    (FIELDS, "fields = ['a..b']", "config.toml:5: queries.all.fields", &["\"a..b\"", "joined by dots"]),
    (FIELDS, "fields = ['name', '']", "config.toml:5: queries.all.fields", &["holds \"\"", "no field path"]),
    (
        FIELDS,
        "fields = ['name ']",
        "config.toml:5: queries.all.fields",
        &["holds \"name \"", "no field path"],
    ),
    (
        FIELDS,
        "fields = ['name, website']",
        "config.toml:5: queries.all.fields",
        &["write each by itself, as [\"name\", \"website\"]"],
    ),
    (FIELDS, "fields = ['a;b.c']", "config.toml:5: queries.all.fields", &["by itself, as [\"a\", \"b.c\"]"]),
    (FIELDS, "fields = ['*']", "config.toml:5: queries.all.fields", &["name those to keep"]),
    (FIELDS, "fields = ['a/b']", "config.toml:5: queries.all.fields", &["\"a/b\"", "joined by dots"]),
    (FIELDS, "fields = ['a[0].b']", "config.toml:5: queries.all.fields", &["\"a[0].b\"", "joined by dots"]),
    (
        FIELDS,
        "fields = [\n'business_id',\n'name',\n'Name']",
        "config.toml:5: queries.all.fields",
        &["\"Name\" and \"name\" (config.toml:7)", "one column", "leave one out"],
    ),
    (
        FIELDS,
        "fields = ['business_units.phone', 'business_units_phone']",
        "config.toml:5: queries.all.fields",
        &["\"business_units_phone\" and \"business_units.phone\"", "leave one out"],
    ),
    (FIELDS, "fields = ['Business_ID']", "config.toml:5: queries.all.fields", &["and \"business_id\""]),
    (SCHEDULE, "", "config.toml:1: queries.all", &["schedule is missing", "no default"]),
];

/// A line at a query's end, where it is told, and in which words.
const ADDED: &[(&str, &str, Words)] = &[
    ("quiet = ['a.b']", "config.toml:7: queries.all.quiet", &["\"a.b\"", "at the top level only, as \"a\""]),
    ("quiet = ['']", "config.toml:7: queries.all.quiet", &["\"\"", "top level"]),
    ("fetch = 'page'", "config.toml:7: queries.all.fetch", &["none of auto, pages, export", "mean pages?"]),
    ("jitter = '5m5'", "config.toml:7: queries.all.jitter", &["is no duration"]),
    ("full_every = '7'", "config.toml:7: queries.all.full_every", &["\"7\" has no unit"]),
    ("full_every = '0d'", "config.toml:7: queries.all.full_every", &["no time at all"]),
    ("retry_run_after = '0s'", "config.toml:7: queries.all.retry_run_after", &["no time at all"]),
    (
        "catch_up = 'yes'",
        "config.toml:7: queries.all.catch_up",
        &["is text", "true or false, without quotes"],
    ),
    ("max_departures = 20", "config.toml:7: queries.all.max_departures", &["20 is no", "as \"20%\""]),
    ("max_departures = '0.2'", "config.toml:7: queries.all.max_departures", &["as \"20%\""]),
    ("max_departures = '120%'", "config.toml:7: queries.all.max_departures", &["\"100%\" at most"]),
    ("max_departures = '1e1%'", "config.toml:7: queries.all.max_departures", &["is no percentage"]),
    ("max_arrivals = '-1%'", "config.toml:7: queries.all.max_arrivals", &["\"-1%\" is no percentage"]),
    ("ping_url = 'ftp://s3cr3t'", "config.toml:7: queries.all.ping_url", &["the value is no web address"]),
    ("ping_url = 's3cr3t'", "config.toml:7: queries.all.ping_url", &["the value is no address"]),
    ("fields = ['website']", "config.toml:7", &["the key fields stands here a second time", "keep one"]),
];

const SCHEDULES: &[(&str, Words)] = &[
    (
        "0 0 30 2 *",
        &["\"0 0 30 2 *\" is no schedule: it never comes", "no month that it names has such a day"],
    ),
    ("0 0 31 2,4,6 *", &["it never comes"]),
    ("0 3 * * * *", &["five fields (minute, hour, day of month, month, day of week; no seconds), not 6"]),
    ("*/30 0 3 * * *", &["no seconds", "not 6", "write \"0 3 * * *\""]),
    ("0 3 * *", &["not 4"]),
    ("", &["not 0"]),
    ("daily", &["not 1", "@daily"]),
    ("@every 5m", &["write @hourly, @daily, @weekly or @monthly, or five fields"]),
    ("@yearly", &["write @hourly, @daily, @weekly or @monthly"]),
    ("0 24 * * *", &["\"24\" in the hour field is neither * nor one of 0-23"]),
    ("0 3 * * 8", &["\"8\" in the day of week field is neither * nor one of 0-7 or sun-sat"]),
    ("0 3 * * Monday", &["\"Monday\" in the day of week field", "did you mean mon?"]),
    ("0 3 * * mo", &["did you mean mon?"]),
    ("0 3 * sept *", &["\"sept\" in the month field", "did you mean sep?"]),
    ("0 3 L * *", &["\"L\" in the day of month field is neither * nor one of 1-31"]),
    ("0 3 ? * *", &["\"?\" in the day of month field"]),
    ("0/15 * * * *", &["has a step but no range; write 0-59/15"]),
    ("0 22-4 * * *", &["runs backwards; write 22-23,0-4"]),
];

const ZONES: &[(&str, Words)] = &[
    ("Helsinki", &["\"Helsinki\" is no time zone; did you mean Europe/Helsinki?"]),
    ("Europe/Helsinky", &["did you mean Europe/Helsinki?"]),
    ("Finland", &["did you mean Europe/Helsinki?"]),
    ("US/Pacifc", &["did you mean US/Pacific?"]),
    ("EEST", &["did you mean Europe/Helsinki?"]),
    ("UTC+2", &["\"UTC+2\" is an offset, which knows no summer time", "as \"Europe/Helsinki\""]),
    ("+02:00", &["is an offset"]),
    ("Mars/Olympus", &["is no time zone", "as \"Europe/Helsinki\" or \"UTC\""]),
    ("Etc/Unknown", &["is no time zone"]),
    ("", &["\"\" is no time zone"]),
];
