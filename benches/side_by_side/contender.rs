//! Who is measured: each a command that brings its own store up to date.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::listing::FIELDS;
use crate::peers::Peer;
use crate::server::Server;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contender {
    /// `vainu-sync sync`, with so many requests at once.
    Pages {
        concurrency: u32,
    },
    /// `vainu-sync sync` with `fetch = "export"`.
    Export,
    /// Another build of vainu-sync, to see what a change has brought.
    Build(&'static Path),
    Floor,
    /// Reads so many pages of so many rows at once, and throws them away.
    Reader {
        concurrency: usize,
        rows: usize,
    },
    /// By this Python.
    Peer(Peer, &'static Path),
}

const BUILT: &str = env!("CARGO_BIN_EXE_vainu-sync");

pub const VAINU_SYNC: Contender = Contender::Pages { concurrency: 4 };

/// The store that a contender keeps in `folder`.
pub fn store(folder: &Path) -> PathBuf {
    folder.join("store.db")
}

impl Contender {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pages { concurrency: 1 } => "vainu-sync, one request at a time",
            Self::Pages { .. } => "vainu-sync",
            Self::Export => "vainu-sync, by export",
            Self::Build(_) => "the other build",
            Self::Floor => "floor",
            Self::Reader { concurrency: 1, .. } => "pages thrown away, one at a time",
            Self::Reader { .. } => "pages thrown away, four at once",
            Self::Peer(peer, _) => peer.name(),
        }
    }

    /// The command that brings the store in `folder` up to date.
    pub fn command(self, folder: &Path, server: &Server) -> Command {
        let store = store(folder);
        let mut command = match self {
            Self::Pages { concurrency } => vainu_sync(BUILT, folder, server, concurrency, "pages"),
            Self::Export => vainu_sync(BUILT, folder, server, 4, "export"),
            Self::Build(program) => vainu_sync(program, folder, server, 4, "pages"),
            Self::Floor => {
                let mut command = itself("load", server);
                command.arg(store);
                command
            }
            Self::Reader { concurrency, rows } => {
                let mut command = itself("fetch", server);
                command.args([concurrency.to_string(), rows.to_string()]);
                command
            }
            Self::Peer(peer, python) => peer.command(python, folder, server),
        };
        command.current_dir(folder);
        command
    }
}

/// This program, for what has to be a process of its own.
fn itself(task: &str, server: &Server) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(task).arg(&server.base_url).arg(&server.token);
    command
}

fn vainu_sync(
    program: impl AsRef<OsStr>,
    folder: &Path,
    server: &Server,
    concurrency: u32,
    fetch: &str,
) -> Command {
    let fields: Vec<String> = FIELDS.iter().map(|field| format!("{field:?}")).collect();
    let configuration = format!(
        r#"
[api]
base_url = "{}"
concurrency = {concurrency}
[auth]
refresh_token = "{}"
[store]
path = "store.db"
[log]
level = "warn"
[[queries]]
name = "all"
database = "FI"
query = '{{"?ALL": []}}'
fields = [{}]
fetch = "{fetch}"
schedule = "@daily"
"#,
        server.base_url,
        server.token,
        fields.join(", ")
    );
    fs::write(folder.join("config.toml"), configuration).unwrap();
    let mut command = Command::new(program);
    command.arg("sync");
    command
}
