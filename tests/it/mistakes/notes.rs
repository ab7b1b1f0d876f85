//! What is no mistake, or perhaps one: `check` accepts it, and says what should be known.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{QUERY, checked, folder, run};

fn notes(out: &str) -> Vec<&str> {
    out.lines().filter_map(|line| line.strip_prefix("note: ")).collect()
}

fn with(line: &str) -> String {
    format!("[auth]\nrefresh_token = 's3cr3t'\n{QUERY}{line}\n")
}

#[test]
fn a_quiet_key_that_the_query_does_not_ask_for_is_noted() {
    for (quiet, note) in [
        (
            "['website']",
            "config.toml:9: queries.all.quiet: \"website\" is the top-level key of no field here",
        ),
        ("['Name']", "so it quiets nothing; did you mean name?"),
    ] {
        let out = checked(&with(&format!("quiet = {quiet}")), &[]);
        assert!(notes(&out).iter().any(|told| told.contains(note)), "{note}: {out}");
    }
    let asked = checked(&with("quiet = ['name']"), &[]);
    let of_all = checked(&format!("[defaults]\nquiet = ['website']\n{}", with("")), &[]);
    assert!(!format!("{asked}{of_all}").contains("quiets nothing"), "{asked}{of_all}");
}

#[test]
fn a_field_that_stands_twice_is_asked_for_once() {
    let out = checked(&QUERY.replace("['name']", "['name', 'website', 'name']"), &[]);
    assert!(out.contains("queries.all.fields = [\"name\", \"website\", \"name\"]"), "{out}");
}

#[test]
fn a_file_without_queries_is_noted() {
    assert!(notes(&checked("", &[]))[0].contains("no [[queries]] table: there is nothing to sync"));
}

#[test]
fn a_secret_that_everybody_can_read_is_noted_with_the_remedy() {
    for (mode, noted) in [(0o644, true), (0o640, false), (0o600, false)] {
        let folder = folder(format!("[auth]\nrefresh_token_file = 'token'\n{QUERY}"));
        let token = folder.path().join("token");
        fs::write(&token, "s3cr3t").unwrap();
        fs::set_permissions(&token, fs::Permissions::from_mode(mode)).unwrap();
        let ended = run(folder.path(), &["check".into()], &[]);
        let note = format!(
            "every user of this machine can read the secret in {0}; run: chmod o= {0}",
            token.display()
        );
        assert_eq!(
            (ended.code, notes(&ended.out).contains(&note.as_str())),
            (Some(0), noted),
            "{}",
            ended.out
        );
        assert!(!ended.out.contains("s3cr"), "{}", ended.out);
    }
}

#[test]
fn a_configuration_that_holds_a_secret_and_that_everybody_can_read_is_noted() {
    for (auth, noted) in [("refresh_token = 's3cr3t'", true), ("refresh_token_file = 'none'", false)] {
        let folder = folder(format!("[auth]\n{auth}\n{QUERY}"));
        let config = folder.path().join("config.toml");
        fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
        let ended = run(folder.path(), &["check".into()], &[]);
        assert_eq!((ended.code, ended.out.contains("chmod o= ")), (Some(0), noted), "{}", ended.out);
    }
}

#[test]
fn a_device_or_folder_in_the_place_of_a_secret_is_not_to_be_closed() {
    for path in ["/dev/null", "folder"] {
        let out = checked(&format!("[auth]\nrefresh_token_file = '{path}'\n{QUERY}"), &[]);
        assert!(!out.contains("chmod"), "{out}");
    }
}
