//! What stands at a backup's place: overwritten only where it is a backup, and only by a whole one.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

use crate::backups::{backup, dump, files};
use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::{program, signal, until, vainu_sync};

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
