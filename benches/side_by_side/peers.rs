//! What users pick instead: the scripts in `benches/peers`, with the packages that `requirements.txt` there names.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::contender::store;
use crate::listing::selection;
use crate::server::Server;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// requests and sqlite3.
    Script,
    /// vainu-cli and sqlite-utils.
    Commands,
    Dlt,
}

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers");

/// Where a Python with the packages is looked for unless one is named.
pub const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/peers/bin/python");

impl Peer {
    pub fn name(self) -> &'static str {
        match self {
            Self::Script => "requests and sqlite3",
            Self::Commands => "vainu-cli and sqlite-utils",
            Self::Dlt => "dlt",
        }
    }

    /// The command that brings the store in `folder` up to date.
    pub fn command(self, python: &Path, folder: &Path, server: &Server) -> Command {
        let script = |name| Path::new(SCRIPTS).join(name);
        let mut command = match self {
            Self::Commands => Command::new(script("vainu_cli_sqlite_utils.sh")),
            Self::Script | Self::Dlt => {
                let name = if self == Self::Dlt { "dlt_merge.py" } else { "requests_sqlite.py" };
                let mut command = Command::new(python);
                command.arg(script(name));
                command
            }
        };
        command.arg(store(folder)).arg(selection().to_string());
        command.env("PATH", path(python)).env("HOME", folder);
        command.env("VAINU_BASE_URL", &server.base_url).env("VAINU_JWT_REFRESH_TOKEN", &server.token);
        // Not in the keyring of whoever measures; nor is anybody told of it.
        command.env("VAINU_AUTH_STORE", "file").env("RUNTIME__DLTHUB_TELEMETRY", "false");
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONWARNINGS", "ignore");
        command
    }
}

/// The programs beside `python` come first.
fn path(python: &Path) -> OsString {
    let own = python.parent().map(PathBuf::from);
    let inherited = env::var_os("PATH").unwrap_or_default();
    env::join_paths(own.into_iter().chain(env::split_paths(&inherited))).unwrap()
}

/// Why they can't be measured with `python`, and what to do about it.
pub fn lack(python: &Path) -> Option<String> {
    let is_done = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).env("PATH", path(python)).stdin(Stdio::null());
        command.output().is_ok_and(|output| output.status.success())
    };
    if !is_done(
        python.to_str().unwrap(),
        &["-c", "import dlt, requests, sqlalchemy, sqlite_utils, vainu_cli"],
    ) {
        return Some(format!(
            "{} is no Python with the peers' packages. To set one up: python3 -m venv target/peers && \
             target/peers/bin/pip install -r benches/peers/requirements.txt; --python FILE names another",
            python.display()
        ));
    }
    let has_curl = is_done("curl", &["--version"]);
    (!has_curl).then(|| "vainu-cli wants curl on PATH for its downloads".to_owned())
}
