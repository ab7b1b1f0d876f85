//! Vainu's own client: the package `vainu-cli` of the Python Package Index, whose program is `vainu`.
//!
//! The variable `VAINU_CLI` names the program; without it, a `vainu` on PATH is taken. Where there is neither,
//! its tests are skipped.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;
use vainu_sync::sandbox::Sandbox;

use crate::program::{Ended, to_its_end};

/// The version that the tests were written with.
const VERSION: &str = "0.1.2";

/// How the client gets an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    Jwt,
    OAuth,
}

impl Auth {
    pub const BOTH: [Self; 2] = [Self::Jwt, Self::OAuth];

    fn method(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::OAuth => "oauth",
        }
    }

    /// The client's variables for `sandbox`, which the program honours too.
    fn variables(self, sandbox: &Sandbox) -> Vec<(&'static str, String)> {
        let mut variables = vec![("VAINU_BASE_URL", sandbox.base_url())];
        match self {
            Self::Jwt => variables.push(("VAINU_JWT_REFRESH_TOKEN", sandbox.refresh_token())),
            Self::OAuth => variables.extend([
                ("VAINU_CLIENT_ID", sandbox.client_id()),
                ("VAINU_CLIENT_SECRET", sandbox.client_secret()),
            ]),
        }
        variables
    }
}

/// The client, set up for one sandbox, in a home of its own.
pub struct VainuCli {
    program: &'static Path,
    home: TempDir,
    auth: Auth,
    pub variables: Vec<(&'static str, String)>,
}

impl VainuCli {
    pub fn new(program: &'static Path, auth: Auth, sandbox: &Sandbox) -> Self {
        Self { program, home: TempDir::new().unwrap(), auth, variables: auth.variables(sandbox) }
    }

    pub async fn run(&self, args: &[&str]) -> Ended {
        let mut command = bare(self.program);
        command.env("HOME", self.home.path()).current_dir(self.home.path());
        // Else it would look into the keyring of whoever runs the tests, and leave its tokens there.
        command.env("VAINU_AUTH_STORE", "file");
        command.envs(self.variables.clone());
        command.args(["--auth-method", self.auth.method()]).args(args);
        to_its_end(command).await
    }

    /// What it prints, free of faults; a refused request alone does not make it fail.
    pub async fn prints(&self, args: &[&str]) -> String {
        let ended = self.run(args).await;
        assert!(ended.code == Some(0) && !ended.err.contains("HTTP error"), "{args:?}: {}", ended.err);
        ended.out
    }

    /// What it writes to the file that `--output` names.
    pub async fn writes(&self, args: &[&str]) -> String {
        let file = self.home.path().join("output");
        self.prints(&[args, &["--output", file.to_str().unwrap()]].concat()).await;
        std::fs::read_to_string(file).unwrap()
    }
}

/// The client's program; `None`, said once, where there is none.
pub fn program() -> Option<&'static Path> {
    static FOUND: LazyLock<Result<Option<PathBuf>, String>> = LazyLock::new(find);
    FOUND.as_ref().unwrap_or_else(|reason| panic!("{reason}")).as_deref()
}

/// # Errors
/// If `VAINU_CLI` names what is no `vainu-cli`.
fn find() -> Result<Option<PathBuf>, String> {
    let named = env::var_os("VAINU_CLI").filter(|named| !named.is_empty());
    let program = named.as_ref().map_or_else(|| "vainu".into(), |named| std::path::absolute(named).unwrap());
    match (version(&program), named) {
        (Ok(version), _) => {
            if version != VERSION {
                say(&format!("vainu-cli is {version}; the tests were written with {VERSION}"));
            }
            Ok(Some(program))
        }
        (Err(reason), Some(_)) => {
            Err(format!("VAINU_CLI names no vainu-cli: {}: {reason}", program.display()))
        }
        (Err(reason), None) => {
            say(&format!(
                "skipped: whatever asks Vainu's own client; `pip install vainu-cli=={VERSION}` and name its \
                 program in VAINU_CLI (a `vainu` on PATH: {reason})"
            ));
            Ok(None)
        }
    }
}

/// Whether the client can download an export, which `curl` does for it; said once, if not.
pub fn can_export() -> bool {
    static CAN: LazyLock<bool> = LazyLock::new(|| {
        let found = Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
        if !found {
            say("skipped: exports by Vainu's own client, which wants curl on PATH");
        }
        found
    });
    *CAN
}

fn version(program: &Path) -> Result<String, String> {
    let output = bare(program).arg("--version").output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let version = said.strip_prefix("vainu, version ").filter(|_| output.status.success());
    version.map(str::to_owned).ok_or_else(|| format!("--version says {said:?} ({})", output.status))
}

/// The program with PATH alone, where it looks for itself and for `curl`.
fn bare(program: &Path) -> Command {
    let own = program.parent().filter(|folder| folder.is_absolute()).map(Path::to_owned);
    let inherited = env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    let path = env::join_paths(own.into_iter().chain(env::split_paths(&inherited))).unwrap();
    let mut command = Command::new(program);
    command.env_clear().env("PATH", path).stdin(Stdio::null());
    command
}

/// To the terminal, past the harness, which shows nothing of a test that passes.
fn say(what: &str) {
    io::stderr().write_all(format!("{what}\n").as_bytes()).unwrap();
}
