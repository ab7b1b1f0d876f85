//! Files that are no TOML. A line is never quoted: a secret may stand there.

use super::{Mistake, Words, assert_told};

#[test]
fn what_is_no_toml_is_told_once_in_plain_words() {
    assert_told(NO_TOML.iter().map(|(text, place, words)| Mistake::above(text, *place, words)));
}

#[test]
fn what_stands_twice_is_told() {
    assert_told(TWICE.iter().map(|(text, place, words)| Mistake::above(text, *place, words)));
}

/// What stands above a query, where it is told, and in which words.
const NO_TOML: &[(&str, &str, Words)] = &[
    (
        "[auth]\nrefresh_token = s3cr3t",
        "config.toml:2: is not TOML",
        &["without quotes", "write it in quotes"],
    ),
    ("[defaults]\nfields = [name]", "config.toml:2: is not TOML", &["without quotes", "as \"name\""]),
    ("[defaults]\nfields = [name, website]", "config.toml:2: is not TOML", &["without quotes"]),
    ("[log]\nlevel = info", "config.toml:2: is not TOML", &["without quotes"]),
    ("[api]\ntimeout = 130s", "config.toml:2: is not TOML", &["without quotes"]),
    ("[auth]\nrefresh_token = “s3cr3t”", "config.toml:2: is not TOML", &["in the place of curly ones"]),
    (
        "[auth]\nrefresh_token = \"s3cr\n3t\"",
        "config.toml:2: is not TOML",
        &["not closed", "a quote at both"],
    ),
    ("[auth]\nrefresh_token = 's3cr3t", "config.toml:2: is not TOML", &["not closed", "a quote at both"]),
    (
        "[auth]\nrefresh_token = \"s3cr\\q3t\"",
        "config.toml:2: is not TOML",
        &["a backslash", "single quotes"],
    ),
    ("[store]\npath = \"C:\\Users\\me\"", "config.toml:2: is not TOML", &["a backslash", "'C:\\data'"]),
    ("[defaults]\ncatch_up = True", "config.toml:2: is not TOML", &["in small letters"]),
    (
        "[defaults]\nquiet = ['a' 'b']",
        "config.toml:2: is not TOML",
        &["a comma is missing", "or the ] at its end"],
    ),
    ("[defaults]\nquiet = ['a',\n", "config.toml:4: is not TOML", &["a list above is not closed", "write ]"]),
    ("[defaults]\njitter =", "config.toml:2: is not TOML", &["has no value", "key = value"]),
    ("[api]\ntimeout", "config.toml:2: is not TOML", &["has no value", "key = value"]),
    ("[api]\ntimeout: '1s'", "config.toml:2: is not TOML", &["a colon", "key = value"]),
    ("[api]\n= '1s'", "config.toml:2: is not TOML", &["a value has no key"]),
    ("[api", "config.toml:1: is not TOML", &["the name of a table is not closed"]),
    ("[[api", "config.toml:1: is not TOML", &["the name of a table is not closed", "[[queries]]"]),
    ("[api]\npage_size = 1,000", "config.toml:2: is not TOML", &["something follows the value"]),
    ("[api]\npage_size = 0100", "config.toml:2: is not TOML", &["begins with 0", "leave the 0 out"]),
    ("[defaults]\nx = \"{\"?ALL\": []}\"", "config.toml:2: is not TOML", &["in quotes of the other kind"]),
    ("{\"api\": {}}", "config.toml:1: is not TOML", &["neither a key with its value nor"]),
    ("api:\n  token: s3cr3t", "config.toml:1: is not TOML", &["a colon"]),
];

const TWICE: &[(&str, &str, Words)] = &[
    ("[api]\nlanguage = 'fi'\nlanguage = 'sv'", "config.toml:3", &["the key language", "keep one of them"]),
    ("[api]\n[store]\n[api]", "config.toml:3", &["the table [api]", "write all its keys below the first"]),
    ("api.timeout = '1s'\n[api]", "config.toml:2", &["the table [api]", "below the first"]),
    ("[queries]\nname = 'x'", "config.toml:3", &["the key queries", "[[queries]], in double brackets"]),
    ("queries = []", "config.toml:2", &["the key queries", "[[queries]], in double brackets"]),
];
