//! Values that the keys of `[api]`, `[store]`, `[http]`, `[log]` and `[defaults]` can't have.

use super::{Mistake, Words, assert_told};

#[test]
fn an_impossible_value_is_told_with_what_would_be_right() {
    assert_told(VALUES.iter().map(|(text, place, words)| Mistake::above(text, *place, words)));
}

#[test]
fn a_base_url_that_is_no_base_is_told_with_the_one_that_would_be() {
    assert_told(BASE_URLS.iter().map(|(url, words)| {
        Mistake::above(&format!("[api]\nbase_url = '{url}'"), "config.toml:2: api.base_url", words)
    }));
}

/// What stands above a query, where it is told, and in which words.
const VALUES: &[(&str, &str, Words)] = &[
    ("[api]\nlanguage = 'de'", "config.toml:2: api.language", &["\"de\" is none of en, fi, sv"]),
    ("[api]\nlanguage = ''", "config.toml:2: api.language", &["\"\" is none of en, fi, sv"]),
    ("[api]\nlanguage = 'FI'", "config.toml:2: api.language", &["did you mean fi?"]),
    ("[api]\npage_size = 1", "config.toml:2: api.page_size", &["1 is out of range", "from 2 up"]),
    ("[api]\npage_size = -5", "config.toml:2: api.page_size", &["-5 is out of range"]),
    ("[api]\npage_size = 4294967296", "config.toml:2: api.page_size", &["is out of range"]),
    (
        "[api]\npage_size = 99999999999999999999999999999999999999999",
        "config.toml:2: api.page_size",
        &["is out of range"],
    ),
    ("[api]\nconcurrency = 0", "config.toml:2: api.concurrency", &["0 is out of range", "from 1 to 1000"]),
    ("[api]\nconcurrency = 1001", "config.toml:2: api.concurrency", &["1001 is out of range"]),
    ("[api]\nrequests_per_second = -1", "config.toml:2: api.requests_per_second", &["-1", "from 0 up"]),
    ("[api]\ntimeout = 130", "config.toml:2: api.timeout", &["130 has no unit", "write \"130s\""]),
    ("[api]\ntimeout = '130'", "config.toml:2: api.timeout", &["\"130\" has no unit", "write \"130s\""]),
    ("[api]\ntimeout = '0s'", "config.toml:2: api.timeout", &["\"0s\" is no time at all", "longer"]),
    ("[api]\ntimeout = ''", "config.toml:2: api.timeout", &["\"\" is no duration", "\"130s\""]),
    ("[api]\nretry_for = 'soon'", "config.toml:2: api.retry_for", &["\"soon\" is no duration", "\"15m\""]),
    ("[api]\nretry_for = '-5s'", "config.toml:2: api.retry_for", &["\"-5s\" is no duration"]),
    ("[api]\nretry_for = '15M'", "config.toml:2: api.retry_for", &["could be minutes or months", "write m"]),
    ("[api]\ncount_timeout = '5S'", "config.toml:2: api.count_timeout", &["\"5S\" is no duration"]),
    ("[api]\nexport_timeout = '1000y'", "config.toml:2: api.export_timeout", &["longer than 100 years"]),
    (
        "[api]\nexport_timeout = '99999999999999999999s'",
        "config.toml:2: api.export_timeout",
        &["is no duration"],
    ),
    ("[api]\nca_file = 'ca.pem'", "config.toml:2: api.ca_file", &["ca.pem", "there is no such file"]),
    ("[api]\nca_file = 'config.toml'", "config.toml:2: api.ca_file", &["no certificate in PEM form"]),
    ("[api]\nca_file = 'folder'", "config.toml:2: api.ca_file", &["folder", "is a directory"]),
    ("[api]\nca_file = ''", "config.toml:2: api.ca_file", &["\"\" is empty", "name a file"]),
    ("[store]\npath = ''", "config.toml:2: store.path", &["\"\" is empty", "name a file"]),
    ("[store]\npath = '~/vainu.db'", "config.toml:2: store.path", &["begins with ~", "in full"]),
    ("[store]\npath = \"a\\u0000b\"", "config.toml:2: store.path", &["holds a NUL character"]),
    ("[store]\nkeep_changes = '0s'", "config.toml:2: store.keep_changes", &["is no time at all"]),
    ("[store]\nkeep_runs = '400'", "config.toml:2: store.keep_runs", &["\"400\" has no unit"]),
    ("[store]\nkeep_departed = 'for ever'", "config.toml:2: store.keep_departed", &["is no duration"]),
    (
        "[http]\nhosts = ['http://status.example.com:9464']",
        "config.toml:2: http.hosts",
        &["\"http://status.example.com:9464\"", "without a port"],
    ),
    ("[http]\nhosts = ['']", "config.toml:2: http.hosts", &["write names alone"]),
    (
        "[http]\nlisten = 'localhost'",
        "config.toml:2: http.listen",
        &["\"localhost\" is no address and port", "\"127.0.0.1:9464\"", "\"\" turns the listener off"],
    ),
    ("[http]\nlisten = ':9464'", "config.toml:2: http.listen", &["no address and port"]),
    ("[http]\nlisten = '127.0.0.1:99999'", "config.toml:2: http.listen", &["no address and port"]),
    ("[http]\nlisten = '9464'", "config.toml:2: http.listen", &["no address and port"]),
    ("[log]\nlevel = 'inof'", "config.toml:2: log.level", &["no log level", "did you mean info?"]),
    ("[log]\nlevel = 'verbose'", "config.toml:2: log.level", &["error, warn, info, debug, trace, off"]),
    ("[log]\nlevel = 'a=b=info'", "config.toml:2: log.level", &["no log filter", "vainu_sync::store=debug"]),
    (
        "[log]\nformat = 'xml'",
        "config.toml:2: log.format",
        &["\"xml\" is none of auto, pretty, json, journald"],
    ),
    ("[defaults]\njitter = '5'", "config.toml:2: defaults.jitter", &["\"5\" has no unit"]),
    ("[defaults]\nmax_departures = '101%'", "config.toml:2: defaults.max_departures", &["\"100%\" at most"]),
    ("[defaults]\ndatabase = 'Sweden'", "config.toml:2: defaults.database", &["did you mean SE?"]),
    ("[defaults]\nfetch = 'exprot'", "config.toml:2: defaults.fetch", &["did you mean export?"]),
    (
        "[defaults]\ntimezone = 'Europe/Helsinky'",
        "config.toml:2: defaults.timezone",
        &["did you mean Europe/Helsinki?"],
    ),
];

const BASE_URLS: &[(&str, Words)] = &[
    ("http://api.vainu.io/api", &["would send tokens unencrypted", "write https"]),
    ("http://10.0.0.1/api", &["would send tokens unencrypted", "loopback"]),
    ("http://127.0.0.1.example.com/api", &["would send tokens unencrypted"]),
    ("https://api.vainu.io/api/v3", &["a path too many", "write \"https://api.vainu.io/api\""]),
    (
        "https://api.vainu.io/api/v3/organizations/",
        &["a path too many", "write \"https://api.vainu.io/api\""],
    ),
    ("https://api.vainu.io/api/v2/", &["a path too many", "write \"https://api.vainu.io/api\""]),
    ("https://api.vainu.io/api/oauth/token/", &["a path too many", "write \"https://api.vainu.io/api\""]),
    (
        "https://api.vainu.io/api/token_authentication/refresh/",
        &["a path too many", "write \"https://api.vainu.io/api\""],
    ),
    ("https://api.vainu.io", &["lacks the path", "write \"https://api.vainu.io/api\""]),
    ("https://api.vainu.io/api?x=1", &["has a ? or #", "\"https://api.vainu.io/api\""]),
    ("https://api.vainu.io/api#x", &["has a ? or #"]),
    ("api.vainu.io/api", &["\"api.vainu.io/api\" is no address", "\"https://api.vainu.io/api\""]),
    ("ftp://api.vainu.io/api", &["is no web address", "\"https://api.vainu.io/api\""]),
    ("https://api.vainu.io:99999/api", &["is no address"]),
    ("https://", &["is no address"]),
    ("", &["\"\" is no address"]),
    (" https://api.vainu.io/api", &["white space", "remove it"]),
    ("https://me:s3cr3t@api.vainu.io/api", &["\"https://…@api.vainu.io/api\"", "a user name or a password"]),
];
