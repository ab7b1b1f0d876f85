//! Folders that are missing, closed, full, ahead of the store, or changed by others.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use vainu_sync::feed::{self, Tools};
use vainu_sync::store::{Lock, Store};

use crate::bench::{Bench, named, numbered, row};
use crate::consumer::{Consumer, feed, folder, manifest, numbered as files, rows, write_feeds, written};
use crate::histories::until_death;
use crate::program::vainu_sync;

fn crm(lines: &str) -> String {
    format!("{}{}", named("all", r#"["name"]"#), feed("crm", "[\"all\"]", lines, "Name = \"name\""))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_can_not_be_written_fails_the_feed_and_no_run() {
    let bench = Bench::with_rows(numbered(3), &crm("")).await;
    let folder = bench.folder.path().join("feeds");
    for (told, prepare) in [
        ("feeds does not exist: create it, or set directory to another", None),
        ("feeds is no directory: set directory to one", Some("a file")),
    ] {
        if let Some(text) = prepare {
            fs::write(&folder, text).unwrap();
        }
        let check = vainu_sync(&bench, &["check"]).await;
        assert!(check.out.contains("note: feed \"crm\" can't be written"), "{}", check.out);
        let sync = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(sync.code, Some(1), "{}", sync.err);
        assert!(sync.out.contains("all: succeeded: 3 companies"), "{}", sync.out);
        assert!(sync.out.contains("feed crm: not written: ") && sync.out.contains(told), "{}", sync.out);
        let status = vainu_sync(&bench, &["status"]).await;
        assert!(status.out.contains("held back") && status.out.contains(told), "{}", status.out);
    }
    fs::remove_file(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(sync.code, Some(0), "{}", sync.out);
    assert_eq!(Consumer::of(&folder, "crm").len(), 3);
    assert!(!vainu_sync(&bench, &["status"]).await.out.contains("held back"));
    let sys = "/sys/kernel";
    let text = fs::read_to_string(bench.folder.path().join("config.toml")).unwrap();
    fs::write(bench.folder.path().join("config.toml"), text.replace("\"feeds\"", &format!("\"{sys}\"")))
        .unwrap();
    let closed = vainu_sync(&bench, &["feed"]).await;
    assert_eq!(closed.code, Some(1));
    assert!(closed.out.contains("not written: /sys/kernel/.crm-"), "{}", closed.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_the_next_feed_goes_on() {
    let bench = Bench::with_rows(numbered(20_000), &crm("")).await;
    let folder = folder(&bench);
    let mount = |options: &str| {
        let args = ["-t", "tmpfs", "-o", options, "tmpfs"];
        Command::new("mount").args(args).arg(&folder).status().is_ok_and(|status| status.success())
    };
    if !mount("size=200k") {
        eprintln!("skipped: a small file system wants root");
        return;
    }
    let full = vainu_sync(&bench, &["sync"]).await;
    let left = fs::read_dir(&folder).unwrap().count();
    mount("remount,size=64m");
    let after = vainu_sync(&bench, &["feed"]).await;
    let told = Consumer::of(&folder, "crm");
    let _ = Command::new("umount").arg(&folder).status();
    assert_eq!((full.code, left), (Some(1), 0), "{}{}", full.out, full.err);
    assert!(full.out.contains("all: succeeded") && full.out.contains("the disk is full"), "{}", full.out);
    assert_eq!((after.code, told.len()), (Some(0), 20_000), "{}", after.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_came_back_from_a_backup_goes_on_after_the_files_that_are_there() {
    let bench = Bench::with_rows(numbered(5), &crm("")).await;
    let folder = folder(&bench);
    bench.sync().await;
    write_feeds(&bench).await;
    let backup = bench.folder.path().join("backup.db");
    bench.write(&format!("VACUUM INTO '{}'", backup.display())).await;
    let mut rows_now = numbered(7);
    rows_now.remove(0);
    bench.control.set_rows("FI", rows_now.clone());
    bench.sync().await;
    write_feeds(&bench).await;
    bench.control.set_rows("FI", [rows_now, vec![row("FI00009", "late")]].concat());
    bench.sync().await;
    write_feeds(&bench).await;
    assert_eq!(Consumer::of(&folder, "crm").len(), 7);
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", bench.store_path().display()));
    }
    fs::copy(&backup, bench.store_path()).unwrap();
    assert_eq!(written(&write_feeds(&bench).await), "8", "five members once, three who are none");
    let told = rows(&folder.join("crm-00000004.csv"));
    let removed: Vec<&str> = told.iter().filter(|row| row.change == "remove").map(|row| &*row.id).collect();
    assert_eq!(removed, ["FI00006", "FI00007", "FI00009"]);
    assert_eq!(
        Consumer::of(&folder, "crm").into_keys().collect::<Vec<_>>(),
        bench.members("all").await.into_keys().collect::<Vec<_>>()
    );
    assert_eq!(written(&write_feeds(&bench).await), "-");
    bench.sync().await;
    write_feeds(&bench).await;
    assert_eq!(Consumer::of(&folder, "crm").len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_begun_anew_takes_nobody_away_before_its_first_success() {
    let bench = Bench::with_rows(numbered(5), &crm("")).await;
    let folder = folder(&bench);
    vainu_sync(&bench, &["sync"]).await;
    for path in files(&folder, "crm") {
        // A consumer that keeps what it took in; the manifest stays.
        fs::copy(&path, bench.folder.path().join(path.file_name().unwrap())).unwrap();
    }
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", bench.store_path().display()));
    }
    bench.control.set_rows("FI", numbered(4));
    bench.control.switch(|switches| switches.page_cap = Some(2));
    bench.control.fail_after(
        vainu_sync::sandbox::Endpoint::Organizations,
        2,
        vainu_sync::sandbox::Fault::status(400),
        100,
    );
    let failed = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(failed.code, Some(1), "{}", failed.out);
    assert_eq!(Consumer::of(&folder, "crm").len(), 5, "{}", failed.out);
    bench.control.heal();
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(sync.code, Some(0), "{}", sync.out);
    assert_eq!(Consumer::of(&folder, "crm").into_keys().collect::<Vec<_>>().len(), 4, "{}", sync.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_may_take_the_files_away_and_no_number_comes_twice() {
    let bench = Bench::with_rows(numbered(2), &crm("")).await;
    let folder = folder(&bench);
    bench.sync().await;
    write_feeds(&bench).await;
    fs::remove_file(folder.join("crm-00000001.csv")).unwrap();
    for stray in [".crm-00000007.csv.tmp", ".crm-a-00000007.csv.tmp"] {
        fs::write(folder.join(stray), "half").unwrap();
    }
    assert_eq!(written(&write_feeds(&bench).await), "-", "what was taken away is not written again");
    assert!(!folder.join(".crm-00000007.csv.tmp").exists(), "no commit tells of it");
    assert!(folder.join(".crm-a-00000007.csv.tmp").exists(), "another feed's");
    bench.control.set_rows("FI", numbered(3));
    bench.sync().await;
    write_feeds(&bench).await;
    assert!(folder.join("crm-00000002.csv").exists() && !folder.join("crm-00000001.csv").exists());
    // Even for a store that knows nothing the manifest keeps the numbers.
    fs::remove_file(folder.join("crm-00000002.csv")).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", bench.store_path().display()));
    }
    bench.sync().await;
    write_feeds(&bench).await;
    assert_eq!(manifest(&folder, "crm")["file"], "crm-00000003.csv");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_folder_gets_every_member_under_the_next_number() {
    let mut bench = Bench::with_rows(numbered(4), &crm("")).await;
    folder(&bench);
    bench.sync().await;
    write_feeds(&bench).await;
    let there = bench.folder.path().join("there");
    fs::create_dir(&there).unwrap();
    bench.configure("", &crm("").replace("\"feeds\"", "\"there\""));
    assert_eq!(written(&write_feeds(&bench).await), "4");
    assert!(there.join("crm-00000002.csv").exists());
    assert_eq!(written(&write_feeds(&bench).await), "-");
}

#[tokio::test(flavor = "multi_thread")]
async fn old_files_go_from_the_first_one_on_and_never_the_last() {
    let bench = Bench::with_rows(numbered(1), &crm("keep_files = \"30d\"")).await;
    let folder = folder(&bench);
    for count in 1..=5 {
        bench.control.set_rows("FI", numbered(count));
        bench.sync().await;
        write_feeds(&bench).await;
    }
    let age = |name: &str, days: u64| {
        let file = fs::File::options().write(true).open(folder.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_hours(24 * days)).unwrap();
    };
    for (number, days) in [(1, 40), (2, 31), (3, 29), (4, 50), (5, 60)] {
        age(&format!("crm-0000000{number}.csv"), days);
    }
    fs::write(folder.join("crm-00000001.txt"), "not ours").unwrap();
    bench.sync().await;
    assert_eq!(written(&write_feeds(&bench).await), "-");
    let names: Vec<_> =
        files(&folder, "crm").iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["crm-00000001.txt", "crm-00000003.csv", "crm-00000004.csv", "crm-00000005.csv"]);
}

/// Lets the process die at each await of a feed in turn; `meddle` is what happens to the folder each time.
async fn die_everywhere(bench: &Bench, meddle: impl Fn(&Path)) {
    let folder = folder(bench);
    for polls in 1.. {
        let path = bench.store_path();
        let lock = Lock::take(&path, "a test").unwrap();
        let mut store = Store::open(&path, &lock).await.unwrap();
        let stop = tokio_util::sync::CancellationToken::new();
        let tools = Tools {
            settings: &bench.settings,
            store: &mut store,
            stop: &stop,
            clock: &Timestamp::now,
            batch: 3,
        };
        let ended = until_death(Box::pin(feed::follow(&["all"], tools)), polls).await;
        store.close().await.unwrap();
        drop(lock);
        if ended.is_some() {
            return;
        }
        meddle(&folder);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_at_any_await_leaves_the_old_state_or_the_new_one() {
    for lines in ["", "content = \"snapshot\""] {
        let bench = Bench::with_rows(numbered(8), &crm(lines)).await;
        bench.sync().await;
        die_everywhere(&bench, |_| {}).await;
        let mut rows_now = numbered(10);
        rows_now.drain(..3);
        rows_now[0] = row("FI00004", "other");
        bench.control.set_rows("FI", rows_now);
        bench.sync().await;
        die_everywhere(&bench, |_| {}).await;
        let folder = folder(&bench);
        let newest = files(&folder, "crm").pop().unwrap();
        let told = Consumer::of(if lines.is_empty() { &folder } else { only(&bench, &newest) }, "crm");
        assert_eq!(told.len(), 7);
        assert_eq!(told["FI00004"]["Name"], "other");
        assert_eq!(files(&folder, "crm").len(), 2, "no file is written twice");
        let hidden = fs::read_dir(&folder)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with('.'));
        assert_eq!(hidden.count(), 0);
    }
}

/// A folder that holds this file alone.
fn only<'a>(bench: &'a Bench, file: &Path) -> &'a Path {
    let folder = bench.folder.path();
    fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_lost_before_it_had_its_name_is_told_again() {
    let bench = Bench::with_rows(numbered(8), &crm("")).await;
    bench.sync().await;
    write_feeds_into(&bench).await;
    bench.control.set_rows("FI", numbered(5));
    bench.sync().await;
    let hide = |folder: &Path| {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_str().unwrap().ends_with(".csv.tmp") {
                fs::remove_file(path).unwrap();
            }
        }
    };
    die_everywhere(&bench, hide).await;
    assert_eq!(Consumer::of(&folder(&bench), "crm").len(), 5, "whom the lost file removed is removed");
}

async fn write_feeds_into(bench: &Bench) {
    folder(bench);
    write_feeds(bench).await;
}
