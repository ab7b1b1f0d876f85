//! Backups: made while others work on the store, restored as the handbook says, and never in anything's way.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

async fn backup(bench: &Bench, file: &str) -> Ended {
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
fn files(bench: &Bench, beginning: &str) -> Vec<String> {
    let names = fs::read_dir(bench.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name.starts_with(beginning));
    names.sort();
    names
}

/// Makes the store so large that copying it takes a while.
async fn grow(bench: &Bench) {
    bench
        .write(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) \
             INSERT INTO organizations (business_id, database, first_seen_at, changed_at, gone_at, document) \
             SELECT 'SE' || i, 'SE', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', \
               '2026-01-01T00:00:00.000Z', '{\"pad\":\"' || hex(randomblob(1000)) || '\"}' FROM n",
        )
        .await;
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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_backup_is_not_overwritten() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    let folder = bench.folder.path();
    fs::create_dir(folder.join("folder")).unwrap();
    fs::write(folder.join("letter.txt"), "Dear all").unwrap();
    fs::write(folder.join("letters.txt"), "Dear all ".repeat(100)).unwrap();
    fs::hard_link(bench.store_path(), folder.join("hard.db")).unwrap();
    std::os::unix::fs::symlink(bench.store_path(), folder.join("soft.db")).unwrap();
    assert_eq!(vainu_sync(&bench, &["--store", "live.db", "sync"]).await.code, Some(0));
    backup(&bench, "logged.db").await;
    fs::write(folder.join("logged.db-wal"), "a log").unwrap();
    let before: Vec<_> = files(&bench, "").into_iter().map(|name| fs::read(folder.join(name)).ok()).collect();
    for (file, told) in [
        ("vainu.db", "is the store itself"),
        ("hard.db", "is the store itself"),
        ("soft.db", "is the store itself"),
        ("live.db", "is a store that was worked with, and no backup"),
        ("vainu.db-wal", "the store keeps a file of its own under this name"),
        ("vainu.db.token", "the store keeps a file of its own under this name"),
        ("folder", "is a directory: name a file in it"),
        ("letter.txt", "is there and is no backup of a store"),
        ("letters.txt", "is there and is no backup of a store"),
        ("logged.db", "a -wal or -journal file of another database lies beside it"),
        ("nowhere/backup.db", "its folder does not exist"),
        ("/dev/null", "is no file"),
    ] {
        let refused = backup(&bench, file).await;
        assert_eq!(refused.code, Some(2), "{file}: {}{}", refused.out, refused.err);
        assert!(
            refused.err.contains(told) && refused.err.contains(file.trim_start_matches("soft")),
            "{}",
            refused.err
        );
    }
    let after: Vec<_> = files(&bench, "").into_iter().map(|name| fs::read(folder.join(name)).ok()).collect();
    assert!(before == after, "a file has changed");
    let absent = vainu_sync(&bench, &["--store", "none.db", "backup", "new.db"]).await;
    assert_eq!(absent.code, Some(1));
    assert!(absent.err.contains("there is no store at"), "{}", absent.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_night_the_backup_takes_the_place_of_the_last_with_its_mode() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    let (store, path) = (bench.store_path(), bench.folder.path().join("backup.db"));
    fs::set_permissions(&store, Permissions::from_mode(0o640)).unwrap();
    fs::write(&path, "").unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(backup(&bench, "backup.db").await.code, Some(0));
    let mode = || path.metadata().unwrap().mode() & 0o777;
    assert_eq!(mode(), 0o640, "as private as the store");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let (first, before) = (path.metadata().unwrap().ino(), dump(&path).await);
    bench.control.set_rows("FI", numbered(7));
    vainu_sync(&bench, &["sync"]).await;
    assert_eq!(backup(&bench, "backup.db").await.code, Some(0));
    assert_eq!(mode(), 0o600);
    assert_ne!(path.metadata().unwrap().ino(), first, "whoever reads the last one reads on");
    assert_ne!(dump(&path).await, before);
    assert_eq!(files(&bench, "backup"), ["backup.db"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_does_not_take_the_place_of_a_sound_backup() {
    let bench = Bench::with_rows(numbered(300), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    backup(&bench, "backup.db").await;
    let sound = fs::read(bench.folder.path().join("backup.db")).unwrap();
    // Two indexes change places: only a check of each entry sees that.
    bench
        .write(
            "PRAGMA writable_schema = ON; \
             UPDATE sqlite_master SET rootpage = (SELECT sum(rootpage) FROM sqlite_master \
               WHERE name IN ('_changes_by_organization', '_changes_by_query')) - rootpage \
             WHERE name IN ('_changes_by_organization', '_changes_by_query')",
        )
        .await;
    let refused = backup(&bench, "backup.db").await;
    assert_eq!(refused.code, Some(78), "{}{}", refused.out, refused.err);
    assert!(
        refused.err.contains("vainu.db is damaged") && refused.err.contains("restore a backup"),
        "{}",
        refused.err
    );
    assert!(fs::read(bench.folder.path().join("backup.db")).unwrap() == sound);
    assert_eq!(files(&bench, "backup"), ["backup.db"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_leaves_the_last_backup_and_nothing_else() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    let folder = bench.folder.path().join("small");
    fs::create_dir(&folder).unwrap();
    let args = ["-t", "tmpfs", "-o", "size=2m", "tmpfs"];
    if !Command::new("mount").args(args).arg(&folder).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: a small file system wants root");
        return;
    }
    let first = backup(&bench, "small/backup.db").await;
    let sound = fs::read(folder.join("backup.db")).unwrap();
    grow(&bench).await;
    let full = backup(&bench, "small/backup.db").await;
    let (after, left) = (fs::read(folder.join("backup.db")).unwrap(), fs::read_dir(&folder).unwrap().count());
    assert!(Command::new("umount").arg(&folder).status().unwrap().success());
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert_eq!(full.code, Some(1), "{}", full.err);
    assert!(full.err.contains("the disk is full") && full.err.contains("small/backup.db"), "{}", full.err);
    assert!(after == sound && left == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_stopped_or_killed_leaves_the_last_one_and_nothing_that_stays() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    backup(&bench, "backup.db").await;
    let sound = fs::read(bench.folder.path().join("backup.db")).unwrap();
    grow(&bench).await;
    for (how, file, code) in
        [("TERM", "backup.db", Some(1)), ("KILL", "other.db", None), ("KILL", "backup.db", None)]
    {
        let mut command = program(bench.folder.path());
        let mut child = command.args(["backup", file]).stderr(Stdio::null()).spawn().unwrap();
        let partial = bench.folder.path().join(format!("{file}.vainu-partial"));
        let is_filled = || partial.metadata().is_ok_and(|partial| partial.len() > 0);
        until("it is being written", async || is_filled()).await;
        signal(&child, how);
        let ended = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
        assert_eq!(ended.code(), code, "{how}");
        assert!(fs::read(bench.folder.path().join("backup.db")).unwrap() == sound, "{how}");
        assert_eq!(partial.exists(), how == "KILL");
    }
    assert_eq!((files(&bench, "backup.db").len() > 1, files(&bench, "other")), (true, vec![]));
    let made = backup(&bench, "backup.db").await;
    assert!(made.out.starts_with("backup.db: 40,005 organizations, "), "{}{}", made.out, made.err);
    assert_eq!((files(&bench, "backup"), files(&bench, "other")), (vec!["backup.db".into()], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_backups_to_one_file_the_second_says_that_the_first_is_under_way() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    let lock = fs::File::create(bench.folder.path().join("backup.db.vainu-partial.lock")).unwrap();
    lock.lock().unwrap();
    let refused = backup(&bench, "backup.db").await;
    assert_eq!(refused.code, Some(75), "{}", refused.err);
    assert!(
        refused.err.contains("another backup to") && refused.err.contains("is under way"),
        "{}",
        refused.err
    );
    assert_eq!(backup(&bench, "another.db").await.code, Some(0), "another name is free");
    drop(lock);
    assert_eq!(backup(&bench, "backup.db").await.code, Some(0));
    assert_eq!(files(&bench, "backup"), ["backup.db"]);
}
