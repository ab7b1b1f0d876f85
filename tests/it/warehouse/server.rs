//! A PostgreSQL server of the test's own: Debian's programs, a folder, a port of loopback.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, Executor, FromRow, PgConnection};
use tempfile::TempDir;

use crate::program::{signal, until};

/// Who has nothing: PostgreSQL refuses to run as root.
pub const NOBODY: u32 = 65534;

const PASSWORD: &str = "s3cret/p@ss";

pub struct Server {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    child: Child,
}

impl Server {
    /// A server that takes connections; `None` where PostgreSQL is not installed.
    pub async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("skipped: PostgreSQL is not installed (apt-get install postgresql)");
            return None;
        };
        let folder = TempDir::new().unwrap();
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).unwrap();
        let made = unprivileged(&programs.join("initdb"))
            .arg("--pgdata")
            .arg(folder.path().join("data"))
            .args(["--username=owner", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg(format!("--pwfile={}", password.display()))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = spawn(&programs, folder.path(), port);
        let server = Self { programs, folder, port, child };
        server.until_ready().await;
        Some(server)
    }

    async fn until_ready(&self) {
        until("the server answers", async || PgConnection::connect(&self.url("postgres")).await.is_ok())
            .await;
    }

    /// The address of a database, as its owner.
    pub fn url(&self, database: &str) -> String {
        self.url_as("owner", PASSWORD, database)
    }

    pub fn url_as(&self, user: &str, password: &str, database: &str) -> String {
        let password = password.replace('/', "%2F").replace('@', "%40");
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The server dies as at a power cut.
    pub fn crash(&mut self) {
        signal(&self.child, "QUIT");
        self.child.wait().unwrap();
    }

    pub async fn start_again(&mut self) {
        self.child = spawn(&self.programs, self.folder.path(), self.port);
        self.until_ready().await;
    }

    pub async fn connect(&self, database: &str) -> PgConnection {
        PgConnection::connect(&self.url(database)).await.unwrap()
    }

    pub async fn run(&self, database: &str, sql: &str) {
        let mut connection = self.connect(database).await;
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.unwrap();
        connection.close().await.unwrap();
    }

    pub async fn rows<T>(&self, database: &str, sql: &str) -> Vec<T>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut connection = self.connect(database).await;
        sqlx::query_as(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap()
    }

    pub async fn number(&self, database: &str, sql: &str) -> i64 {
        self.rows::<(i64,)>(database, sql).await[0].0
    }

    /// A copy of a database as it is now.
    pub async fn copy(&self, from: &str, to: &str) {
        self.run("postgres", &format!("DROP DATABASE IF EXISTS {to} WITH (FORCE)")).await;
        self.run("postgres", &format!("CREATE DATABASE {to} TEMPLATE {from}")).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        signal(&self.child, "QUIT");
        let _ = self.child.wait();
    }
}

fn spawn(programs: &Path, folder: &Path, port: u16) -> Child {
    unprivileged(&programs.join("postgres"))
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
        .args(["-c", "fsync=off", "-c", "logging_collector=off", "-c", "shared_buffers=16MB"])
        .stdout(Stdio::null())
        .stderr(fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap())
        .spawn()
        .unwrap()
}

fn is_root() -> bool {
    // Who looks owns what it looks at.
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").current_dir("/");
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// The newest of Debian's.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let programs = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    programs.filter(|programs| programs.join("postgres").exists()).max()
}
