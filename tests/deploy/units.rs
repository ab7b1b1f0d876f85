//! The files that are installed, read as text.

use std::path::Path;

use vainu_sync::config::{Environment, Flags, load};

const DAEMON: &str = include_str!("../../deploy/systemd/vainu-sync.service");
const ONE_OF_SEVERAL: &str = include_str!("../../deploy/systemd/vainu-sync@.service");
const ACCEPT: &str = include_str!("../../deploy/systemd/vainu-sync-accept@.service");
const ONCE: &str = include_str!("../../deploy/systemd/vainu-sync-once.service");

/// The lines of a unit that say something, from `from` up to `to`.
fn said<'a>(unit: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    let start = unit.find(from).unwrap();
    let end = unit[start..].find(to).map_or(unit.len(), |end| start + end);
    unit[start..end].lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

#[test]
fn one_daemon_of_several_differs_from_the_only_one_in_its_own_files() {
    let but_for_files = ONE_OF_SEVERAL
        .replace("Vainu queries (%i)", "Vainu queries")
        .replace("/%i.toml", "/config.toml")
        .replace("StateDirectory=vainu-sync/%i", "StateDirectory=vainu-sync")
        .replace(":vainu-sync.%i.", ":vainu-sync.");
    assert_eq!(said(&but_for_files, "[Unit]", "\0"), said(DAEMON, "[Unit]", "\0"));
}

#[test]
fn a_single_run_has_the_user_the_files_and_the_sandbox_of_the_daemon() {
    for unit in [ONCE, ACCEPT] {
        assert_eq!(said(unit, "# Sandbox", "\0"), said(DAEMON, "# Sandbox", "[Install]"));
        let files = said(unit, "User=", "TimeoutStopSec");
        assert_eq!(files, said(DAEMON, "User=", "TimeoutStartSec"));
        assert!(files.len() > 5, "{files:?}");
    }
}

#[test]
fn the_configuration_of_a_service_is_right_as_it_comes_and_with_what_it_shows() {
    let text = include_str!("../../deploy/config.toml");
    let folder = tempfile::tempdir().unwrap();
    let settings = |text: &str| {
        std::fs::write(folder.path().join("config.toml"), text).unwrap();
        let loaded = load(&Flags::default(), &Environment::in_directory(folder.path()));
        loaded.unwrap_or_else(|error| panic!("{error}")).settings
    };
    assert_eq!(settings(text).store.path, Path::new("/var/lib/vainu-sync/vainu.db"));
    let shown = text.replace("\n# [[", "\n[[");
    let (before, query) = shown.split_once("\n[[queries]]\n").unwrap();
    let query: String = query.lines().map(|line| line.trim_start_matches("# ").to_owned() + "\n").collect();
    let with_query = settings(&format!("{before}\n[[queries]]\n{query}"));
    assert_eq!(with_query.queries[0].name, "finnish-software");
}
