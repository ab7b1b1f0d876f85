use secrecy::ExposeSecret;

use super::super::settings::{Credential, Secret};
use super::{Folder, QUERY, origin};

const OURS: (&str, &str) = ("VAINU_SYNC_AUTH__REFRESH_TOKEN", "token-of-ours");
const VAINU: (&str, &str) = ("VAINU_JWT_REFRESH_TOKEN", "token-of-vainu");

fn folder(auth: &str) -> Folder {
    Folder::with(&format!("[auth]\n{auth}\n{QUERY}"))
}

/// The credential in a word or two.
fn credential(folder: &Folder, variables: &[(&str, &str)]) -> String {
    let show = |secret: Secret| match secret {
        Secret::Value(value) => value.expose_secret().to_owned(),
        Secret::File(path) => path.strip_prefix(folder.path()).unwrap().display().to_string(),
    };
    match folder.load_with(variables).unwrap().settings.credential {
        None => "none".into(),
        Some(Credential::RefreshToken(secret)) => format!("jwt {}", show(secret)),
        Some(Credential::Client { id, secret }) => format!("{id} {}", show(secret)),
    }
}

#[test]
fn the_highest_layer_that_sets_one_wins_whole() {
    let file = folder("client_id = 'me'\nclient_secret_file = 'secret'");
    file.write("root/run/secrets/refresh-token", "x");
    assert_eq!(credential(&file, &[OURS, VAINU]), "jwt token-of-ours");
    assert_eq!(credential(&file, &[VAINU]), "me secret");
    let bare = folder("");
    bare.write("root/run/secrets/refresh-token", "x");
    assert_eq!(credential(&bare, &[VAINU]), "jwt token-of-vainu");
    assert_eq!(credential(&bare, &[]), "jwt root/run/secrets/refresh-token");
    bare.write("systemd/refresh-token", "x");
    assert_eq!(credential(&bare, &[("CREDENTIALS_DIRECTORY", "systemd")]), "jwt systemd/refresh-token");
}

#[test]
fn a_client_id_may_stand_in_another_layer_than_its_secret() {
    let file = folder("client_id = 'me'");
    assert_eq!(credential(&file, &[("VAINU_SYNC_AUTH__CLIENT_SECRET", "s")]), "me s");
    file.write("systemd/client-secret", "x");
    assert_eq!(credential(&file, &[("CREDENTIALS_DIRECTORY", "systemd")]), "me systemd/client-secret");
    assert_eq!(
        credential(&folder(""), &[("VAINU_CLIENT_ID", "them"), ("VAINU_CLIENT_SECRET", "s")]),
        "them s"
    );
    assert_eq!(credential(&folder(""), &[("VAINU_CLIENT_ID", "them"), VAINU]), "jwt token-of-vainu");
}

#[test]
fn what_is_wrong_with_vainus_own_variables_counts_only_where_they_are_used() {
    let both = [VAINU, ("VAINU_CLIENT_SECRET", "s")];
    assert_eq!(credential(&folder("refresh_token_file = 'token'"), &both), "jwt token");
    let message = folder("").load_with(&both).unwrap_err().to_string();
    assert!(message.contains("VAINU_CLIENT_SECRET") && message.contains("two kinds"), "{message}");
}

#[test]
fn an_empty_variable_is_no_credential() {
    let file = folder("refresh_token_file = 'token'");
    let empty = [("VAINU_SYNC_AUTH__REFRESH_TOKEN", ""), ("VAINU_JWT_REFRESH_TOKEN", "")];
    assert_eq!(credential(&file, &empty), "jwt token");
    assert_eq!(credential(&folder(""), &empty), "none");
}

#[test]
fn no_credential_is_told_only_when_one_is_needed() {
    let loaded = folder("").load().unwrap();
    let message = loaded.settings.require_credential().unwrap_err().to_string();
    for words in ["refresh_token_file", "VAINU_SYNC_AUTH__REFRESH_TOKEN", "/run/secrets", "user interface"] {
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_secret_file_is_not_read_by_loading() {
    assert_eq!(credential(&folder("refresh_token_file = 'not-there'"), &[]), "jwt not-there");
}

#[test]
fn provenance_is_told_and_the_secret_is_not() {
    let loaded = folder("").load_with(&[OURS]).unwrap();
    assert_eq!(origin(&loaded, "auth.refresh_token"), ("(hidden)".into(), OURS.0.into()));
    assert!(!format!("{loaded:?}").contains(OURS.1));
    let environment = folder("").environment().with(OURS.0, OURS.1);
    assert!(!format!("{environment:?}").contains(OURS.1));
}

#[test]
fn a_token_in_the_place_of_its_file_is_told_and_not_quoted() {
    for (file, variables) in [
        ("refresh_token_file = 'eyJhbGciOi.eyJleHAiOj.c2lnbmF0dXJl'", &[][..]),
        ("", &[("VAINU_SYNC_AUTH__REFRESH_TOKEN_FILE", "eyJhbGciOi.eyJleHAiOj.c2lnbmF0dXJl")]),
    ] {
        let message = folder(file).load_with(variables).unwrap_err().to_string();
        assert!(message.contains("is a token, not a file; use refresh_token"), "{message}");
        assert!(!message.contains("eyJ"), "{message}");
    }
}

#[test]
fn a_variable_of_vainus_own_client_that_is_not_text_is_told() {
    use std::os::unix::ffi::OsStringExt;
    let strange = std::ffi::OsString::from_vec(vec![0xff]);
    let bare = folder("");
    let environment = bare.environment().with("VAINU_JWT_REFRESH_TOKEN", strange);
    let message = super::super::load(&super::super::Flags::default(), &environment).unwrap_err().to_string();
    assert!(message.contains("VAINU_JWT_REFRESH_TOKEN") && message.contains("not UTF-8"), "{message}");
}

#[test]
fn who_has_none_but_the_service_has_is_told_how_to_work_as_the_service() {
    let bare = folder("");
    let message = |folder: &Folder| {
        let settings = folder.load().unwrap().settings;
        settings.require_credential().unwrap_err().to_string()
    };
    assert!(message(&bare).contains("set refresh_token_file"), "{}", message(&bare));
    bare.write("root/etc/credstore/another.secret", "x");
    assert!(message(&bare).contains("set refresh_token_file"), "{}", message(&bare));
    bare.write("root/etc/credstore/vainu-sync.refresh-token", "x");
    assert!(message(&bare).contains("`systemctl start vainu-sync-accept@NAME`"), "{}", message(&bare));
}
