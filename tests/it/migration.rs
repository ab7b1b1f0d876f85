//! Stores of earlier versions.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection};
use vainu_sync::store::time;

use crate::bench::{ALL_OF_FI, Bench, row};
use crate::program::vainu_sync;
use crate::replay::assert_log_is_true;

const DEFINITION: &str =
    r#"{"database":"FI","fields":["business_id","name"],"language":"en","query":"{\"?ALL\": []}"}"#;

/// Makes a store by the first so many migrations, as the version that had no more did.
pub async fn make_store(bench: &Bench, migrations: usize) {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let some = tempfile::TempDir::new().unwrap();
    let mut files: Vec<_> = fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    for file in &files[..migrations] {
        fs::copy(file, some.path().join(file.file_name().unwrap())).unwrap();
    }
    let options = SqliteConnectOptions::new().filename(bench.store_path()).create_if_missing(true);
    let mut connection = options.journal_mode(SqliteJournalMode::Wal).connect().await.unwrap();
    Migrator::new(some.path()).await.unwrap().run(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// A store of the first schema: two members, one that left, and what a user has added.
async fn first_schema() -> Bench {
    let bench = Bench::with_rows([row("FI1", "a"), row("FI2", "b")], ALL_OF_FI).await;
    make_store(&bench, 1).await;
    // Young, or a run would let it go.
    let at = time::to_text(Timestamp::now());
    let organization = |id: usize, gone: &str| {
        format!(
            "INSERT INTO organizations VALUES ({id}, 'FI{id}', 'FI', 'x', '{at}', '{at}', {gone}, '{{}}');"
        )
    };
    let definition = DEFINITION;
    bench
        .write(&format!(
            "INSERT INTO _queries VALUES (1, 'all', 'FI', '{definition}', '[\"business_id\",\"name\"]', '{at}', \
               '{at}', 3, NULL, '{at}'); \
             {} {} {} \
             UPDATE organizations SET document = '{{\"business_id\":\"FI1\",\"name\":\"a\"}}' WHERE id = 1; \
             UPDATE organizations SET document = '{{\"business_id\":\"FI2\",\"name\":\"b\"}}' WHERE id = 2; \
             INSERT INTO _memberships VALUES (1, 1, NULL, NULL, '{at}', NULL), (1, 2, NULL, '{at}', '{at}', NULL), \
               (1, 3, NULL, NULL, '{at}', '{at}'); \
             INSERT INTO _changes (run_id, query, organization, kind, at, after) \
               SELECT 1, 1, id, 'created', '{at}', document FROM organizations; \
             INSERT INTO _changes (run_id, query, organization, kind, at) VALUES (1, 1, 3, 'left', '{at}'); \
             INSERT INTO runs (query, mode, fetch, started_at, status) VALUES ('all', 'full', 'pages', '{at}', \
               'succeeded'); \
             INSERT INTO rejects VALUES (1, '{at}', 'no business_id', '{{}}'); \
             CREATE VIEW theirs AS SELECT name FROM organizations; \
             CREATE INDEX their_index ON organizations (name)",
            organization(1, "NULL"),
            organization(2, "NULL"),
            organization(3, &format!("'{at}'")),
        ))
        .await;
    bench
}

/// All rows of all tables, in the columns that they have now.
async fn tables(bench: &Bench) -> Vec<(String, String)> {
    let names =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
    let mut tables = Vec::new();
    for table in bench.texts(names).await {
        let columns =
            bench.texts(&format!("SELECT '\"' || name || '\"' FROM pragma_table_info('{table}')")).await;
        tables.push((table, columns.join(", ")));
    }
    tables
}

async fn rows(bench: &Bench, tables: &[(String, String)]) -> Vec<String> {
    let mut rows = Vec::new();
    for (table, columns) in tables {
        rows.extend(bench.texts(&format!("SELECT '{table}' || json_array({columns}) FROM {table}")).await);
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_the_first_schema_is_brought_up_to_date_and_nothing_is_lost() {
    let bench = first_schema().await;
    let tables = tables(&bench).await;
    let before = rows(&bench, &tables).await;
    assert!(before.len() > 10, "{before:?}");
    let status = vainu_sync(&bench, &["status"]).await;
    assert!(status.err.contains("has an older schema: `vainu-sync sync` or the daemon"), "{}", status.err);
    let refused = vainu_sync(&bench, &["prune", "unknown"]).await;
    assert_eq!(refused.code, Some(1), "the store is migrated, nothing else: {}", refused.err);
    assert_eq!(rows(&bench, &tables).await, before);
    assert_log_is_true(&bench).await;
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert!(sync.out.starts_with("all: succeeded: 2 companies, nothing new"), "{}{}", sync.out, sync.err);
    assert_eq!(bench.texts("SELECT name FROM theirs").await.len(), 3, "what a user has added stays");
    let indexes = "SELECT count(*) FROM sqlite_master WHERE name = 'their_index'";
    assert_eq!(bench.number(indexes).await, 1);
    assert_log_is_true(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_an_earlier_schema_is_made_before_the_upgrade_and_brought_up_to_date_when_restored() {
    let bench = first_schema().await;
    let (tables, copy) = (tables(&bench).await, bench.folder.path().join("backup.db"));
    let before = rows(&bench, &tables).await;
    let made = vainu_sync(&bench, &["backup", "backup.db"]).await;
    assert!(made.out.starts_with("backup.db: 3 organizations, "), "{}{}", made.out, made.err);
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", bench.store_path().display()));
    }
    fs::copy(copy, bench.store_path()).unwrap();
    assert_eq!(rows(&bench, &tables).await, before);
    let status = vainu_sync(&bench, &["status"]).await;
    assert!(status.err.contains("has an older schema"), "{}", status.err);
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert!(sync.out.starts_with("all: succeeded: 2 companies, nothing new"), "{}{}", sync.out, sync.err);
    assert_log_is_true(&bench).await;
}
