//! Keys and tables that there are not.

use super::{Mistake, Words, assert_told};

#[test]
fn a_key_or_table_that_there_is_not_is_told_with_the_one_that_was_meant() {
    assert_told(NAMES.iter().map(|(text, place, words)| Mistake::above(text, *place, words)));
}

#[test]
fn another_word_for_a_key_of_a_query_finds_the_key() {
    assert_told(OTHER_WORDS.iter().map(|(words, told)| {
        let wrong = format!("schedule = '@daily'\n{words} = 'x'");
        Mistake::within("schedule = '@daily'", &wrong, "config.toml:7", told)
    }));
}

/// What stands above a query, where it is told, and in which words.
const NAMES: &[(&str, &str, Words)] = &[
    ("[api]\ntimeuot = '1s'", "config.toml:2: api.timeuot", &["no such key", "did you mean timeout?"]),
    ("[api]\n\"timeuot\" = '1s'", "config.toml:2: api.timeuot", &["did you mean timeout?"]),
    ("[api]\nurl = 'x'", "config.toml:2: api.url", &["did you mean base_url?"]),
    ("[api]\ncolour = 'red'", "config.toml:2: api.colour", &["no such key", "[api] has base_url, language"]),
    ("[api]\nrefresh_token = 's3cr3t'", "config.toml:2: api.refresh_token", &["it belongs in [auth]"]),
    ("[auth]\nrefresh_tokn = 's3cr3t'", "config.toml:2: auth.refresh_tokn", &["mean refresh_token?"]),
    ("[auth]\ntoken = 's3cr3t'", "config.toml:2: auth.token", &["did you mean refresh_token?"]),
    ("[auth]\npassword = 's3cr3t'", "config.toml:2: auth.password", &["did you mean client_secret?"]),
    ("[auth]\napi_key = 's3cr3t'", "config.toml:2: auth.api_key", &["[auth] has refresh_token"]),
    ("[store]\nfile = 'x.db'", "config.toml:2: store.file", &["did you mean path?"]),
    ("[store]\nlisten = 'x'", "config.toml:2: store.listen", &["it belongs in [http]"]),
    ("[http]\nport = 9464", "config.toml:2: http.port", &["did you mean listen?"]),
    ("[log]\nverbosity = 3", "config.toml:2: log.verbosity", &["did you mean level?"]),
    ("[log]\ncolor = true", "config.toml:2: log.color", &["[log] has level, format"]),
    ("[defaults]\nname = 'x'", "config.toml:2: defaults.name", &["it belongs in [[queries]]"]),
    ("[defaults]\nquery = '{}'", "config.toml:2: defaults.query", &["it belongs in [[queries]]"]),
    ("[defaults]\ntz = 'UTC'", "config.toml:2: defaults.tz", &["did you mean timezone?"]),
    ("[defaults]\nlevel = 'info'", "config.toml:2: defaults.level", &["it belongs in [log]"]),
    ("[apii]\ntimeout = '1s'", "config.toml:1: apii", &["no such table", "did you mean [api]?"]),
    ("[API]\ntimeout = '1s'", "config.toml:1: API", &["no such table", "did you mean [api]?"]),
    ("[logging]\nlevel = 'info'", "config.toml:1: logging", &["no such table", "did you mean [log]?"]),
    ("[database]\npath = 'x.db'", "config.toml:1: database", &["did you mean [store]?"]),
    ("[credentials]\ntoken = 's3cr3t'", "config.toml:1: credentials", &["did you mean [auth]?"]),
    ("[[query]]\nname = 'x'", "config.toml:1: query", &["no such table", "did you mean [[queries]]?"]),
    ("[mail]\nto = 'me'", "config.toml:1: mail", &["no such table", "there are [api], [auth], [store]"]),
    ("timezone = 'UTC'", "config.toml:1: timezone", &["it belongs in [defaults] or [[queries]]"]),
    ("database = 'FI'", "config.toml:1: database", &["it belongs in [defaults] or [[queries]]"]),
    ("colour = 'red'", "config.toml:1: colour", &["no such key", "there are [api]"]),
    ("api = 3", "config.toml:1: api", &["is a table", "write [api] on a line of its own"]),
    ("[[api]]\ntimeout = '1s'", "config.toml:1: api", &["only once", "[api], in single brackets"]),
    ("[[defaults]]", "config.toml:1: defaults", &["only once", "[defaults], in single brackets"]),
    ("[api.timeout]\nvalue = 1", "config.toml:1: api.timeout", &["is a table", "\"130s\""]),
    ("[[feed]]\nname = 'crm'", "config.toml:1: feed", &["no such table", "did you mean [[feeds]]?"]),
];

/// A key in a query, and what is told of it.
const OTHER_WORDS: &[(&str, Words)] = &[
    ("cron", &["queries.all.cron: there is no such key; did you mean schedule?"]),
    ("shedule", &["queries.all.shedule: there is no such key; did you mean schedule?"]),
    ("Schedule", &["queries.all.Schedule: there is no such key; did you mean schedule?"]),
    ("every", &["queries.all.every: there is no such key; did you mean schedule?"]),
    ("tz", &["queries.all.tz: there is no such key; did you mean timezone?"]),
    ("time_zone", &["queries.all.time_zone: there is no such key; did you mean timezone?"]),
    ("filter", &["queries.all.filter: there is no such key; did you mean query?"]),
    ("vql", &["queries.all.vql: there is no such key; did you mean query?"]),
    ("query-file", &["queries.all.query-file: there is no such key; did you mean query_file?"]),
    ("payload", &["queries.all.payload: there is no such key; did you mean payload_file?"]),
    ("list_id", &["queries.all.list_id: there is no such key; did you mean list?"]),
    ("country", &["queries.all.country: there is no such key; did you mean database?"]),
    ("field", &["queries.all.field: there is no such key; did you mean fields?"]),
    ("columns", &["queries.all.columns: there is no such key; did you mean fields?"]),
    ("max_departure", &["queries.all.max_departure: there is no such key; did you mean max_departures?"]),
    ("retry_for", &["queries.all.retry_for: there is no such key; it belongs in [api]"]),
    (
        "enabled",
        &["queries.all.enabled: there is no such key; [[queries]] has name, query, query_file, list"],
    ),
];
