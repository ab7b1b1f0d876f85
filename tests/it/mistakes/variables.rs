//! Environment variables and flags that say what can't be.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::{Mistake, QUERY, Words, assert_told};

#[test]
fn a_mistake_in_a_variable_is_told_of_the_variable() {
    assert_told(
        VARIABLES.iter().map(|(name, value, words)| Mistake::above("", *name, words).with(name, value)),
    );
}

#[test]
fn a_variable_of_vainus_own_client_is_judged_where_the_file_says_nothing() {
    let told = |variable, value: &str, words| Mistake::above("", variable, words).with(variable, value);
    assert_told([
        told("VAINU_BASE_URL", "", &["api.base_url: \"\" is no address"]),
        told("VAINU_BASE_URL", "http://api.vainu.io/api", &["would send tokens unencrypted"]),
        told("VAINU_JWT_REFRESH_TOKEN", "s3cr\n3t", &["auth.refresh_token", "a line break"]),
        told("VAINU_CLIENT_SECRET", "s3cr3t", &["auth.client_secret", "needs client_id beside it"]),
    ]);
    super::checked(&format!("[api]\nbase_url = 'https://x.example/api'\n{QUERY}"), &[("VAINU_BASE_URL", "")]);
}

#[test]
fn a_flag_that_says_what_cannot_be_is_told() {
    let told = |args: &[&str], place, words| Mistake::above("", place, words).told_by(args);
    assert_told([
        told(&["--log", "inof", "check"], "--log", &["log.level: \"inof\"", "did you mean info?"]),
        told(&["--log=", "check"], "--log", &["log.level: \"\" is no log level"]),
        told(&["--config", "none.toml", "check"], "none.toml", &["no such file (named by --config)"]),
        told(&["--config", "folder", "check"], "folder", &["is a directory, not a file (named by --config)"]),
    ]);
}

#[test]
fn a_variable_or_flag_that_is_not_text_is_told() {
    let latin = OsString::from_vec(vec![0xe4]);
    let variable = Mistake::above("", "VAINU_SYNC_LOG__LEVEL: log.level", &["is not UTF-8 text"]);
    let mut flag = Mistake::above("", "--store: store.path", &["is not UTF-8 text"]);
    flag.args = vec!["--store".into(), latin.clone(), "check".into()];
    assert_told([variable.with("VAINU_SYNC_LOG__LEVEL", latin), flag]);
}

/// A variable, its value, and the words in which it is told.
const VARIABLES: &[(&str, &str, Words)] = &[
    ("VAINU_SYNC_API__BASE_URL", "", &["api.base_url: \"\" is no address"]),
    (
        "VAINU_SYNC_API__PAGE_SIZE",
        "many",
        &["api.page_size: \"many\" is no whole number; write one from 2 up"],
    ),
    ("VAINU_SYNC_API__PAGE_SIZE", "1", &["api.page_size: \"1\" is out of range"]),
    ("VAINU_SYNC_API__TIMEOUT", "130", &["api.timeout: \"130\" has no unit; write \"130s\""]),
    ("VAINU_SYNC_API__TIMEUOT", "1s", &["api.timeuot: there is no such key", "VAINU_SYNC_API__TIMEOUT?"]),
    ("VAINU_SYNC_AUTH__TOKEN", "s3cr3t", &["auth.token", "did you mean VAINU_SYNC_AUTH__REFRESH_TOKEN?"]),
    ("VAINU_SYNC_AUTH__REFRESH_TOKEN", " ", &["auth.refresh_token: the value is empty", "leave it out"]),
    ("VAINU_SYNC_AUTH__REFRESH_TOKEN", "s3cr\n3t", &["auth.refresh_token", "a line break"]),
    ("VAINU_SYNC_AUTH__CLIENT_SECRET", "s3cr3t", &["auth.client_secret", "VAINU_SYNC_AUTH__CLIENT_ID"]),
    ("VAINU_SYNC_STORE__PATH", "", &["store.path: \"\" is empty"]),
    ("VAINU_SYNC_HTTP__LISTEN", "9464", &["http.listen: \"9464\" is no address and port"]),
    ("VAINU_SYNC_LOG__FORMAT", "", &["log.format: \"\" is none of auto, pretty, json, journald"]),
    ("VAINU_SYNC_DEFAULTS__QUIET", "modifications", &["defaults.quiet: \"modifications\" is no list"]),
    ("VAINU_SYNC_DEFAULTS__QUIET", "[1]", &["defaults.quiet", "holds 1, which is a number"]),
    ("VAINU_SYNC_DEFAULTS__CATCH_UP", "yes", &["\"yes\" is neither true nor false"]),
    ("VAINU_SYNC_DEFAULTS__TIMEZONE", "Helsinki", &["did you mean Europe/Helsinki?"]),
    ("VAINU_SYNC_DEFAULTS__NAME", "x", &["defaults.name: there is no such key; it belongs in [[queries]]"]),
    (
        "VAINU_SYNC_LOG_LEVEL",
        "info",
        &["no key belongs to this variable; did you mean VAINU_SYNC_LOG__LEVEL?"],
    ),
    ("VAINU_SYNC_LOGGING__LEVEL", "info", &["no key", "did you mean VAINU_SYNC_LOG__LEVEL?"]),
    ("VAINU_SYNC_api__timeout", "1s", &["no key", "did you mean VAINU_SYNC_API__TIMEOUT?"]),
    ("VAINU_SYNC_REFRESH_TOKEN", "s3cr3t", &["no key", "did you mean VAINU_SYNC_AUTH__REFRESH_TOKEN?"]),
    ("VAINU_SYNC_STORE", "x.db", &["no key", "did you mean VAINU_SYNC_STORE__PATH?"]),
    ("VAINU_SYNC_QUERIES__0__NAME", "x", &["no key", "one key of one table", "and no query"]),
    ("VAINU_SYNC_FEEDS__0__NAME", "x", &["no key", "and no query"]),
    ("VAINU_SYNC_CONFIG", "", &["is empty", "leave it out to use ./config.toml"]),
];
