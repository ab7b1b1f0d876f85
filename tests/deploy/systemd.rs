//! The units under a real systemd, installed by the README's own commands.

use std::path::Path;

use serde_json::Value;
use vainu_sync::sandbox::{Endpoint, Fault};

use crate::api::Api;
use crate::debian::{Copy, original};
use crate::machine::Machine;
use crate::readme;
use crate::shell::until;

pub const SERVICE: &str = "vainu-sync.service";
pub const CONFIGURATION: &str = "etc/vainu-sync/config.toml";

/// A machine with all installed and nothing started; `None`, if it can't be had here.
pub fn installed(api: &Api) -> Option<Machine> {
    let disk = Copy::of(&original(&["systemd-nspawn", "nsenter"])?);
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["deploy", "config.example.toml"] {
        disk.take(&ours.join(file), &format!("src/{file}"));
    }
    disk.take(Path::new(env!("CARGO_BIN_EXE_vainu-sync")), "src/target/release/vainu-sync");
    disk.write("src/refresh-token", &api.token());
    let machine = Machine::boot(disk);
    machine.ok(&format!("cd /src; {}", readme::commands("systemd, by hand")));
    machine.disk.append(CONFIGURATION, &api.configuration());
    Some(machine)
}

/// The same, started as the README says, its first run done.
pub fn running(api: &Api) -> Option<Machine> {
    let machine = installed(api)?;
    machine.ok(&readme::commands("Starting it under systemd"));
    until("the first run has ended", || succeeded(&machine) == 1);
    Some(machine)
}

/// How many runs of the daemon have succeeded, by its log.
fn succeeded(machine: &Machine) -> usize {
    let journal = machine.journal(SERVICE);
    journal.iter().filter(|line| line["VAINU_SYNC_STATUS"] == "succeeded").count()
}

pub fn state(machine: &Machine, unit: &str) -> String {
    machine.property(unit, "ActiveState")
}

#[test]
fn the_units_are_right_to_the_last_key_and_expose_little() {
    let Some(machine) = installed(&Api::with(5)) else { return };
    // What the program of one's own is called, systemd wants to see.
    machine.ok("install -D -m 755 /bin/true /usr/local/bin/vainu-import");
    let units = "vainu-sync.service vainu-sync@x.service vainu-sync-once.service vainu-sync-once.timer \
                 vainu-sync-accept@x.service vainu-sync-feed@x.service vainu-sync-feed@x.path";
    let verified = machine.run(&format!(
        "cd /etc/systemd/system && systemd-analyze verify --man=no --recursive-errors=yes {units}"
    ));
    assert_eq!((verified.code, &*verified.out, &*verified.err), (Some(0), "", ""));
    for unit in [
        "vainu-sync.service",
        "vainu-sync@x.service",
        "vainu-sync-once.service",
        "vainu-sync-accept@x.service",
        "vainu-sync-feed@x.service",
    ] {
        machine.ok(&format!("systemd-analyze security --threshold=11 {unit}"));
    }
}

#[test]
fn the_service_is_started_killed_restarted_reloaded_and_stopped() {
    let api = Api::with(500);
    let Some(machine) = running(&api) else { return };
    let status = machine.ok("systemctl status vainu-sync");
    assert!(status.contains("active (running)") && status.contains("run ended"), "{status}");
    assert_eq!(machine.property(SERVICE, "WatchdogUSec"), "2min");
    assert_ne!(machine.property(SERVICE, "WatchdogTimestamp"), "", "it was told that the daemon lives");

    let first = machine.property(SERVICE, "MainPID");
    machine.ok(&format!("kill -9 {first}"));
    until("it was restarted", || machine.property(SERVICE, "NRestarts") == "1");
    until("it is up again", || state(&machine, SERVICE) == "active");
    assert_ne!(machine.property(SERVICE, "MainPID"), first);

    machine.disk.append(CONFIGURATION, "colour = \"red\"\n");
    machine.ok("systemctl reload vainu-sync");
    until("the configuration was refused", || {
        let said = machine.messages(SERVICE);
        said.contains("refused, the old one stays") && said.contains("colour")
    });
    assert_eq!(state(&machine, SERVICE), "active");
    assert!(machine.property(SERVICE, "StatusText").contains("was refused"), "the reload itself succeeds");
    machine.ok("sed -i /colour/d /etc/vainu-sync/config.toml; systemctl reload vainu-sync");
    until("the configuration was taken over", || {
        machine.messages(SERVICE).contains("works by the configuration that was read again")
    });
    assert_eq!(machine.property(SERVICE, "StatusText"), "");

    // A run that gets no answer. What does not end within 5 s is killed, and its result is no success.
    api.control().fail_always(Endpoint::Organizations, Fault::Stall);
    let before = api.control().hits(Endpoint::Organizations);
    machine.disk.append(CONFIGURATION, &Api::query("other"));
    let dropin = "run/systemd/system/vainu-sync.service.d";
    machine.ok(&format!("mkdir -p /{dropin}; printf '[Service]\nTimeoutStopSec=5s\n' > /{dropin}/stop.conf"));
    machine.ok("systemctl daemon-reload; systemctl reload vainu-sync");
    until("a page is asked for", || api.control().hits(Endpoint::Organizations) > before);
    machine.ok("systemctl stop vainu-sync");
    assert_eq!(machine.property(SERVICE, "Result"), "success");
    assert_eq!(state(&machine, SERVICE), "inactive");
    let status = machine.run("vainu-sync status --json").out;
    assert!(status.contains("\"status\":\"interrupted\""), "{status}");
}

#[test]
fn a_held_query_is_let_through_by_a_unit_and_a_shell_is_told_of_it() {
    let api = Api::with(100);
    let Some(machine) = running(&api) else { return };
    api.control().set_rows("FI", Vec::new());
    let shell = machine.run("vainu-sync sync all --accept");
    assert_eq!(shell.code, Some(78), "{}", shell.err);
    assert!(shell.err.contains("systemctl start vainu-sync-accept@NAME"), "{}", shell.err);
    assert_ne!(machine.run("systemctl start vainu-sync-once").code, Some(0), "it is held");
    assert!(machine.ok("vainu-sync status").contains("100 members"));
    machine.ok("systemctl start vainu-sync-accept@all");
    assert!(
        machine.ok("vainu-sync status").contains("all: ok; 0 members"),
        "{}",
        machine.ok("vainu-sync status")
    );
}

#[test]
fn client_credentials_are_handed_over_in_the_place_of_a_refresh_token() {
    let api = Api::with(5);
    let Some(machine) = installed(&api) else { return };
    machine.ok("mv /etc/credstore/vainu-sync.refresh-token /etc/credstore/vainu-sync.client-secret");
    machine.disk.write("etc/credstore/vainu-sync.client-secret", &api.client_secret());
    machine.disk.append(CONFIGURATION, &format!("[auth]\nclient_id = {:?}\n", api.client_id()));
    machine.ok("systemctl start vainu-sync");
    until("the first run has ended", || succeeded(&machine) == 1);
}

#[test]
fn a_full_disk_fails_runs_and_not_the_service() {
    let api = Api::with(20_000);
    let Some(machine) = installed(&api) else { return };
    machine.ok("mkdir -p /var/lib/vainu-sync && mount -t tmpfs -o size=2m small /var/lib/vainu-sync");
    machine.ok("systemctl start vainu-sync");
    until("the run has failed", || {
        machine.journal(SERVICE).iter().any(|line| line["VAINU_SYNC_STATUS"] == "failed")
    });
    assert_eq!(state(&machine, SERVICE), "active");
    let status = machine.run("vainu-sync status --json").out;
    assert!(status.contains("full"), "{status}");
    machine.ok("mount -o remount,size=200m /var/lib/vainu-sync && systemctl start vainu-sync-once");
    assert!(machine.ok("vainu-sync status").contains("20,000 members"));
    assert_eq!(machine.property(SERVICE, "NRestarts"), "0");
}

#[test]
fn the_journal_has_fields_and_the_group_may_read_the_store() {
    let Some(machine) = running(&Api::with(500)) else { return };
    let journal = machine.journal(SERVICE);
    let ended = journal.iter().find(|line| line["MESSAGE"] == "run ended").unwrap();
    for (field, value) in [
        ("VAINU_SYNC_QUERY", "all"),
        ("VAINU_SYNC_STATUS", "succeeded"),
        ("VAINU_SYNC_FETCHED", "500"),
        ("SPAN_NAME", "run"),
        ("SYSLOG_IDENTIFIER", "vainu-sync"),
    ] {
        assert_eq!(ended[field], Value::from(value), "{ended}");
    }
    let found =
        machine.ok("journalctl --quiet --output cat VAINU_SYNC_QUERY=all VAINU_SYNC_STATUS=succeeded");
    assert_eq!(found, "run ended\n");

    machine.ok("useradd --groups vainu-sync reader; useradd stranger");
    let reads =
        |user: &str, command: &str| machine.run(&format!("runuser -u {user} -- vainu-sync {command}"));
    assert_eq!(reads("reader", "changes --json --limit 3").ok().lines().count(), 3);
    assert!(reads("reader", "status").ok().contains("500 members"));
    machine.ok("systemctl stop vainu-sync");
    assert!(reads("reader", "status").ok().contains("500 members"), "after the daemon, too");
    assert_eq!(reads("stranger", "status").code, Some(78));
    let kept = machine.ok("find /var/lib/vainu-sync -perm /o+rwx; find /var/lib/vainu-sync -perm /g+w");
    assert_eq!(kept, "", "nobody else reads, and the group writes nothing");
}

#[test]
fn single_runs_by_a_timer_and_daemons_side_by_side_work_too() {
    let api = Api::with(50);
    let Some(machine) = installed(&api) else { return };
    machine.ok("systemctl start vainu-sync-once.timer && systemctl start vainu-sync-once.service");
    assert!(machine.ok("systemctl list-timers").contains("vainu-sync-once.timer"));
    assert!(machine.ok("vainu-sync status").contains("50 members"));

    api.control().fail_always(Endpoint::Token, Fault::status(400));
    assert_ne!(machine.run("systemctl start vainu-sync-once.service").code, Some(0));
    assert_eq!(machine.property("vainu-sync-once.service", "ExecMainStatus"), "77");
    assert_eq!(state(&machine, "vainu-sync-once.service"), "failed");
    api.control().heal();

    machine.ok(&format!("cd /src; {}", readme::commands("Several daemons")));
    until("the other daemon has run", || {
        let status = machine.run("vainu-sync --config /etc/vainu-sync/acme.toml status").out;
        status.contains("50 members")
    });
    assert_eq!(state(&machine, "vainu-sync@acme.service"), "active");
    let listens = machine.journal("vainu-sync@acme.service");
    let listens = listens.iter().any(|line| line["VAINU_SYNC_ADDRESS"] == "127.0.0.1:9465");
    assert!(listens, "{}", machine.messages("vainu-sync@acme.service"));
    assert_eq!(machine.ok("ls /var/lib/vainu-sync/acme/vainu.db"), "/var/lib/vainu-sync/acme/vainu.db\n");
}

#[test]
fn a_unit_takes_a_feed_in_whenever_its_manifest_is_replaced() {
    let api = Api::with(5);
    let Some(machine) = installed(&api) else { return };
    machine.ok("install -d -o vainu-sync -g vainu-sync /var/lib/vainu-sync/feeds");
    let script = "#!/bin/sh\ncp \"$1\" \"$STATE_DIRECTORY/manifest.new\" && cd \"$STATE_DIRECTORY\" && mv manifest.new manifest\n\
                  touch /var/lib/vainu-sync/feeds/mine 2>/dev/null && touch writes\n\
                  cat /etc/credstore/vainu-sync.refresh-token >/dev/null 2>&1 && touch reads\nid -u >user\n";
    machine.ok(&format!(
        "printf '%s' '{script}' >/usr/local/bin/vainu-import && chmod 755 /usr/local/bin/vainu-import"
    ));
    let feed = "[[feeds]]\nname = \"crm\"\nqueries = [\"all\"]\ndirectory = \"/var/lib/vainu-sync/feeds\"\n\
                [feeds.columns]\nName = \"name\"\n";
    machine.ok(&format!("printf '%s' '{feed}' >>/etc/vainu-sync/config.toml"));
    machine.ok("systemctl start vainu-sync-feed@crm.path");
    for sequence in ["", "--snapshot"] {
        machine.ok("rm -rf /var/lib/private/vainu-import/crm/*");
        machine.ok("systemctl start vainu-sync-once.service");
        machine.ok(&format!(
            "runuser -u vainu-sync -- vainu-sync --config /etc/vainu-sync/config.toml feed {sequence}"
        ));
        until("the manifest came", || {
            machine.run("test -s /var/lib/private/vainu-import/crm/manifest").code == Some(0)
        });
        until("it ended", || state(&machine, "vainu-sync-feed@crm.service") == "inactive");
    }
    assert!(machine.ok("cat /var/lib/private/vainu-import/crm/manifest").contains("\"feed\": \"crm\""));
    assert_ne!(machine.ok("cat /var/lib/private/vainu-import/crm/user"), machine.ok("id -u vainu-sync"));
    assert_eq!(machine.ok("ls /var/lib/private/vainu-import/crm").trim(), "manifest\nuser");
}
