//! The Debian package, from its installation to its purge.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::api::Api;
use crate::debian::{Copy, original};
use crate::machine::Machine;
use crate::readme;
use crate::shell::{ended, has, until};

/// Names the package.
const VARIABLE: &str = "VAINU_SYNC_DEB";
const SERVICE: &str = "vainu-sync.service";

fn package() -> Option<PathBuf> {
    let package = std::env::var_os(VARIABLE).map(PathBuf::from);
    if package.is_none() {
        eprintln!("skipped: {VARIABLE} names no package; deploy/debian/build makes one");
    }
    package
}

#[test]
fn lintian_finds_nothing_that_is_not_explained() {
    let Some(package) = package() else { return };
    if !has("lintian") {
        eprintln!("skipped: there is no lintian");
        return;
    }
    let fail_on = "--fail-on=error,warning";
    let found = ended(Command::new("lintian").args([fail_on, "--allow-root"]).arg(package));
    assert_eq!((found.code, &*found.out), (Some(0), ""), "{}", found.err);
}

#[test]
fn the_package_is_installed_upgraded_removed_and_purged_and_keeps_the_store() {
    let Some(package) = package() else { return };
    let Some(system) = original(&["systemd-nspawn", "nsenter", "dpkg-deb"]) else { return };
    let disk = Copy::of(&system);
    disk.take(&package, "src/vainu-sync.deb");
    make_next(&disk, &package);
    let api = Api::with(200);
    let machine = Machine::boot(disk);

    machine.ok("dpkg -i /src/vainu-sync.deb");
    nothing_runs_unasked(&machine);
    what_belongs_to_it_is_there(&machine);
    machine.disk.append("etc/vainu-sync/config.toml", &api.configuration());
    machine.disk.write("src/refresh-token", &api.token());
    machine.ok(&format!("cd /src; {}", readme::commands("Debian package")));
    machine.ok(&readme::commands("Starting it under systemd"));
    until("the first run has ended", || machine.run("vainu-sync status").out.contains("200 members"));

    let (first, edited) = (machine.property(SERVICE, "MainPID"), configuration(&machine));
    let upgraded = machine.ok("dpkg -i /src/next.deb </dev/null");
    assert!(!upgraded.contains("onfiguration file"), "no question: {upgraded}");
    until("it is up again", || machine.property(SERVICE, "ActiveState") == "active");
    assert_ne!(machine.property(SERVICE, "MainPID"), first, "the new program runs");
    assert_eq!(configuration(&machine), edited);

    machine.ok("dpkg --remove vainu-sync");
    assert_eq!(machine.property(SERVICE, "ActiveState"), "inactive");
    machine.ok("test ! -e /usr/bin/vainu-sync");
    assert_eq!(configuration(&machine), edited);
    machine.ok("dpkg -i /src/next.deb && systemctl start vainu-sync");
    assert_eq!(machine.ok("systemctl is-enabled vainu-sync").trim(), "enabled", "as it was before");

    let purged = machine.ok("dpkg --purge vainu-sync");
    for kept in ["/var/lib/vainu-sync", "/etc/credstore/vainu-sync.refresh-token"] {
        assert!(purged.contains(&format!("vainu-sync: {kept} is kept")), "{purged}");
    }
    let left = machine.ok(
        "ls -d /etc/vainu-sync /usr/share/*/vainu-sync 2>/dev/null; systemctl list-unit-files --no-legend \
         'vainu-sync*'; find /etc/systemd /var/lib/systemd -name '*vainu*'; true",
    );
    assert_eq!(left, "");
    machine.ok("test -s /var/lib/vainu-sync/vainu.db && id vainu-sync");

    machine.ok("dpkg -i /src/vainu-sync.deb");
    nothing_runs_unasked(&machine);
    let status = machine.ok("vainu-sync --config /usr/share/vainu-sync/config.toml status");
    assert!(status.contains("200 members"), "the store that was kept serves on: {status}");
}

fn configuration(machine: &Machine) -> String {
    machine.ok("cat /etc/vainu-sync/config.toml")
}

fn nothing_runs_unasked(machine: &Machine) {
    for unit in [SERVICE, "vainu-sync-once.timer"] {
        assert_eq!(machine.run(&format!("systemctl is-enabled {unit}")).out.trim(), "disabled");
        assert_eq!(machine.property(unit, "ActiveState"), "inactive");
    }
}

fn what_belongs_to_it_is_there(machine: &Machine) {
    let modes = machine.ok("stat -c '%a %U %G' /etc/vainu-sync/config.toml");
    assert_eq!(modes.trim(), "640 root vainu-sync");
    machine.ok("cd /usr/share/doc/vainu-sync && test -s examples/config.example.toml && test -s copyright");
    machine.ok("zcat -f /usr/share/man/man1/vainu-sync-sync.1.gz | grep -q dry");
    machine.ok("cd /usr/share && bash -n bash-completion/completions/vainu-sync && \
         test -s zsh/vendor-completions/_vainu-sync && test -s fish/vendor_completions.d/vainu-sync.fish");
    machine.ok(
        "systemd-analyze verify --man=no --recursive-errors=yes vainu-sync.service vainu-sync-once.timer",
    );
}

/// The same package as if it were the next version.
fn make_next(disk: &Copy, package: &Path) {
    let folder = disk.path().join("src/next");
    ended(Command::new("dpkg-deb").arg("--raw-extract").arg(package).arg(&folder)).ok();
    let control = folder.join("DEBIAN/control");
    let text = std::fs::read_to_string(&control).unwrap();
    let next = text.lines().map(|line| if line.starts_with("Version:") { "Version: 999-1" } else { line });
    std::fs::write(control, next.map(|line| line.to_owned() + "\n").collect::<String>()).unwrap();
    ended(Command::new("dpkg-deb").arg("--build").arg(&folder).arg(disk.path().join("src/next.deb"))).ok();
}
