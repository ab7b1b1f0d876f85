//! A folder with a configuration and a store, and a sandbox that it asks.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, FromRow, SqliteConnection, sqlite::SqliteRow,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use vainu_sync::config::{Environment, Flags, Settings, load};
use vainu_sync::run::{BATCH_ROWS, Order, Report, Tools, run};
use vainu_sync::sandbox::{Control, Options, Sandbox, World};
use vainu_sync::store::{Lock, Store};
use vainu_sync::vainu::{Client, Delays};

pub struct Bench {
    pub folder: TempDir,
    pub sandbox: Sandbox,
    pub control: Control,
    pub settings: Settings,
    /// Rows in one commit.
    pub batch_rows: usize,
}

/// One query for everything in FI.
pub const ALL_OF_FI: &str = r#"
[[queries]]
name = "all"
database = "FI"
query = '{"?ALL": []}'
fields = ["name"]
schedule = "@daily"
"#;

impl Bench {
    /// A sandbox that holds these rows in FI, and these `[[queries]]`.
    pub async fn with_rows(rows: impl IntoIterator<Item = String>, queries: &str) -> Self {
        Self::start(World::Fixed(rows.into_iter().collect()), queries).await
    }

    pub async fn start(world: World, queries: &str) -> Self {
        let sandbox = Sandbox::start(Options { world, ..Options::default() }).await.unwrap();
        Self::in_folder(TempDir::new().unwrap(), sandbox, queries)
    }

    /// In a folder that holds what the queries name.
    pub fn in_folder(folder: TempDir, sandbox: Sandbox, queries: &str) -> Self {
        let settings = settings(&sandbox, &folder, "", queries);
        Self { control: sandbox.control(), folder, sandbox, settings, batch_rows: BATCH_ROWS }
    }

    /// Other settings: `api` is added to the table `[api]`.
    pub fn configure(&mut self, api: &str, queries: &str) {
        self.settings = settings(&self.sandbox, &self.folder, api, queries);
    }

    pub fn store_path(&self) -> PathBuf {
        self.settings.store.path.clone()
    }

    pub fn client(&self) -> Client {
        let credential = self.settings.require_credential().unwrap();
        let client = Client::new(&self.settings.api, credential, &self.settings.store.path).unwrap();
        let soon = Duration::from_millis(5);
        client.with_polls(Delays { first: soon, longest: soon })
    }

    /// Runs every query once, in the order of the file, and expects one report each.
    pub async fn sync(&self) -> Vec<Report> {
        self.sync_as(Order::default()).await
    }

    pub async fn sync_as(&self, order: Order) -> Vec<Report> {
        self.sync_with(&self.client(), order).await
    }

    /// The same by a client of the test's own.
    pub async fn sync_with(&self, client: &Client, order: Order) -> Vec<Report> {
        self.sync_by(client, order, &Timestamp::now).await
    }

    /// The same on the day that the program's clock says it is.
    pub async fn sync_at(&self, now: Timestamp) -> Vec<Report> {
        self.sync_by_clock(&|| now).await
    }

    /// The same by a clock of the test's own.
    pub async fn sync_by_clock(&self, clock: &(dyn Fn() -> Timestamp + Send + Sync)) -> Vec<Report> {
        self.sync_by(&self.client(), Order::default(), clock).await
    }

    async fn sync_by(
        &self,
        client: &Client,
        order: Order,
        clock: &(dyn Fn() -> Timestamp + Send + Sync),
    ) -> Vec<Report> {
        let path = self.store_path();
        let lock = Lock::take(&path, "a test").unwrap();
        let mut store = Store::open(&path, &lock).await.unwrap();
        let mut reports = Vec::new();
        for query in &self.settings.queries {
            let tools = Tools {
                settings: &self.settings,
                client,
                store: &mut store,
                stop: &CancellationToken::new(),
                progress: &(),
                clock,
                batch_rows: self.batch_rows,
            };
            reports.push(run(query, order, tools).await);
        }
        store.close().await.unwrap();
        reports
    }

    /// Runs the only query once.
    pub async fn sync_one(&self) -> Report {
        let mut reports = self.sync().await;
        assert_eq!(reports.len(), 1);
        reports.remove(0)
    }

    /// The store, opened as any reader would.
    pub async fn reader(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.store_path()).read_only(true).connect().await.unwrap()
    }

    pub async fn rows<T>(&self, sql: &str) -> Vec<T>
    where
        T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        sqlx::query_as(AssertSqlSafe(sql.to_owned())).fetch_all(&mut self.reader().await).await.unwrap()
    }

    /// Changes the store by hand, as somebody with a SQLite shell does.
    pub async fn write(&self, sql: &str) {
        let options = SqliteConnectOptions::new().filename(self.store_path());
        let mut connection = options.connect().await.unwrap();
        connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
        connection.close().await.unwrap();
    }

    /// The first column of each row, as text.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        self.rows::<(String,)>(sql).await.into_iter().map(|(text,)| text).collect()
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.rows::<(i64,)>(sql).await[0].0
    }

    /// The members of `query` with their documents.
    pub async fn members(&self, query: &str) -> BTreeMap<String, String> {
        let sql = format!(
            "SELECT o.business_id, o.document FROM memberships m \
             JOIN organizations o ON o.business_id = m.business_id \
             WHERE m.query = '{query}' AND m.left_at IS NULL"
        );
        self.rows::<(String, String)>(&sql).await.into_iter().collect()
    }

    /// The change log as `kind business_id`.
    pub async fn log(&self) -> Vec<String> {
        self.texts("SELECT kind || ' ' || business_id FROM changes ORDER BY seq").await
    }
}

fn settings(sandbox: &Sandbox, folder: &TempDir, api: &str, queries: &str) -> Settings {
    let text = format!(
        "[api]\nbase_url = \"{}\"\n{api}\n[auth]\nrefresh_token = \"{}\"\n[http]\nlisten = \"\"\n{queries}",
        sandbox.base_url(),
        sandbox.refresh_token(),
    );
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let environment = Environment::in_directory(folder.path()).with_root(folder.path());
    load(&Flags::default(), &environment).unwrap_or_else(|error| panic!("{error}")).settings
}

/// A query for everything in FI under this name, with these fields.
pub fn named(name: &str, fields: &str) -> String {
    ALL_OF_FI.replace("\"all\"", &format!("\"{name}\"")).replace("[\"name\"]", fields)
}

/// A row with an id and a name.
pub fn row(id: &str, name: &str) -> String {
    format!(r#"{{"business_id":"{id}","name":"{name}"}}"#)
}

/// Rows `FI00`, `FI01`, … with these names, whatever characters they hold.
pub fn rows_named(names: &[&str]) -> impl Iterator<Item = String> {
    names.iter().enumerate().map(|(at, name)| {
        format!("{{\"business_id\":\"FI{at:02}\",\"name\":{}}}", serde_json::to_string(name).unwrap())
    })
}

/// Rows `FI00001` to `FI…` in order.
pub fn numbered(count: usize) -> Vec<String> {
    (1..=count).map(|n| row(&format!("FI{n:05}"), &format!("Company {n}"))).collect()
}
