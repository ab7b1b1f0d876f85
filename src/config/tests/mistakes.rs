//! Mistakes as people make them, and what each is told.

use super::{Folder, QUERY};

/// A file, variables beside it, and the words that the one message must have.
type Mistake = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

fn told(text: &str, variables: &[(&str, &str)]) -> String {
    let folder = Folder::with(text);
    folder.write("folder/x", "");
    folder.write("empty.json", "{\n \"?ALL\": [],\n}");
    match folder.load_with(variables) {
        Ok(_) => format!("nothing was wrong with {text:?} {variables:?}"),
        Err(error) => error.to_string(),
    }
}

/// Each mistake stands above a query that is right.
const ABOVE_A_QUERY: &[Mistake] = &[
    ("[api]\ntimeuot = '1s'", &[], &["config.toml:2: api.timeuot", "no such key", "did you mean timeout?"]),
    ("[apii]\ntimeout = '1s'", &[], &["config.toml:1: apii", "did you mean api?"]),
    ("timezone = 'UTC'", &[], &["config.toml:1: timezone", "belongs in [defaults] or [[queries]]"]),
    ("[store]\nlisten = 'x'", &[], &["store.listen", "belongs in [http]"]),
    ("[defaults]\nquery = '{}'", &[], &["defaults.query", "belongs in [[queries]]"]),
    ("api = 3", &[], &["config.toml:1: api", "is a table", "[api]"]),
    ("auth = 'x'", &[("VAINU_SYNC_AUTH__CLIENT_ID", "x")], &["config.toml:1: auth", "is a table"]),
    ("[queries]\nname = 'x'", &[], &["config.toml:3", "queries", "second time"]),
    ("[api]\nbase_url = 'http://api.vainu.io/api'", &[], &["config.toml:2: api.base_url", "https"]),
    (
        "[api]\nbase_url = 'https://api.vainu.io/api/v3'",
        &[],
        &["path too many", "\"https://api.vainu.io/api\""],
    ),
    ("[api]\nbase_url = 'https://api.vainu.io/api?x=1'", &[], &["api.base_url", "has a ? or #"]),
    ("[api]\nbase_url = 'api.vainu.io'", &[], &["\"api.vainu.io\" is no", "https://api.vainu.io/api"]),
    ("[api]\nbase_url = 'https://me:s3cr3t@vainu.io'", &[], &["…@vainu.io", "password"]),
    ("[api]\nlanguage = 'de'", &[], &["\"de\" is none of en, fi, sv"]),
    ("[api]\npage_size = 1", &[], &["api.page_size: 1 is out of range", "from 2"]),
    ("[api]\npage_size = '1000'", &[], &["\"1000\" is text", "without quotes"]),
    ("[api]\npage_size = 10.5", &[], &["10.5 is a number with decimals", "whole number"]),
    ("[api]\npage_size = 99999999999999999999999999999999999999999", &[], &["config.toml:2", "page_size"]),
    ("[api]\nconcurrency = 0", &[], &["api.concurrency: 0 is out of range", "from 1"]),
    ("[api]\nrequests_per_second = -1", &[], &["-1 is out of range", "from 0"]),
    ("[api]\ntimeout = 130", &[], &["api.timeout: 130", "\"130s\""]),
    ("[api]\ntimeout = '130'", &[], &["\"130\" has no unit", "\"130s\""]),
    ("[api]\ntimeout = '0s'", &[], &["\"0s\" is no time at all"]),
    ("[api]\ntimeout = 2026-03-30", &[], &["api.timeout", "is not text", "\"130s\""]),
    ("[api]\nretry_for = 'soon'", &[], &["\"soon\" is no duration", "\"15m\""]),
    ("[api]\nexport_timeout = '1000y'", &[], &["longer than 100 years"]),
    ("[api]\nca_file = 'ca.pem'", &[], &["api.ca_file", "ca.pem", "no such file"]),
    ("[api]\nca_file = 'config.toml'", &[], &["api.ca_file", "no certificate"]),
    (
        "[auth]\nrefresh_token = 'a'\nrefresh_token_file = 'b'",
        &[],
        &["config.toml:2", "config.toml:3", "keep one"],
    ),
    ("[auth]\nclient_secret = 'a'\nclient_secret_file = 'b'", &[], &["same thing twice", "keep one"]),
    ("[auth]\nclient_id = 'a'\nrefresh_token = 's3cr3t'", &[], &["two kinds", "client_id (config.toml:2)"]),
    ("[auth]\nclient_secret = 's3cr3t'", &[], &["auth.client_secret", "needs auth.client_id"]),
    (
        "[auth]\nrefresh_token = 12345",
        &[],
        &["config.toml:2: auth.refresh_token", "is a number", "in quotes"],
    ),
    ("[auth]\nrefresh_token = ''", &[], &["auth.refresh_token", "is empty"]),
    ("[auth]\nrefresh_token = \"s3cr\\n3t\"", &[], &["auth.refresh_token", "line break"]),
    ("[auth]\nrefresh_tokn = 's3cr3t'", &[], &["auth.refresh_tokn", "did you mean refresh_token?"]),
    ("[auth]\nrefresh_token = s3cr3t", &[], &["config.toml:2: is not TOML"]),
    ("[auth]\nrefresh_token_file = '~/token'", &[], &["begins with ~"]),
    ("[store]\npath = ''", &[], &["store.path: \"\" is empty"]),
    ("[store]\nkeep_runs = true", &[], &["store.keep_runs: true", "\"400d\""]),
    ("[http]\nlisten = 'localhost'", &[], &["\"localhost\" is no address and port", "127.0.0.1:9464"]),
    ("[log]\nlevel = 'inof'", &[], &["log.level: \"inof\"", "did you mean info?"]),
    ("[log]\nformat = 'xml'", &[], &["\"xml\" is none of auto, pretty, json, journald"]),
    (
        "[defaults]\ntimezone = 'Europe/Helsinky'",
        &[],
        &["config.toml:2: defaults.timezone", "did you mean Europe/Helsinki?"],
    ),
    ("[defaults]\njitter = 5", &[], &["defaults.jitter: 5 is not text"]),
    ("[api]\nlanguage = 'fi'\nlanguage = 'sv'", &[], &["config.toml:3", "language", "second time"]),
    ("[[feeds]]\nname = 'crm'", &[], &["config.toml:1: feeds", "not available in this version"]),
    (
        "",
        &[("VAINU_SYNC_API__BASE_URL", "")],
        &["VAINU_SYNC_API__BASE_URL: api.base_url: \"\" is no address"],
    ),
    ("", &[("VAINU_SYNC_API__PAGE_SIZE", "many")], &["VAINU_SYNC_API__PAGE_SIZE", "whole number"]),
    ("", &[("VAINU_SYNC_API__TIMEUOT", "1s")], &["VAINU_SYNC_API__TIMEUOT", "did you mean timeout?"]),
    (
        "",
        &[("VAINU_SYNC_LOG_LEVEL", "info")],
        &["VAINU_SYNC_LOG_LEVEL: no key", "did you mean VAINU_SYNC_LOG__LEVEL?"],
    ),
    ("", &[("VAINU_SYNC_STORE", "x.db")], &["VAINU_SYNC_STORE: no key", "VAINU_SYNC_STORE__PATH"]),
    ("", &[("VAINU_SYNC_QUERIES__0__NAME", "x")], &["VAINU_SYNC_QUERIES__0__NAME", "no query"]),
    ("", &[("VAINU_SYNC_CONFIG", "")], &["VAINU_SYNC_CONFIG", "is empty"]),
    ("", &[("VAINU_SYNC_CONFIG", "none.toml")], &["none.toml", "no such file", "named by VAINU_SYNC_CONFIG"]),
    ("", &[("VAINU_SYNC_CONFIG", "folder")], &["folder: is a directory"]),
    ("", &[("VAINU_SYNC_DEFAULTS__QUIET", "modifications")], &["VAINU_SYNC_DEFAULTS__QUIET", "write a list"]),
];

#[test]
fn a_mistake_above_a_query_is_told_alone_with_place_and_remedy() {
    for (text, variables, words) in ABOVE_A_QUERY {
        expect_alone(&format!("{text}\n{QUERY}"), variables, words);
    }
}

/// A line of the query, what stands there instead, and the words that the one message must have.
const WITHIN_A_QUERY: &[(&str, &str, &[&str])] = &[
    ("name = 'all'", "name = 'All'", &["config.toml:2: queries[0].name: \"All\" is no name", "a to z"]),
    ("name = 'all'", "", &["config.toml:1: queries[0]", "name is missing"]),
    ("name = 'all'", "name = 7", &["queries[0].name: 7 is a number"]),
    (
        "database = 'FI'",
        "database = 'Fi'",
        &["config.toml:3: queries.all.database: \"Fi\"", "did you mean FI?"],
    ),
    ("database = 'FI'", "", &["config.toml:1: queries.all: database is missing"]),
    ("query = '{\"?ALL\": []}'", "", &["config.toml:1: queries.all", "nothing to ask", "query_file"]),
    ("query = '{\"?ALL\": []}'", "query = '[]'", &["config.toml:4: queries.all.query", "no object"]),
    ("query = '{\"?ALL\": []}'", "query = '{\"?ALL\": [}'", &["is not JSON", "line 1 column"]),
    ("query = '{\"?ALL\": []}'", "query = {}", &["queries.all.query", "is a table", "in quotes"]),
    ("query = '{\"?ALL\": []}'", "query = '{}'\nlist = '69b0'", &["config.toml:5", "both say what to ask"]),
    ("query = '{\"?ALL\": []}'", "query_file = 'none.json'", &["config.toml:4", "none.json", "no such file"]),
    ("query = '{\"?ALL\": []}'", "query_file = 'empty.json'", &["empty.json:3", "is not JSON"]),
    ("query = '{\"?ALL\": []}'", "list = ''", &["queries.all.list", "no id of a list"]),
    (
        "query = '{\"?ALL\": []}'",
        "list = '69b0'\nfull_every = '7d'",
        &["config.toml:5", "list", "incrementally"],
    ),
    ("fields = ['name']", "", &["config.toml:1: queries.all: fields is missing"]),
    ("fields = ['name']", "fields = []", &["queries.all.fields", "names no field"]),
    ("fields = ['name']", "fields = 'name'", &["queries.all.fields", "write a list"]),
    ("fields = ['name']", "fields = ['name', 3]", &["queries.all.fields", "holds more than texts"]),
    ("fields = ['name']", "fields = ['a..b']", &["\"a..b\"", "no field path"]),
    (
        "fields = ['name']",
        "fields = ['business_id', 'name', 'Name']",
        &["\"Name\" and \"name\"", "config.toml:5"],
    ),
    (
        "fields = ['name']",
        "fields = ['business_units.phone', 'business_units_phone']",
        &["\"business_units.phone\"", "\"business_units_phone\""],
    ),
    ("fields = ['name']", "fields = ['Business_ID']", &["\"Business_ID\" and \"business_id\""]),
    ("schedule = '@daily'", "", &["queries.all: schedule is missing"]),
    (
        "schedule = '@daily'",
        "schedule = '@daily'\nquiet = ['a.b']",
        &["queries.all.quiet", "\"a.b\"", "top level"],
    ),
    (
        "schedule = '@daily'",
        "schedule = '@daily'\ntimezone = 'Helsinki'",
        &["config.toml:7", "did you mean Europe/Helsinki?"],
    ),
    (
        "schedule = '@daily'",
        "schedule = '@daily'\nfetch = 'page'",
        &["is none of auto, pages, export", "did you mean pages?"],
    ),
    (
        "schedule = '@daily'",
        "schedule = '@daily'\ncatch_up = 'yes'",
        &["queries.all.catch_up", "true or false"],
    ),
    (
        "schedule = '@daily'",
        "schedule = '@daily'\nmax_departures = 20",
        &["queries.all.max_departures: 20", "\"20%\""],
    ),
    (
        "schedule = '@daily'",
        "schedule = '@daily'\nmax_departures = '120%'",
        &["\"120%\"", "\"100%\" at most"],
    ),
    ("schedule = '@daily'", "schedule = '@daily'\nmax_arrivals = '-1%'", &["\"-1%\" is no percentage"]),
    ("schedule = '@daily'", "schedule = '@daily'\nfull_every = '7'", &["\"7\" has no unit"]),
    (
        "schedule = '@daily'",
        "schedule = '@daily'\nping_url = 'ftp://s3cr3t'",
        &["queries.all.ping_url", "no web address"],
    ),
    (
        "schedule = '@daily'",
        "schedule = '@daily'\nshedule = '@daily'",
        &["queries.all.shedule", "did you mean schedule?"],
    ),
];

#[test]
fn a_mistake_within_a_query_is_told_alone_with_place_and_remedy() {
    for (right, wrong, words) in WITHIN_A_QUERY {
        assert!(QUERY.contains(right), "{right}");
        expect_alone(&QUERY.replace(right, wrong), &[], words);
    }
}

fn expect_alone(text: &str, variables: &[(&str, &str)], words: &[&str]) {
    let message = told(text, variables);
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message:?}, told of {text:?}");
    }
    assert_eq!(message.lines().count(), 1, "told of {text:?}: {message}");
    assert!(!message.contains("s3cr"), "a secret is told: {message}");
}

#[test]
fn a_query_in_single_brackets_is_told_of_double_ones() {
    let message = told("[queries]\nname = 'x'\n", &[]);
    assert!(message.contains("config.toml:1: queries") && message.contains("[[queries]]"), "{message}");
}

#[test]
fn several_mistakes_are_told_at_once() {
    let message = told(
        "[api]\ntimeout = 1\nlanguage = 'x'\n[store]\nkeep_runs = 2\n[[queries]]\nname = 'A'\n[[queries]]\nname = 'b'\n",
        &[("VAINU_SYNC_HTTP__PORT", "1")],
    );
    for words in ["api.timeout", "api.language", "store.keep_runs", "queries[0]", "queries.b", "HTTP__PORT"] {
        assert!(message.contains(words), "{words} is not in {message}");
    }
}

#[test]
fn a_mistake_in_the_defaults_is_told_once_for_all_queries() {
    let message = told(&format!("[defaults]\njitter = 5\n{QUERY}{}", QUERY.replace("'all'", "'b'")), &[]);
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn two_queries_of_one_name_are_named_with_both_places() {
    let message = told(&format!("{QUERY}{QUERY}"), &[]);
    assert!(message.contains("config.toml:8") && message.contains("config.toml:2"), "{message}");
}

#[test]
fn two_queries_that_ask_other_parts_of_one_key_are_named_with_both_places() {
    let with = |name: &str, database: &str, fields: &str| {
        QUERY.replace("'all'", name).replace("'FI'", database).replace("['name']", fields)
    };
    let first = with("'a'", "'FI'", "['business_units.phone', 'name']");
    let message = told(&format!("{first}{}", with("'b'", "'FI'", "['business_units']")), &[]);
    for words in ["config.toml:11: queries.b.fields", "query \"a\" (config.toml:5)", "business_units.phone"] {
        assert!(message.contains(words), "{message}");
    }
    let other_country = with("'b'", "'SE'", "['business_units']");
    let same_parts = with("'c'", "'FI'", "['business_units.phone']");
    Folder::with(&format!("{first}{other_country}{same_parts}")).load().unwrap();
}

#[cfg(unix)]
#[test]
fn a_variable_or_flag_that_is_not_text_and_a_file_that_is_not_utf8_are_told() {
    use std::os::unix::ffi::OsStringExt;
    let folder = Folder::with(QUERY);
    let environment =
        folder.environment().with("VAINU_SYNC_LOG__LEVEL", std::ffi::OsString::from_vec(vec![0xff]));
    let message =
        crate::config::load(&crate::config::Flags::default(), &environment).unwrap_err().to_string();
    assert!(message.contains("VAINU_SYNC_LOG__LEVEL") && message.contains("UTF-8"), "{message}");
    let store = std::ffi::OsString::from_vec(vec![0xff]);
    let flags = crate::config::Flags { store: Some(store.into()), ..Default::default() };
    let message = crate::config::load(&flags, &folder.environment()).unwrap_err().to_string();
    assert!(message.contains("--store: store.path") && message.contains("UTF-8"), "{message}");
    folder.write("config.toml", b"[api]\nlanguage = '\xe4'\n");
    let message = folder.load().unwrap_err().to_string();
    assert!(message.contains("config.toml:2: is not UTF-8"), "{message}");
}
