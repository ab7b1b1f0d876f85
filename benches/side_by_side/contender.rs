//! Who is measured: each a command that brings its own store up to date.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::listing::FIELDS;
use crate::server::Server;

/// Names the Python that has what the peers want, of benches/peers/requirements.txt.
const PYTHON: &str = "VAINU_SYNC_PEERS";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contender {
    /// `vainu-sync sync`, with so many requests at once.
    Pages {
        concurrency: u32,
    },
    /// `vainu-sync sync` with `fetch = "export"`.
    Export,
    Floor,
    /// A script of a page, with requests and sqlite3.
    Script,
    /// vainu-cli's export into `sqlite-utils upsert`.
    Cli,
    /// dlt, merging into SQLite.
    Dlt,
}

pub const VAINU_SYNC: Contender = Contender::Pages { concurrency: 4 };

impl Contender {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pages { concurrency: 1 } => "vainu-sync, one request at a time",
            Self::Pages { .. } => "vainu-sync",
            Self::Export => "vainu-sync, by export",
            Self::Floor => "floor",
            Self::Script => "requests and sqlite3",
            Self::Cli => "vainu-cli and sqlite-utils",
            Self::Dlt => "dlt",
        }
    }

    /// The peers whose programs are there.
    pub fn peers() -> Vec<Self> {
        if std::env::var_os(PYTHON).is_none() {
            eprintln!("no peers: {PYTHON} names no Python with benches/peers/requirements.txt");
            return Vec::new();
        }
        vec![Self::Script, Self::Cli, Self::Dlt]
    }

    /// The store that it keeps in `folder`.
    pub fn store(self, folder: &Path) -> PathBuf {
        folder.join("store.db")
    }

    /// The command that brings the store in `folder` up to date.
    pub fn command(self, folder: &Path, server: &Server) -> Command {
        let store = self.store(folder);
        let mut command = match self {
            Self::Pages { concurrency } => vainu_sync(folder, server, concurrency, "pages"),
            Self::Export => vainu_sync(folder, server, 4, "export"),
            Self::Floor => {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.arg("floor").arg(&server.base_url).arg(&server.token).arg(store);
                command
            }
            Self::Script => peer("script.py", server, &store),
            Self::Cli => peer("cli.py", server, &store),
            Self::Dlt => peer("dlt_merge.py", server, &store),
        };
        command.current_dir(folder);
        command
    }
}

fn vainu_sync(folder: &Path, server: &Server, concurrency: u32, fetch: &str) -> Command {
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
    let mut command = Command::new(env!("CARGO_BIN_EXE_vainu-sync"));
    command.arg("sync");
    command
}

fn peer(script: &str, server: &Server, store: &Path) -> Command {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
    let mut command = Command::new(std::env::var_os(PYTHON).unwrap());
    command.arg(scripts.join(script)).arg(&server.base_url).arg(&server.token).arg(store).args(FIELDS);
    command
}
