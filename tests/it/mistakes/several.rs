//! Several mistakes at once, and queries that are right but not together.

use super::{Mistake, QUERY, assert_told, folder, run};

#[test]
fn several_mistakes_are_told_at_once() {
    let text = "[api]\ntimeout = 1\nlanguage = 'x'\n[store]\nkeep_runs = 2\n[[queries]]\nname = 'A'\n[[queries]]\nname = 'b'\n";
    let variables = [("VAINU_SYNC_HTTP__PORT".into(), "1".into())];
    let ended = run(folder(text).path(), &["check".into()], &variables);
    assert_eq!((ended.code, ended.out.as_str()), (Some(78), ""));
    for place in [
        "config.toml:2: api.timeout: ",
        "config.toml:3: api.language: ",
        "config.toml:5: store.keep_runs: ",
        "config.toml:7: queries[0].name: ",
        "config.toml:8: queries.b: database is missing",
        "config.toml:8: queries.b: fields is missing",
        "VAINU_SYNC_HTTP__PORT: http.port: ",
    ] {
        assert!(ended.err.lines().any(|line| line.contains(place)), "{place} is not in {}", ended.err);
    }
}

#[test]
fn a_mistake_in_the_defaults_is_told_once_for_all_queries() {
    let text = format!("[defaults]\njitter = 5\n{QUERY}{}", QUERY.replace("'all'", "'b'"));
    assert_told([Mistake::in_file(text, "config.toml:2: defaults.jitter", &["5 has no unit"])]);
}

#[test]
fn two_queries_of_one_name_are_named_with_both_places() {
    let words = &["the name \"all\" is taken by the query at config.toml:2", "give one of them another"][..];
    assert_told([Mistake::in_file(format!("{QUERY}{QUERY}"), "config.toml:8: queries.all.name", words)]);
}

#[test]
fn two_queries_that_ask_other_parts_of_one_key_are_named_with_both_places() {
    let with = |name: &str, database: &str, fields: &str| {
        QUERY.replace("'all'", name).replace("'FI'", database).replace("['name']", fields)
    };
    let first = with("'a'", "'FI'", "['business_units.phone', 'name']");
    let second = with("'b'", "'FI'", "['business_units']");
    let words = &["query \"a\" (config.toml:5) asks for business_units.phone", "must ask the same parts"][..];
    assert_told([Mistake::in_file(format!("{first}{second}"), "config.toml:11: queries.b.fields", words)]);
    let other_country = with("'b'", "'SE'", "['business_units']");
    let same_parts = with("'c'", "'FI'", "['business_units.phone']");
    super::checked(&format!("{first}{other_country}{same_parts}"), &[]);
}
