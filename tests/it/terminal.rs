//! The program on a pseudo-terminal, by util-linux's `script`.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::program::until;

pub struct Terminal {
    script: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    /// Runs a shell's command line in `folder`, with these variables alone. `None`, said on stderr, where
    /// there is no `script`.
    pub fn run(line: &str, folder: &Path, variables: &[(&str, &str)]) -> Option<Self> {
        let mut script = Command::new("/usr/bin/script");
        script.args(["-qec", line, "/dev/null"]).current_dir(folder).env_clear();
        script.env("PATH", "/usr/bin:/bin").envs(variables.iter().copied());
        let Ok(mut script) =
            script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()
        else {
            eprintln!("skipped: there is no /usr/bin/script for a terminal");
            return None;
        };
        let (keyboard, mut output) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        let screen = Arc::new(Mutex::new(String::new()));
        let shown = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Some(Self { script, keyboard, screen })
    }

    pub fn screen(&self) -> String {
        self.screen.lock().unwrap().clone()
    }

    /// Waits until `text` has been shown `times` times.
    pub async fn shows(&self, text: &str, times: usize) {
        until(&format!("the terminal shows {text:?}"), async || self.screen().matches(text).count() >= times)
            .await;
    }

    pub fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// The exit code, once the command has ended.
    pub async fn code(&mut self) -> Option<i32> {
        until("the command ends", async || self.script.try_wait().unwrap().is_some()).await;
        self.script.wait().unwrap().code()
    }
}
