//! What wants a person: the service ends for good, and says why.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};

use crate::api::Api;
use crate::machine::Machine;
use crate::systemd::{CONFIGURATION, SERVICE, installed, running, state};

const TOKEN: &str = "etc/credstore/vainu-sync.refresh-token";

/// Makes of a store one that a later version has brought up to date.
fn make_newer(store: &Path) {
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (999, 'later', 1, x'', 0)";
    Api::wait_for(async {
        let mut connection = SqliteConnectOptions::new().filename(store).connect().await.unwrap();
        connection.execute(later).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// Starts the service, which ends with this code and these words and is not started again.
#[track_caller]
fn fails(machine: &Machine, code: &str, words: &[&str]) {
    assert_ne!(machine.run("systemctl start vainu-sync").code, Some(0));
    assert_eq!(state(machine, SERVICE), "failed");
    assert_eq!(machine.property(SERVICE, "ExecMainStatus"), code);
    assert_eq!(machine.property(SERVICE, "NRestarts"), "0");
    let said = machine.ok("journalctl --sync; journalctl --output cat --priority err --unit vainu-sync");
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
    machine.ok("systemctl reset-failed vainu-sync");
}

#[test]
fn what_wants_a_person_ends_the_service_for_good_and_says_why() {
    let api = Api::with(5);
    let Some(machine) = installed(&api) else { return };
    let fails = |code: &str, words: &[&str]| fails(&machine, code, words);
    machine.disk.write(TOKEN, "no token of anybody's");
    fails("77", &["get a new refresh token in Vainu's user interface"]);
    machine.ok("rm /etc/credstore/*");
    fails("78", &["no credential", "$CREDENTIALS_DIRECTORY"]);
    machine.disk.append(CONFIGURATION, "colour = \"red\"\n");
    fails("78", &["colour", "/etc/vainu-sync/config.toml"]);
}

#[test]
fn a_store_that_is_newer_or_damaged_ends_the_service_for_good() {
    let Some(machine) = running(&Api::with(5)) else { return };
    machine.ok("systemctl stop vainu-sync");
    let path = machine.disk.path().join("var/lib/vainu-sync/vainu.db");
    let whole = std::fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    damaged[16 * 1024..].fill(0x5a);
    for (bytes, words) in
        [(damaged, "is damaged"), (b"no store at all".to_vec(), "is not a store of vainu-sync")]
    {
        machine.ok("rm -f /var/lib/vainu-sync/vainu.db-wal /var/lib/vainu-sync/vainu.db-shm");
        std::fs::write(&path, &bytes).unwrap();
        fails(&machine, "78", &[words, "restore a backup"]);
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "it is left as it is");
    }
    std::fs::write(&path, &whole).unwrap();
    make_newer(&path);
    fails(&machine, "78", &["was written by a newer vainu-sync (schema 999"]);
    std::fs::write(&path, whole).unwrap();
    machine.ok("rm -f /var/lib/vainu-sync/vainu.db-wal /var/lib/vainu-sync/vainu.db-shm");
    machine.ok("systemctl start vainu-sync");
    assert!(machine.ok("vainu-sync status").contains("5 members"));
}
