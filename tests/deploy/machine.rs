//! A copy of the Debian system, booted: a systemd of its own, on the loopback of the test.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::debian::Copy;
use crate::shell::{Ended, ended, until};

/// It is switched off when this is dropped.
pub struct Machine {
    spawned: Child,
    pub disk: Copy,
}

impl Machine {
    pub fn boot(disk: Copy) -> Self {
        let spawned = Command::new("systemd-nspawn")
            .args(["--quiet", "--register=no", "--keep-unit", "--boot", "--console=pipe", "--directory"])
            .arg(disk.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let machine = Self { spawned, disk };
        until("the machine is up", || {
            machine.run("grep -q nspawn /run/host/container-manager").code == Some(0)
        });
        until("the machine has booted", || {
            machine.run("systemctl is-system-running").out.trim() == "running"
        });
        machine
    }

    /// Runs a script that succeeds; what it prints.
    #[track_caller]
    pub fn ok(&self, script: &str) -> String {
        self.run(script).ok()
    }

    /// What systemd says of one property of a unit.
    pub fn property(&self, unit: &str, name: &str) -> String {
        self.ok(&format!("systemctl show --property {name} --value {unit}")).trim().to_owned()
    }

    /// What the journal has of a unit, a JSON object a line.
    pub fn journal(&self, unit: &str) -> Vec<serde_json::Value> {
        let lines = self.ok(&format!("journalctl --sync && journalctl --output json --unit {unit}"));
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The messages among it.
    pub fn messages(&self, unit: &str) -> String {
        let lines = self.journal(unit).into_iter();
        lines.filter_map(|line| Some(line["MESSAGE"].as_str()?.to_owned() + "\n")).collect()
    }

    /// Runs a script as its root.
    pub fn run(&self, script: &str) -> Ended {
        let Some(first) = self.first_process() else {
            return Ended { code: None, out: String::new(), err: "the machine has no process".to_owned() };
        };
        let mut command = Command::new("nsenter");
        command.args(["--target", &first, "--mount", "--uts", "--ipc", "--pid", "--root", "--wd"]);
        command.args(["/bin/bash", "-c", script]).env_clear();
        ended(command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
    }

    fn first_process(&self) -> Option<String> {
        let spawned = self.spawned.id();
        let path = format!("/proc/{spawned}/task/{spawned}/children");
        let children = std::fs::read_to_string(Path::new(&path)).ok()?;
        children.split_whitespace().next().map(str::to_owned)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // All its processes go with its first one, and only then the command that made it ends.
        match self.first_process() {
            Some(first) => drop(ended(Command::new("kill").args(["-KILL", &first]))),
            None => drop(self.spawned.kill()),
        }
        let _ = self.spawned.wait();
    }
}
