//! A Docker engine of the tests' own, without a network: containers use the host's, where the API is.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::shell::{Ended, ended, until};

/// It ends, with all its containers, when this is dropped.
pub struct Engine {
    spawned: Child,
    /// Short, for the path of a socket has 108 bytes at most.
    sockets: TempDir,
    data: TempDir,
}

impl Engine {
    /// Starts one whose images lie in a folder of its own in `beside`, which must be on a disk.
    pub fn start(beside: &Path) -> Self {
        let sockets = TempDir::new().unwrap();
        let data = tempfile::Builder::new().prefix("docker-").tempdir_in(beside).unwrap();
        let at = |name: &str| sockets.path().join(name).display().to_string();
        let spawned = Command::new("dockerd")
            .args(["--bridge", "none", "--iptables=false", "--host", &format!("unix://{}", at("socket"))])
            .args(["--exec-root", &at("exec"), "--pidfile", &at("pid"), "--data-root"])
            .arg(data.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let engine = Self { spawned, sockets, data };
        until("the engine answers", || engine.docker(&["info"]).code == Some(0));
        engine
    }

    /// A folder on the disk that goes with the engine.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.data.path().join("tests").join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    pub fn docker(&self, args: &[&str]) -> Ended {
        ended(self.command().args(args))
    }

    /// Runs Compose in a folder.
    pub fn compose(&self, program: &OsStr, folder: &Path, args: &[&str]) -> Ended {
        let mut command = Command::new(program);
        ended(self.addressed(&mut command).args(args).current_dir(folder))
    }

    /// The same as `docker`, with a command that succeeds; what it prints.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> String {
        self.docker(args).ok()
    }

    /// Makes an image of the system in a folder.
    pub fn import(&self, folder: &Path, tag: &str) {
        let mut tar = Command::new("tar");
        let mut tar = tar.arg("-C").arg(folder).args(["-c", "."]).stdout(Stdio::piped()).spawn().unwrap();
        let archive = tar.stdout.take().unwrap();
        let imported =
            self.command().args(["import", "-", tag]).stdin(archive).stdout(Stdio::null()).status();
        assert!(imported.unwrap().success() && tar.wait().unwrap().success());
    }

    /// Makes the program's image by the Dockerfile's last stage; what its first one would compile is taken from the
    /// tests' own build.
    pub fn make_image(&self, system: &Path) {
        self.import(system, "debian:bookworm-slim");
        let context = self.folder("context");
        let image = context.join("image");
        for folder in ["usr/local/bin", "etc/ssl/certs", "var/lib/vainu-sync"] {
            fs::create_dir_all(image.join(folder)).unwrap();
        }
        fs::copy(env!("CARGO_BIN_EXE_vainu-sync"), image.join("usr/local/bin/vainu-sync")).unwrap();
        let certificates = "etc/ssl/certs/ca-certificates.crt";
        fs::copy(system.join(certificates), image.join(certificates)).unwrap();
        fs::write(context.join("Dockerfile"), last_stage()).unwrap();
        let context = context.to_str().unwrap();
        self.ok(&["build", "--build-arg", "VERSION=1.2.3", "--tag", "vainu-sync", context]);
    }

    fn command(&self) -> Command {
        let mut command = Command::new("docker");
        self.addressed(&mut command);
        command
    }

    fn addressed<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let socket = format!("unix://{}", self.sockets.path().join("socket").display());
        // Where there is a newer builder, too, the old one knows the images of this engine.
        command.env("DOCKER_HOST", socket).env("DOCKER_BUILDKIT", "0")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for container in self.docker(&["ps", "--all", "--quiet"]).out.lines() {
            drop(self.docker(&["rm", "--force", container]));
        }
        let _ = Command::new("kill").arg(self.spawned.id().to_string()).status();
        let _ = self.spawned.wait();
        // The engine leaves the host's network mounted there, which would keep the folder.
        let _ = Command::new("umount").arg(self.sockets.path().join("exec/netns/default")).status();
    }
}

/// The Dockerfile with a first stage that compiles nothing.
fn last_stage() -> String {
    let dockerfile = include_str!("../../deploy/docker/Dockerfile");
    let (_, runtime) = dockerfile.split_once("\nFROM debian:").unwrap();
    format!("FROM scratch AS build\nCOPY image /image\n\nFROM debian:{runtime}")
}
