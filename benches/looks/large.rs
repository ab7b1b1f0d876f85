//! A large store, and the configuration that goes with it.

use std::fs;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use vainu_sync::sandbox::{Options, Sandbox, World};

pub const VAINU_SYNC: &str = env!("CARGO_BIN_EXE_vainu-sync");

/// A store in a folder of its own, with its configuration.
pub struct Large {
    pub folder: TempDir,
    pub port: u16,
}

impl Large {
    /// Makes one with so many organizations, which two queries hold, and so many entries in the log.
    pub fn make(organizations: u32, changes: u32) -> Self {
        let folder = TempDir::new().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        first_run(folder.path(), port);
        fill(&folder.path().join("store.db"), organizations, changes);
        Self { folder, port }
    }

    /// `vainu-sync` with these words, as one calls it in the folder.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(VAINU_SYNC);
        command.args(words).current_dir(self.folder.path());
        command
    }

    /// Configures a feed, which knows nobody yet.
    pub fn add_feed(&self) {
        let configuration = self.folder.path().join("config.toml");
        let feed = r#"
[[feeds]]
name = "crm"
queries = ["all"]
directory = "crm"
[feeds.columns]
"Name" = "name"
"Website" = "website"
"Staff" = "staff_number"
"Revenue" = "financial_data.revenue"
"#;
        fs::write(&configuration, fs::read_to_string(&configuration).unwrap() + feed).unwrap();
        fs::create_dir(self.folder.path().join("crm")).unwrap();
    }

    pub fn connection(&self) -> Connection {
        Connection::open(self.folder.path().join("store.db")).unwrap()
    }
}

/// Both queries come into the store, with one organization.
fn first_run(folder: &Path, port: u16) {
    let runtime = Runtime::new().unwrap();
    let row = r#"{"business_id":"FI0000000","name":"Nobody"}"#.to_owned();
    let options = Options { world: World::Fixed(vec![row]), ..Options::default() };
    let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
    let configuration = format!(
        r#"
[api]
base_url = "{}"
[auth]
refresh_token = "{}"
[store]
path = "store.db"
[http]
listen = "127.0.0.1:{port}"
[log]
level = "error"
[[queries]]
name = "all"
database = "FI"
query = '{{"?ALL": []}}'
fields = ["name", "website", "staff_number", "financial_data"]
schedule = "0 3 1 1 *"
[[queries]]
name = "others"
database = "FI"
query = '{{"?ALL": []}}'
fields = ["name"]
schedule = "0 3 1 1 *"
"#,
        sandbox.base_url(),
        sandbox.refresh_token()
    );
    fs::write(folder.join("config.toml"), configuration).unwrap();
    let output = Command::new(VAINU_SYNC).arg("sync").current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A thousand entries for each run; a document has 1.2 kB. What is counted at the end of a run is counted here.
fn fill(store: &Path, organizations: u32, changes: u32) {
    let store = Connection::open(store).unwrap();
    store
        .execute_batch(&format!(
            r#"PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; BEGIN;
DELETE FROM _changes; DELETE FROM _memberships; DELETE FROM organizations;
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {organizations})
INSERT INTO organizations (id, business_id, database, name, first_seen_at, changed_at, document)
SELECT n, printf('FI%07d', n), 'FI', 'Company ' || n, '2020-01-01T00:00:00.000Z', '2020-01-01T00:00:00.000Z',
    printf('{{"business_id":"FI%07d","name":"Company %d","website":"https://company-%d.example","staff_number":%d,'
        || '"financial_data":{{"revenue":%d.5,"text":"%s"}}}}', n, n, n, n % 5000, n, printf('%.*c', 1050, 'x')) FROM n;
INSERT INTO _memberships (query, organization, entered_at)
SELECT q.id, o.id, o.first_seen_at FROM _queries q CROSS JOIN organizations o ORDER BY q.id, o.id;
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {changes} / 1000)
INSERT INTO runs (query, mode, fetch, started_at, finished_at, status, fetched, updated)
SELECT (SELECT name FROM _queries WHERE id = 1 + n % 2), 'full', 'pages', at, at, 'succeeded', 1000, 1000
FROM (SELECT n, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', printf('-%d seconds', 60 * ({changes} / 1000 - n + 1))) AS at
    FROM n);
WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < {changes} - 1)
INSERT INTO _changes (run_id, query, organization, kind, at, before, after)
SELECT n / 1000 + 3, 1 + (n / 1000 + 1) % 2, 1 + (n * 7919) % {organizations}, 'updated',
    '2024-01-01T00:00:00.000Z', '{{"staff_number":1}}', '{{"staff_number":2}}' FROM n;
UPDATE _queries SET members = (SELECT count(*) FROM organizations), members_as_of = (SELECT max(seq) FROM _changes);
COMMIT; PRAGMA wal_checkpoint(TRUNCATE);"#
        ))
        .unwrap();
}
