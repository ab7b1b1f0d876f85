//! A daemon whose pages are looked at.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::large::Large;

/// It is told to stop when this value goes.
pub struct Daemon {
    child: Child,
    port: u16,
    /// Seconds from its start to its first 200 from `/readyz`.
    pub ready_after: f64,
}

impl Daemon {
    /// One that is ready.
    pub fn start(large: &Large) -> Self {
        let began = Instant::now();
        let mut daemon = Self::spawn(large);
        daemon.wait(|daemon| daemon.ask("/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")));
        daemon.ready_after = began.elapsed().as_secs_f64();
        daemon
    }

    /// Seconds that one takes to answer who asks it for `/` before anything else.
    pub fn first_look(large: &Large) -> f64 {
        let daemon = Self::spawn(large);
        daemon.wait(|daemon| TcpStream::connect(("127.0.0.1", daemon.port)).is_ok());
        daemon.time("/")
    }

    fn spawn(large: &Large) -> Self {
        let child = large.command(&["run"]).stdout(Stdio::null()).spawn().unwrap();
        Self { child, port: large.port, ready_after: 0.0 }
    }

    fn wait(&self, is_so: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            assert!(began.elapsed() < Duration::from_mins(1), "it is not ready after a minute");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn ask(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// Seconds that an answer to `path` takes, made from a new look: what was seen is kept for a second.
    pub fn look(&self, path: &str) -> f64 {
        std::thread::sleep(Duration::from_millis(1100));
        self.time(path)
    }

    fn time(&self, path: &str) -> f64 {
        let began = Instant::now();
        let answer = self.ask(path).unwrap();
        let taken = began.elapsed().as_secs_f64();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        taken
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}
