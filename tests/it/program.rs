//! The binary as a user runs it.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::bench::Bench;

pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// The program in `folder`, with no variable of ours.
pub fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vainu-sync"));
    command.current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

/// Runs a script in the bench's folder, with no variable of ours, while the sandbox of the same runtime goes on.
pub async fn bash(bench: &Bench, script: &str) -> Ended {
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).current_dir(bench.folder.path()).env_clear().env("PATH", "/usr/bin:/bin");
    to_its_end(bash).await
}

/// Runs the program to its end in the bench's folder.
pub async fn vainu_sync(bench: &Bench, args: &[&str]) -> Ended {
    vainu_sync_with(bench, &[], args).await
}

/// The same, with these variables.
pub async fn vainu_sync_with(bench: &Bench, variables: &[(&str, &str)], args: &[&str]) -> Ended {
    let mut command = program(bench.folder.path());
    command.envs(variables.iter().copied()).args(args);
    to_its_end(command).await
}

/// Runs any program to its end, while the sandbox of the same runtime goes on.
pub async fn to_its_end(mut command: Command) -> Ended {
    ended(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap())
}

pub fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Waits until `done`, for as long as a hung program would be noticed by hand.
pub async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !done().await {
        assert!(started.elapsed() < Duration::from_mins(1), "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
