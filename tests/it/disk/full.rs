//! A disk that has 64 kB more room at each try, until the command succeeds; in a plain run every third size.

use std::fs;

use jiff::Timestamp;
use vainu_sync::sandbox::{Endpoint, World};
use vainu_sync::store::{Status, time};

use super::{Disk, ON_THE_DISK, assert_recovers, is_thorough, told};
use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::migration::make_store;
use crate::program::{Ended, vainu_sync};
use crate::replay::{assert_equals_listing, assert_log_is_true};

const STEP_KB: u64 = 64;
const PLENTY_KB: u64 = 64 * 1024;

const QUERIES: &str = r#"
[defaults]
database = "FI"
schedule = "@daily"
max_departures = "100%"
max_arrivals = "100000%"

[[queries]]
name = "all"
query = '{"?ALL": []}'
fields = ["name", "staff_number", "business_units.visiting_address"]

[[queries]]
name = "large"
query = '{"?GTE": {"financial_data.revenue": 1000000}}'
fields = ["website"]
fetch = "export"
"#;

/// Two queries over some companies, the store on a disk that has no room yet but one step.
async fn begin(companies: u32) -> Option<(Bench, Disk)> {
    let size = if is_thorough() { companies * 2 } else { companies };
    let mut bench = Bench::start(World::Generated { size }, "").await;
    let disk = Disk::of_kb(bench.folder.path(), STEP_KB)?;
    configure(&mut bench, QUERIES);
    bench.control.switch(|switches| switches.export_polls = 0);
    Some((bench, disk))
}

/// The same with everything stored, and a day later.
async fn a_day_later(companies: u32) -> Option<(Bench, Disk)> {
    let (bench, disk) = begin(companies).await?;
    disk.resize(PLENTY_KB);
    let loaded = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(loaded.code, Some(0), "{}", told(&loaded));
    bench.control.set_day(5);
    Some((bench, disk))
}

fn configure(bench: &mut Bench, queries: &str) {
    bench.configure("", &format!("{ON_THE_DISK}{queries}"));
}

/// Does the same with a step more room each time, from the same files on, until it succeeds; how many steps that
/// took. What a try without room has said is judged, and the store after it; after some of them it is also seen
/// that the store recovers.
async fn fill(bench: &Bench, disk: &Disk, args: &[&str]) -> u64 {
    let base = disk.files();
    let least = base.iter().map(|(_, bytes)| (bytes.len() as u64).div_ceil(4096) * 4).sum::<u64>() + 4;
    let stride = if is_thorough() { 1 } else { 3 };
    for step in (0..).step_by(stride) {
        disk.clear().await;
        disk.resize(least + step * STEP_KB);
        for (name, bytes) in &base {
            fs::write(disk.folder.join(name), bytes).unwrap();
        }
        let ended = vainu_sync(bench, args).await;
        if ended.code == Some(0) {
            disk.resize(PLENTY_KB);
            return step;
        }
        assert_says_full(&ended);
        if is_readable(bench) && has_tables(bench).await {
            assert_log_is_true(bench).await;
        }
        if step % 4 == 3 {
            disk.resize(PLENTY_KB);
            let again = vainu_sync(bench, args).await;
            assert_eq!(again.code, Some(0), "{}", told(&again));
            if args == ["sync"] {
                assert_equals_listing(bench).await;
            }
            assert_log_is_true(bench).await;
        }
    }
    unreachable!("the steps have no end")
}

fn assert_says_full(ended: &Ended) {
    let told = told(ended);
    assert_eq!(ended.code, Some(1), "{told}");
    let says_so =
        told.contains("the disk is full, ") && told.contains("vainu.db could not be written: make room");
    let keeps_no_token = told.contains("vainu.db.token") && told.contains("with room on the disk");
    assert!(says_so || keeps_no_token, "{told}");
    assert!(!told.contains("panicked"), "{told}");
}

/// A reader too wants room, for the index of the log.
fn is_readable(bench: &Bench) -> bool {
    let index = format!("{}-shm", bench.store_path().display());
    bench.store_path().exists() && fs::metadata(index).is_ok_and(|index| index.len() >= 32 * 1024)
}

async fn has_tables(bench: &Bench) -> bool {
    bench.number("SELECT count(*) FROM sqlite_master WHERE name = 'changes'").await == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_load_fails_at_every_size_until_it_has_room() {
    let Some((bench, disk)) = begin(500).await else { return };
    let steps = fill(&bench, &disk, &["sync"]).await;
    println!("first load: {steps} steps");
    assert!(steps > 20, "{steps}");
    assert_log_is_true(&bench).await;
    assert_recovers(&bench).await;
}

/// Each failure takes up some room itself: it is room for the begin and the end of two runs.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_found_no_room_again_and_again_goes_on_from_what_it_has() {
    let Some((bench, disk)) = begin(500).await else { return };
    let mut created = vec![0];
    for step in 1.. {
        disk.resize(step * 8 * STEP_KB);
        let ended = vainu_sync(&bench, &["sync"]).await;
        if ended.code == Some(0) {
            break;
        }
        assert_says_full(&ended);
        assert_log_is_true(&bench).await;
        created.push(bench.number("SELECT count(*) FROM changes WHERE kind = 'created'").await);
    }
    assert!(created.is_sorted(), "what was stored stays: {created:?}");
    disk.resize(PLENTY_KB);
    assert_recovers(&bench).await;
    assert_log_is_true(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_and_departures_wait_for_room() {
    let Some((bench, disk)) = a_day_later(500).await else { return };
    let steps = fill(&bench, &disk, &["sync"]).await;
    println!("update: {steps} steps");
    assert!(steps > 5, "{steps}");
    assert!(bench.number("SELECT count(*) FROM changes WHERE kind = 'left'").await > 0);
    assert_log_is_true(&bench).await;
    assert_recovers(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_query_waits_for_room() {
    let Some((mut bench, disk)) = a_day_later(500).await else { return };
    configure(&mut bench, &QUERIES.replace(r#"["website"]"#, r#"["website", "contacts", "founded"]"#));
    let steps = fill(&bench, &disk, &["sync"]).await;
    println!("edited query: {steps} steps");
    assert!(steps > 10, "{steps}");
    assert_log_is_true(&bench).await;
    assert_recovers(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prune_and_rename_happen_whole_once_there_is_room() {
    let Some((mut bench, disk)) = a_day_later(1000).await else { return };
    let (_, large) = QUERIES.split_once("[[queries]]\nname = \"large\"").unwrap();
    let defaults = QUERIES.split_once("[[queries]]").unwrap().0;
    configure(&mut bench, &format!("{defaults}[[queries]]\nname = \"big\"{large}"));
    let members = bench.members("large").await.len();
    let steps = fill(&bench, &disk, &["rename", "large", "big"]).await;
    println!("rename: {steps} steps");
    assert_eq!(bench.members("big").await.len(), members);
    let pruned = fill(&bench, &disk, &["prune", "all"]).await;
    println!("prune: {pruned} steps");
    assert!(steps > 0 && pruned > 5, "{steps} {pruned}");
    assert_eq!(bench.members("all").await.len(), 0);
    let twice = "SELECT count(*) FROM (SELECT 1 FROM changes WHERE kind = 'left' GROUP BY business_id HAVING count(*) > 1)";
    assert_eq!(bench.number(twice).await, 0);
    assert_recovers(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_waits_for_room_and_is_rolled_back_until_then() {
    let mut bench = Bench::with_rows(numbered(100), ALL_OF_FI).await;
    let Some(disk) = Disk::of_kb(bench.folder.path(), PLENTY_KB) else { return };
    configure(&mut bench, &ALL_OF_FI.replace("\"all\"", "\"other\""));
    make_store(&bench, 1).await;
    let at = time::to_text(Timestamp::now());
    bench
        .write(&format!(
            "INSERT INTO _queries VALUES (1, 'all', 'FI', NULL, '[\"business_id\",\"name\"]', NULL, NULL, NULL, NULL, '{at}'); \
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 8000) \
             INSERT INTO organizations SELECT n, printf('FI%05d', n), 'FI', 'x', '{at}', '{at}', '{at}', '{{}}' FROM n; \
             INSERT INTO _changes (query, organization, kind, at, after) SELECT 1, id, 'created', '{at}', '{{}}' FROM organizations; \
             INSERT INTO _changes (query, organization, kind, at) SELECT 1, id, 'left', '{at}' FROM organizations; \
             PRAGMA wal_checkpoint(TRUNCATE)"
        ))
        .await;
    let steps = fill(&bench, &disk, &["rename", "all", "other"]).await;
    println!("migration: {steps} steps");
    assert!(steps > 5, "{steps}");
    assert_eq!(bench.number("SELECT count(*) FROM organizations").await, 8000);
    disk.resize(PLENTY_KB);
    assert_recovers(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_goes_once_there_is_room() {
    let Some((mut bench, disk)) = a_day_later(500).await else { return };
    bench.control.set_day(0);
    bench.write("UPDATE _changes SET at = '2020-01-01T00:00:00.000Z'; PRAGMA wal_checkpoint(TRUNCATE)").await;
    bench.configure("", &format!("{ON_THE_DISK}keep_changes = \"300d\"\n{QUERIES}"));
    let least = disk.used_kb();
    let mut sizes = 0;
    for kb in (least + 128..).step_by(64) {
        disk.resize(kb.next_multiple_of(4));
        let ended = vainu_sync(&bench, &["sync"]).await;
        let told = told(&ended);
        assert_eq!(bench.texts("PRAGMA integrity_check").await, ["ok"]);
        if told.contains("what was old was let go") {
            break;
        }
        sizes += 1;
        assert!(told.contains("the disk is full") && !told.contains("panicked"), "{told}");
    }
    println!("retention: {sizes} steps");
    assert!(sizes > 2, "{sizes}");
    assert_eq!(bench.number("SELECT count(*) FROM changes").await, 0);
    assert!(bench.number("SELECT count(*) FROM memberships WHERE left_at IS NULL").await > 300);
    disk.resize(PLENTY_KB);
    assert_recovers(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_without_room_leaves_the_store_as_it_was() {
    let Some((bench, disk)) = a_day_later(500).await else { return };
    let before = crate::dry_run::everything(&bench).await;
    let least = disk.used_kb().next_multiple_of(4);
    let mut steps = 0;
    loop {
        disk.resize(least + steps * STEP_KB);
        let ended = vainu_sync(&bench, &["sync", "--dry-run"]).await;
        if ended.code == Some(0) {
            break;
        }
        assert_says_full(&ended);
        assert_eq!(crate::dry_run::everything(&bench).await, before);
        steps += 1;
    }
    println!("dry run: {steps} steps");
    assert_eq!(crate::dry_run::everything(&bench).await, before);
    assert_eq!(bench.texts("PRAGMA integrity_check").await, ["ok"]);
    let wal = fs::metadata(disk.folder.join("vainu.db-wal")).unwrap().len();
    assert_eq!(wal, 0, "what was rolled back takes up no room");
    disk.resize(PLENTY_KB);
    assert_recovers(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_a_first_load_without_room_leaves_nothing_behind() {
    let Some((bench, disk)) = begin(300).await else { return };
    for step in 0.. {
        disk.resize(4 + step * STEP_KB);
        let ended = vainu_sync(&bench, &["sync", "--dry-run"]).await;
        let files = fs::read_dir(&disk.folder).unwrap().map(|file| file.unwrap().file_name());
        let files: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
        let is_kept = |name: &String| ["vainu.db.lock", "vainu.db.token.lock"].contains(&name.as_str());
        assert!(files.iter().all(is_kept), "{files:?}");
        if ended.code == Some(0) {
            println!("dry run of a first load: {step} steps");
            return;
        }
        let told = told(&ended);
        assert!(ended.code == Some(1) && !told.contains("panicked"), "{told}");
        assert!(told.contains("the disk is full") || told.contains("with room on the disk"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_can_not_be_remembered_is_submitted_again_once_there_is_room() {
    let Some((bench, disk)) = a_day_later(300).await else { return };
    bench.control.set_day(0);
    let full = disk.used_kb().next_multiple_of(4);
    disk.resize(full);
    assert_says_full(&vainu_sync(&bench, &["sync", "large"]).await);
    disk.resize(PLENTY_KB);
    assert_eq!(bench.sync().await.iter().filter(|report| report.status == Status::Succeeded).count(), 2);
    assert!(bench.control.hits(Endpoint::ExportSubmit) >= 2);
}
