//! compose.yaml in a real engine, as far as it goes without an image of Datasette.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::api::Api;
use crate::debian::original;
use crate::engine::Engine;
use crate::shell::until;

/// Names Compose's program.
const VARIABLE: &str = "VAINU_SYNC_COMPOSE";

/// The engine of the tests has no network but the host's, where the API is.
const HERE: &str = r#"
services:
  vainu-sync:
    network_mode: host
    ports: !reset []
    environment: {VAINU_SYNC_HTTP__LISTEN: ""}
    healthcheck: {interval: 1s}
"#;

struct Composed {
    api: Api,
    engine: Engine,
    program: OsString,
    folder: PathBuf,
}

#[test]
fn compose_brings_up_a_daemon_that_every_documented_command_reaches() {
    let Some(system) = original(&["dockerd", "docker", "iptables", "tar"]) else { return };
    let Some(program) = std::env::var_os(VARIABLE) else {
        eprintln!("skipped: {VARIABLE} names no Compose; .ci/run installs one");
        return;
    };
    let composed = Composed::with(&system, program);
    composed.compose(&["--file", "compose.yaml", "config", "--quiet"]);
    composed.compose(&["up", "--detach", "--no-build", "vainu-sync"]);
    composed.until_status("all: ok; 500 members");
    let engine = &composed.engine;
    until("it is healthy", || {
        engine.ok(&["inspect", "--format", "{{.State.Health.Status}}", "vainu-sync"]).trim() == "healthy"
    });
    composed.configure(&Api::query("second"));
    engine.ok(&["kill", "--signal", "HUP", "vainu-sync"]);
    composed.until_status("second: ok; 500 members");
    engine.ok(&["kill", "vainu-sync"]);
    composed.compose(&["up", "--detach", "--no-build", "vainu-sync"]);
    composed.until_status("second: ok; 500 members");
    composed.compose(&["down"]);
    let volumes = engine.ok(&["volume", "ls", "--quiet"]);
    assert_eq!(volumes.trim(), "vainu-sync", "the store outlives its containers");
}

impl Composed {
    fn with(system: &Path, program: OsString) -> Self {
        let engine = Engine::start(system.parent().unwrap());
        engine.make_image(system);
        let folder = engine.folder("composed");
        fs::write(folder.join("compose.yaml"), include_str!("../../deploy/compose.yaml")).unwrap();
        fs::write(folder.join("compose.override.yaml"), HERE).unwrap();
        let composed = Self { api: Api::with(500), engine, program, folder };
        composed.configure("");
        composed.keep_the_secret();
        composed
    }

    /// Writes into the file that is there.
    fn configure(&self, more: &str) {
        let text = include_str!("../../deploy/config.toml").to_owned() + &self.api.configuration() + more;
        fs::write(self.folder.join("config.toml"), text).unwrap();
    }

    fn keep_the_secret(&self) {
        let secret = self.folder.join("refresh-token");
        fs::write(&secret, self.api.token()).unwrap();
        fs::set_permissions(&secret, Permissions::from_mode(0o400)).unwrap();
        chown(secret, Some(10_001), None).unwrap();
    }

    #[track_caller]
    fn compose(&self, args: &[&str]) {
        self.engine.compose(&self.program, &self.folder, args).ok();
    }

    fn until_status(&self, wanted: &str) {
        until(wanted, || {
            self.engine.docker(&["exec", "vainu-sync", "vainu-sync", "status"]).out.contains(wanted)
        });
    }
}
