//! Configuration files as a whole.

use super::{Mistake, QUERY, assert_told};

#[test]
fn a_configuration_that_cannot_be_read_is_told_with_who_named_it() {
    let named = |file: &str, place, words| Mistake::above("", place, words).with("VAINU_SYNC_CONFIG", file);
    assert_told([
        named("none.toml", "none.toml", &["there is no such file (named by VAINU_SYNC_CONFIG)"]),
        named("folder", "folder", &["is a directory, not a file (named by VAINU_SYNC_CONFIG)"]),
    ]);
}

#[test]
fn a_file_that_is_not_utf_8_is_told_with_its_line() {
    let latin = [b"[api]\n# \xe4\n", QUERY.as_bytes()].concat();
    let utf_16 = [b"\xff\xfe".to_vec(), QUERY.bytes().flat_map(|byte| [byte, 0]).collect()].concat();
    assert_told([
        Mistake::in_file(latin, "config.toml:2", &["is not UTF-8 text; save the file as UTF-8"]),
        Mistake::in_file(utf_16, "config.toml:1", &["is not UTF-8 text"]),
    ]);
}

#[test]
fn a_file_without_queries_has_nothing_to_sync() {
    let words = &["there are none", "add a [[queries]] table"][..];
    let told = |command| Mistake::in_file("", "{folder}/config.toml: queries", words).told_by(&[command]);
    assert_told([told("sync"), told("run")]);
}

#[test]
fn queries_in_single_brackets_are_told_of_double_ones() {
    let single = QUERY.replace("[[queries]]", "[queries]");
    let words = &["is a list of tables", "[[queries]], in double brackets"][..];
    assert_told([Mistake::in_file(single, "config.toml:1: queries", words)]);
}

#[test]
fn a_folder_in_the_place_of_the_store_is_told() {
    let words = &["is a directory", "set store.path to a file"][..];
    let told =
        |command| Mistake::above("[store]\npath = 'folder'", "{folder}/folder", words).told_by(&[command]);
    assert_told(["status", "changes"].map(told));
}
