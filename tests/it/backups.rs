//! Backups: made while others work on the store, and restored as the handbook says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use vainu_sync::sandbox::{Endpoint, Fault, World};

use crate::bench::{ALL_OF_FI, Bench, named, numbered};
use crate::program::{Ended, program, signal, until, vainu_sync};
use crate::replay::assert_log_is_true;

/// Every row of every table, and every definition, of a SQLite file.
pub async fn dump(path: &Path) -> Vec<String> {
    let mut connection = SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap();
    let mut read = async |sql: String| -> Vec<String> {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap()
    };
    let mut all = read("SELECT name || coalesce(sql, '') FROM sqlite_master ORDER BY name".into()).await;
    for table in read("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name".into()).await {
        let quoted =
            read(format!("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')")).await;
        all.extend(read(format!("SELECT '{table}: ' || {} FROM {table}", quoted.join("||','||"))).await);
    }
    connection.close().await.unwrap();
    all
}

pub async fn backup(bench: &Bench, file: &str) -> Ended {
    vainu_sync(bench, &["backup", file]).await
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

/// As `docs/operations.md` says.
fn restore(bench: &Bench, file: &str) {
    let store = bench.store_path();
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(beside(&store, suffix));
    }
    fs::copy(bench.folder.path().join(file), store).unwrap();
}

/// What lies in the folder of the bench and is called so.
pub fn files(bench: &Bench, beginning: &str) -> Vec<String> {
    let names = fs::read_dir(bench.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name.starts_with(beginning));
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_backup_holds_is_what_the_store_held_and_the_next_sync_goes_on_from_there() {
    let two = format!("{ALL_OF_FI}{}", named("other", r#"["website"]"#));
    let bench = Bench::start(World::Generated { size: 400 }, &two).await;
    for day in 0..3 {
        bench.control.set_day(day);
        assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    }
    let before = dump(&bench.store_path()).await;
    assert!(before.len() > 1000, "{}", before.len());
    let made = backup(&bench, "backup.db").await;
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""), "{}", made.err);
    let count = bench.number("SELECT count(*) FROM organizations").await;
    assert!(made.out.starts_with(&format!("backup.db: {count} organizations, ")), "{}", made.out);
    let copy = bench.folder.path().join("backup.db");
    assert_eq!(fs::read(&copy).unwrap()[18..20], [1, 1], "its header says that it has no log");
    assert_eq!(dump(&copy).await, before);
    for args in [&["status"][..], &["changes"], &["check"], &["backup", "again.db"]] {
        let read = vainu_sync(&bench, &[&["--store", "backup.db"], args].concat()).await;
        assert_eq!(read.code, Some(0), "{args:?}: {}", read.err);
    }
    assert_eq!(fs::read(&copy).unwrap()[18..20], [1, 1], "reading leaves a backup a backup");
    for day in 3..5 {
        bench.control.set_day(day);
        assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    }
    let (later, log) = (dump(&bench.store_path()).await, bench.log().await);
    assert_ne!(later, before);
    restore(&bench, "backup.db");
    assert_eq!(dump(&bench.store_path()).await, before);
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    assert_log_is_true(&bench).await;
    let members = async |query| bench.members(query).await;
    let (all, other) = (members("all").await, members("other").await);
    assert_eq!(all.len(), other.len());
    assert_ne!(bench.log().await, log, "what happened since is logged anew, in one step");
    assert_eq!(files(&bench, "backup"), ["backup.db"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_during_a_run_holds_its_whole_batches_and_the_run_ends_as_interrupted() {
    let mut bench = Bench::with_rows(numbered(2500), ALL_OF_FI).await;
    bench.configure("concurrency = 1", ALL_OF_FI);
    bench.control.fail_after(Endpoint::Organizations, 2, Fault::Stall, 1000);
    let mut sync =
        program(bench.folder.path()).arg("sync").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the third page is waited for", async || bench.control.hits(Endpoint::Organizations) == 3).await;
    let made = backup(&bench, "backup.db").await;
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""));
    bench.control.heal();
    signal(&sync, "KILL");
    tokio::task::spawn_blocking(move || sync.wait().unwrap()).await.unwrap();
    restore(&bench, "backup.db");
    assert_eq!(bench.texts("SELECT status FROM runs").await, ["running"]);
    assert_log_is_true(&bench).await;
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    assert_eq!(bench.texts("SELECT status FROM runs").await, ["interrupted", "succeeded"]);
    assert_eq!(bench.members("all").await.len(), 2500);
    assert_log_is_true(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_put_over_a_store_that_died_is_refused_until_its_log_is_deleted() {
    let mut bench = Bench::with_rows(numbered(2500), ALL_OF_FI).await;
    bench.configure("concurrency = 1", ALL_OF_FI);
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    assert_eq!(backup(&bench, "backup.db").await.code, Some(0));
    let before = dump(&bench.folder.path().join("backup.db")).await;
    bench.write("UPDATE organizations SET document = '{}'").await;
    let hits = bench.control.hits(Endpoint::Organizations);
    bench.control.fail_always(Endpoint::Organizations, Fault::Stall);
    let command = &mut program(bench.folder.path());
    let mut sync = command.arg("sync").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("a run is under way", async || bench.control.hits(Endpoint::Organizations) > hits).await;
    signal(&sync, "KILL");
    tokio::task::spawn_blocking(move || sync.wait().unwrap()).await.unwrap();
    bench.control.heal();
    let store = bench.store_path();
    assert!(beside(&store, "-wal").metadata().unwrap().len() > 0, "it died with a log");
    fs::copy(bench.folder.path().join("backup.db"), &store).unwrap();
    let state = || {
        let files = files(&bench, "vainu.db").into_iter();
        let contents = |name: String| (fs::read(bench.folder.path().join(&name)).unwrap(), name);
        files.map(contents).collect::<Vec<_>>()
    };
    let untouched = state();
    for args in [
        &["sync"][..],
        &["sync", "--dry-run"],
        &["run"],
        &["status"],
        &["changes"],
        &["check"],
        &["prune", "x"],
    ] {
        let refused = vainu_sync(&bench, args).await;
        assert_eq!(refused.code, Some(78), "{args:?}: {}", refused.err);
        let told = format!("delete {0}-wal and {0}-shm", store.display());
        assert!(refused.err.contains(&told) && refused.err.contains("undo the restore"), "{}", refused.err);
        assert!(state() == untouched, "{args:?} touched a file");
    }
    assert_eq!(backup(&bench, "second.db").await.code, Some(78));
    restore(&bench, "backup.db");
    assert_eq!(dump(&store).await, before);
    assert_eq!(vainu_sync(&bench, &["status"]).await.code, Some(0));
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    assert_log_is_true(&bench).await;
}
