//! Stores of earlier versions.

use std::fs;
use std::path::{Path, PathBuf};

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

/// The files of all migrations, in order.
fn migrations() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> = fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    files
}

/// Makes a store by the first so many migrations, as the version that had no more did.
pub async fn make_store(bench: &Bench, migrations: usize) {
    let some = tempfile::TempDir::new().unwrap();
    for file in &self::migrations()[..migrations] {
        fs::copy(file, some.path().join(file.file_name().unwrap())).unwrap();
    }
    let options = SqliteConnectOptions::new().filename(bench.store_path()).create_if_missing(true);
    let mut connection = options.journal_mode(SqliteJournalMode::Wal).connect().await.unwrap();
    Migrator::new(some.path()).await.unwrap().run(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// The schemas that earlier programs have made: how many migrations each has.
fn earlier() -> std::ops::Range<usize> {
    1..migrations().len()
}

/// A store by the first so many migrations: two members, one that left, a feed, and what a user has added.
async fn earlier_schema(migrations: usize) -> Bench {
    let bench = Bench::with_rows([row("FI1", "a"), row("FI2", "b")], ALL_OF_FI).await;
    make_store(&bench, migrations).await;
    // Young, or a run would let it go.
    let at = time::to_text(Timestamp::now());
    let organization = |id: usize, gone: &str| {
        format!(
            "INSERT INTO organizations VALUES ({id}, 'FI{id}', 'FI', 'x', '{at}', '{at}', {gone}, '{{}}');"
        )
    };
    let definition = DEFINITION;
    // From the sixth on, what stands in `organizations` is not written into the log as well.
    let created = if migrations < 5 { "document" } else { "NULL" };
    bench
        .write(&format!(
            "INSERT INTO _queries (id, name, database, definition, owned_keys, watermark, last_full_at, \
               listing_rows, first_seen_at) VALUES (1, 'all', 'FI', '{definition}', \
               '[\"business_id\",\"name\"]', '{at}', '{at}', 3, '{at}'); \
             {} {} {} \
             UPDATE organizations SET document = '{{\"business_id\":\"FI1\",\"name\":\"a\"}}' WHERE id = 1; \
             UPDATE organizations SET document = '{{\"business_id\":\"FI2\",\"name\":\"b\"}}' WHERE id = 2; \
             INSERT INTO _memberships (query, organization, missing_since, entered_at, left_at) VALUES \
               (1, 1, NULL, '{at}', NULL), (1, 2, '{at}', '{at}', NULL), (1, 3, NULL, '{at}', '{at}'); \
             INSERT INTO _changes (run_id, query, organization, kind, at, after) \
               SELECT 1, 1, id, 'created', '{at}', {created} FROM organizations; \
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
    if migrations >= 2 {
        bench.write("UPDATE _queries SET next_fetch = 'export'").await;
    }
    if migrations >= 3 {
        let feed = format!(
            "INSERT INTO _feeds (id, name, cursor, directory, sequence, file, sha256, rows, columns, written_at) \
             VALUES (1, 'crm', 4, '/nowhere', 2, 'crm-00000002.csv', 'ab', 2, '[]', '{at}'); \
             INSERT INTO _feed_rows VALUES (1, 1, x'01'), (1, 2, x'02')"
        );
        bench.write(&feed).await;
    }
    if migrations >= 4 {
        let handover = format!(
            "INSERT INTO _feed_files VALUES (1, 2, 'crm-00000002.csv', 'ab', 2, '[]', '{at}', 0); \
             INSERT INTO _feed_handovers (feed, way, sequence, handed_at) VALUES (1, 'after', 1, '{at}')"
        );
        bench.write(&handover).await;
    }
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

/// What the views for users say.
async fn views(bench: &Bench) -> Vec<String> {
    let mut rows =
        bench.texts("SELECT json_array(query, business_id, entered_at, left_at) FROM memberships").await;
    let changes = "SELECT json_array(seq, at, run_id, query, business_id, kind, before, after) FROM changes";
    rows.extend(bench.texts(changes).await);
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_each_earlier_schema_is_brought_up_to_date_and_nothing_is_lost() {
    for migrations in earlier() {
        let bench = earlier_schema(migrations).await;
        let tables = tables(&bench).await;
        let before = (rows(&bench, &tables).await, views(&bench).await);
        assert!(before.0.len() > 10 && before.1.len() == 3 + 4, "{migrations}: {before:?}");
        let status = vainu_sync(&bench, &["status"]).await;
        assert!(
            status.err.contains("has an older schema: `vainu-sync sync` or the daemon"),
            "{migrations}: {}",
            status.err
        );
        let refused = vainu_sync(&bench, &["prune", "unknown"]).await;
        assert_eq!(refused.code, Some(1), "the store is migrated, nothing else: {}", refused.err);
        assert_eq!((rows(&bench, &tables).await, views(&bench).await), before, "{migrations}");
        assert_log_is_true(&bench).await;
        let files = bench.texts("SELECT file || sequence || unplaced FROM _feed_files").await;
        let expected: &[&str] = if migrations < 3 { &[] } else { &["crm-00000002.csv20"] };
        assert_eq!(files, expected, "{migrations}: the last file of a feed can be handed over");
        let sync = vainu_sync(&bench, &["sync"]).await;
        assert!(
            sync.out.starts_with("all: succeeded: 2 companies, nothing new"),
            "{migrations}: {}{}",
            sync.out,
            sync.err
        );
        assert_eq!(bench.texts("SELECT name FROM theirs").await.len(), 3, "what a user has added stays");
        let indexes = "SELECT count(*) FROM sqlite_master WHERE name = 'their_index'";
        assert_eq!(bench.number(indexes).await, 1, "{migrations}");
        assert_log_is_true(&bench).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_each_earlier_schema_ends_up_with_the_tables_of_a_new_one() {
    let schema = async |bench: &Bench| {
        let all = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master \
                   WHERE name NOT LIKE '%their%' ORDER BY type, name";
        bench.texts(all).await
    };
    let new = Bench::with_rows([row("FI1", "a")], ALL_OF_FI).await;
    assert_eq!(vainu_sync(&new, &["sync"]).await.code, Some(0));
    let wanted = schema(&new).await;
    for migrations in earlier() {
        let bench = earlier_schema(migrations).await;
        assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0), "{migrations}");
        assert_eq!(schema(&bench).await, wanted, "{migrations}");
    }
}

#[test]
fn the_manual_tells_what_happens_from_each_earlier_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let operations = fs::read_to_string(root.join("docs/operations.md")).unwrap();
    let told = operations.split("| from schema |").nth(1).unwrap().split("\n\n").next().unwrap();
    let version = |file: &PathBuf| file.file_name()?.to_str()?.split_once('_')?.0.parse().ok();
    let versions: Vec<u32> = migrations().iter().filter_map(version).collect();
    let rows = told.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse().ok());
    assert_eq!(rows.collect::<Vec<u32>>(), versions);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_an_earlier_schema_is_made_before_the_upgrade_and_brought_up_to_date_when_restored() {
    let bench = earlier_schema(1).await;
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
