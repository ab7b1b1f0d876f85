//! Credentials: two of them, half of one, and secrets that are none.

use super::{Mistake, Words, assert_told};

#[test]
fn two_credentials_or_half_of_one_are_told() {
    assert_told(
        IN_THE_FILE
            .iter()
            .map(|(auth, place, words)| Mistake::above(&format!("[auth]\n{auth}"), *place, words)),
    );
}

#[test]
fn two_credentials_in_the_variables_are_told_with_both_names() {
    let told = |place, words, set: [(&str, &str); 2]| {
        set.into_iter()
            .fold(Mistake::above("", place, words), |mistake, (name, value)| mistake.with(name, value))
    };
    assert_told([
        told(
            "VAINU_SYNC_AUTH__REFRESH_TOKEN: auth.refresh_token",
            &["client_id (VAINU_SYNC_AUTH__CLIENT_ID)", "two kinds of credential", "keep one"],
            [("VAINU_SYNC_AUTH__REFRESH_TOKEN", "s3cr3t"), ("VAINU_SYNC_AUTH__CLIENT_ID", "me")],
        ),
        told(
            "VAINU_SYNC_AUTH__REFRESH_TOKEN: auth.refresh_token",
            &["refresh_token_file (VAINU_SYNC_AUTH__REFRESH_TOKEN_FILE)", "the same thing twice"],
            [("VAINU_SYNC_AUTH__REFRESH_TOKEN", "s3cr3t"), ("VAINU_SYNC_AUTH__REFRESH_TOKEN_FILE", "x")],
        ),
        told(
            "VAINU_JWT_REFRESH_TOKEN: auth.refresh_token",
            &["client_secret (VAINU_CLIENT_SECRET)", "two kinds of credential"],
            [("VAINU_JWT_REFRESH_TOKEN", "s3cr3t"), ("VAINU_CLIENT_SECRET", "s3cr3t")],
        ),
    ]);
}

#[test]
fn a_secret_file_that_holds_no_secret_is_told_by_what_needs_one() {
    let told = |(file, place, words): &(&str, &str, Words), command| {
        Mistake::above(&format!("[auth]\nrefresh_token_file = '{file}'"), *place, words).told_by(&[command])
    };
    assert_told(SECRET_FILES.iter().flat_map(|row| ["sync", "run"].map(|command| told(row, command))));
}

#[test]
fn no_credential_is_told_by_what_needs_one_with_where_to_get_one() {
    let told = |auth: &str, words| Mistake::above(auth, "no credential", words).told_by(&["sync"]);
    let id = "VAINU_SYNC_AUTH__CLIENT_ID";
    assert_told([
        told("[auth]", &["refresh_token_file", "VAINU_SYNC_AUTH__REFRESH_TOKEN", "Vainu's user interface"]),
        told(
            "[auth]\nclient_id = 'me'",
            &["client_id is set (config.toml:2), but its secret is not", "client_secret_file"],
        ),
        told("", &["client_id is set (VAINU_SYNC_AUTH__CLIENT_ID), but its secret is not"]).with(id, "me"),
    ]);
}

#[test]
fn two_secrets_laid_out_by_the_system_are_told() {
    let both = tempfile::TempDir::new().unwrap();
    for name in ["refresh-token", "client-secret"] {
        std::fs::write(both.path().join(name), "s3cr3t").unwrap();
    }
    let place = format!("{}: auth", both.path().display());
    let words = &["holds both refresh-token and client-secret", "leave one of them"][..];
    assert_told([Mistake::above("", place, words).with("CREDENTIALS_DIRECTORY", both.path())]);
}

/// What stands in `[auth]`, where it is told, and in which words.
const IN_THE_FILE: &[(&str, &str, Words)] = &[
    (
        "refresh_token = 's3cr3t'\nrefresh_token_file = 'x'",
        "config.toml:2: auth.refresh_token",
        &["this and refresh_token_file (config.toml:3) are the same thing twice", "keep one"],
    ),
    (
        "client_secret = 's3cr3t'\nclient_secret_file = 'x'",
        "config.toml:2: auth.client_secret",
        &["this and client_secret_file (config.toml:3) are the same thing twice"],
    ),
    (
        "client_id = 'me'\nrefresh_token = 's3cr3t'",
        "config.toml:3: auth.refresh_token",
        &["this and client_id (config.toml:2) are two kinds of credential", "keep one"],
    ),
    (
        "refresh_token_file = 'x'\nclient_id = 'me'\nclient_secret = 's3cr3t'",
        "config.toml:2: auth.refresh_token_file",
        &["this and client_secret (config.toml:4) are two kinds of credential"],
    ),
    ("client_secret = 's3cr3t'", "config.toml:2: auth.client_secret", &["needs client_id beside it"]),
    ("client_secret_file = 'x'", "config.toml:2: auth.client_secret_file", &["needs client_id beside it"]),
    ("refresh_token = ''", "config.toml:2: auth.refresh_token", &["the value is empty", "leave it out"]),
    ("refresh_token = ' '", "config.toml:2: auth.refresh_token", &["the value is empty"]),
    ("refresh_token = \"s3cr\\n3t\"", "config.toml:2: auth.refresh_token", &["a line break", "one line"]),
    ("refresh_token = '''\ns3cr\n3t\n'''", "config.toml:2: auth.refresh_token", &["a line break"]),
    ("client_id = ''", "config.toml:2: auth.client_id", &["the value is empty"]),
    (
        "refresh_token_file = ''",
        "config.toml:2: auth.refresh_token_file",
        &["the value is empty", "name a file"],
    ),
    ("refresh_token_file = '~/s3cr3t'", "config.toml:2: auth.refresh_token_file", &["begins with ~"]),
];

const SECRET_FILES: &[(&str, &str, Words)] = &[
    ("none", "the secret file {folder}/none", &["there is no such file", "user interface"]),
    (
        "folder",
        "the secret file {folder}/folder",
        &["is a directory", "put the secret in a file of that name"],
    ),
    ("empty", "the secret file {folder}/empty", &["is empty", "user interface"]),
    ("newline", "the secret file {folder}/newline", &["is empty", "user interface"]),
    ("two-lines", "the secret file {folder}/two-lines", &["has a line break", "a secret is one line"]),
    ("latin", "the secret file {folder}/latin", &["is not UTF-8 text"]),
    ("/dev/null", "the secret file /dev/null", &["is empty"]),
];
