//! Stores that are damaged, newer, someone else's, or have no room.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::{Ended, ended, program, vainu_sync};
use crate::replay::assert_log_is_true;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_store_of_ours_is_refused_by_name_and_left_as_it_is() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    for bytes in [b"not a database".to_vec(), vec![0xA5; 8192], other_database()] {
        fs::write(bench.store_path(), &bytes).unwrap();
        for command in ["sync", "status"] {
            let ended = vainu_sync(&bench, &[command]).await;
            assert_eq!(ended.code, Some(78), "{command}: {}", ended.err);
            assert!(ended.err.contains("vainu.db") && ended.err.contains("left as it is"), "{}", ended.err);
            assert_eq!(fs::read(bench.store_path()).unwrap(), bytes);
            assert!(!bench.folder.path().join("vainu.db.lock").exists(), "not even a lock is left beside it");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_a_newer_version_is_refused_by_name_and_left_as_it_is() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    sqlite(&bench.store_path(), "INSERT INTO _sqlx_migrations VALUES (9999, 'later', 0, 1, x'00', 0)").await;
    let before = fs::read(bench.store_path()).unwrap();
    for command in ["sync", "status", "changes"] {
        let ended = vainu_sync(&bench, &[command]).await;
        assert_eq!(ended.code, Some(78));
        assert!(ended.err.contains("newer vainu-sync (schema 9999"), "{}", ended.err);
    }
    assert_eq!(fs::read(bench.store_path()).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_page_is_said_and_no_panic() {
    let bench = Bench::with_rows(numbered(3000), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    sqlite(&bench.store_path(), "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let mut bytes = fs::read(bench.store_path()).unwrap();
    let page = 16 * 1024;
    bytes[page..].fill(0x5A);
    fs::write(bench.store_path(), &bytes).unwrap();
    let ended = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(ended.code, Some(78), "{}{}", ended.out, ended.err);
    assert!(format!("{}{}", ended.out, ended.err).contains("is damaged"), "{}", ended.err);
    assert!(!ended.err.contains("panicked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_missing_or_not_writable_is_said() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let missing = vainu_sync(&bench, &["--store", "nowhere/vainu.db", "sync"]).await;
    assert_eq!(missing.code, Some(78));
    assert!(missing.err.contains("nowhere") && missing.err.contains("create it"), "{}", missing.err);
    fs::create_dir(bench.folder.path().join("folder.db")).unwrap();
    let folder = vainu_sync(&bench, &["--store", "folder.db", "sync"]).await;
    assert_eq!(folder.code, Some(78));
    assert!(folder.err.contains("is a directory: set store.path to a file"), "{}", folder.err);
    let closed = vainu_sync(&bench, &["--store", "/sys/vainu.db", "sync"]).await;
    assert_eq!(closed.code, Some(78));
    assert!(closed.err.contains("/sys/vainu.db"), "{}", closed.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_is_pinned_to_its_bytes_by_git() {
    let attributes = Path::new(env!("CARGO_MANIFEST_DIR")).join(".gitattributes");
    assert!(fs::read_to_string(attributes).unwrap().contains("migrations/*.sql -text"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_the_next_run_goes_on() {
    let bench = Bench::with_rows(numbered(20_000), ALL_OF_FI).await;
    let folder = bench.folder.path().join("small");
    fs::create_dir(&folder).unwrap();
    let mount = |options: &str| {
        let args = ["-t", "tmpfs", "-o", options, "tmpfs"];
        Command::new("mount").args(args).arg(&folder).status().is_ok_and(|status| status.success())
    };
    if !mount("size=2m") {
        eprintln!("skipped: a small file system wants root");
        return;
    }
    let store = folder.join("vainu.db");
    let store = store.to_str().unwrap();
    let full = vainu_sync(&bench, &["--store", store, "sync"]).await;
    mount("remount,size=64m");
    let after = vainu_sync(&bench, &["--store", store, "sync"]).await;
    let _ = Command::new("cp").args(["-a", store, bench.store_path().to_str().unwrap()]).status();
    let _ = Command::new("sh")
        .args([
            "-c",
            &format!("cp {store}-wal {0}-wal; umount {1}", bench.store_path().display(), folder.display()),
        ])
        .status();
    assert_eq!(full.code, Some(1), "{}{}", full.out, full.err);
    assert!(format!("{}{}", full.out, full.err).contains("the disk is full"), "{}{}", full.out, full.err);
    assert_eq!(after.code, Some(0), "{}{}", after.out, after.err);
    assert_eq!(bench.members("all").await.len(), 20_000);
    assert_log_is_true(&bench).await;
}

/// What `status` says to a user who may read the folder and write nothing; `None`, if there can't be one here.
fn status_for_another_user(bench: &Bench) -> Option<Ended> {
    let folder = bench.folder.path();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.join("reader.toml"), ALL_OF_FI).unwrap();
    let program = program(folder);
    let read = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(program.get_program())
        .args(["--config", "reader.toml", "status"])
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output();
    let Ok(read) = read else {
        eprintln!("skipped: a process of another user wants setpriv");
        return None;
    };
    let read = ended(read);
    if read.err.contains("setpriv:") {
        eprintln!("skipped: a process of another user wants root, and a program it can reach: {}", read.err);
        return None;
    }
    Some(read)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_another_user_reads_after_the_writer_has_closed() {
    let bench = Bench::with_rows(numbered(10), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    let Some(read) = status_for_another_user(&bench) else { return };
    assert!(read.out.contains("10 members"), "{}{}", read.out, read.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_to_whom_another_program_has_taken_the_log_is_told_how_it_comes_back() {
    let bench = Bench::with_rows(numbered(10), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    // The last one to close, as a SQLite shell does.
    bench.write("UPDATE organizations SET name = name").await;
    assert!(!bench.store_path().with_extension("db-wal").exists());
    let Some(read) = status_for_another_user(&bench) else { return };
    assert_eq!(read.code, Some(78));
    assert!(
        read.err.contains("db-wal or ") && read.err.contains("let the store's owner run"),
        "{}",
        read.err
    );
    assert_eq!(vainu_sync(&bench, &["status"]).await.code, Some(0));
    let read = status_for_another_user(&bench).unwrap();
    assert!(read.out.contains("10 members"), "{}{}", read.out, read.err);
}

fn other_database() -> Vec<u8> {
    // A database of another program: page size 4096, one table.
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("other.db");
    let runtime = std::thread::spawn({
        let path = path.clone();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(sqlite(&path, "CREATE TABLE theirs (x)"));
        }
    });
    runtime.join().unwrap();
    fs::read(path).unwrap()
}

async fn sqlite(path: &Path, sql: &'static str) {
    use sqlx::{ConnectOptions, Connection, Executor};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    connection.execute(sql).await.unwrap();
    connection.close().await.unwrap();
}
