//! A store in which one page is another than was written: refused once that is noticed, and then left alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection};
use vainu_sync::store::{Lock, Store};

use super::{is_thorough, told};
use crate::bench::{ALL_OF_FI, Bench, named, numbered, row};
use crate::chance::Random;
use crate::program::{Ended, vainu_sync};

const PAGE: usize = 16 * 1024;

/// How a page is spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Damage {
    Zeros,
    Garbage,
    /// Some bytes in the middle.
    Spot,
    /// As it was a day before.
    Older,
}

const DAMAGES: [Damage; 4] = [Damage::Zeros, Damage::Garbage, Damage::Spot, Damage::Older];

/// A store of two queries with pages of each kind, as it is and as it was before the last runs.
struct Sample {
    bench: Bench,
    now: Vec<u8>,
    before: Vec<u8>,
    /// What each page is, by its number from 1 on: `organizations leaf`, `free`.
    kinds: BTreeMap<usize, String>,
}

impl Sample {
    async fn make() -> Self {
        let wide = "x".repeat(60_000);
        let company = |n: usize, name: &str| {
            let website = "w".repeat(120);
            format!(r#"{{"business_id":"FI{n:05}","name":"{name} {n}","website":"{website}"}}"#)
        };
        let rows = |name: &str| (1..=1500).map(|n| company(n, name)).collect::<Vec<_>>();
        let queries =
            format!("{ALL_OF_FI}{}{}", named("other", r#"["website"]"#), named("gone", r#"["website"]"#));
        let bench = Bench::with_rows(rows("First"), &queries).await;
        bench.sync().await;
        let before = whole(&bench).await;
        let mut second = rows("Second");
        second.truncate(1450);
        second.push(row("FI90000", &wide));
        second.push(r#"{"business_id":"","name":"set aside"}"#.to_owned());
        bench.control.set_rows("FI", second);
        bench.sync().await;
        // What is deleted leaves free pages.
        bench.write("DELETE FROM _changes WHERE seq > 1500 AND seq < 4000").await;
        let now = whole(&bench).await;
        let kinds = kinds(&bench, now.len() / PAGE).await;
        Self { bench, now, before, kinds }
    }

    /// Of each kind one page in a plain run, else all.
    fn pages(&self, random: &mut Random) -> Vec<(usize, &str)> {
        let mut by_kind: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (page, kind) in &self.kinds {
            by_kind.entry(kind).or_default().push(*page);
        }
        let mut chosen = Vec::new();
        for (kind, pages) in by_kind {
            let wanted = if is_thorough() { pages.clone() } else { vec![pages[random.below(pages.len())]] };
            chosen.extend(wanted.into_iter().map(|page| (page, kind)));
        }
        chosen
    }

    fn spoil(&self, page: usize, damage: Damage, random: &mut Random) -> Option<Vec<u8>> {
        let mut bytes = self.now.clone();
        let at = (page - 1) * PAGE;
        let spoilt = &mut bytes[at..at + PAGE];
        match damage {
            Damage::Zeros => spoilt.fill(0),
            Damage::Garbage => spoilt.fill_with(|| u8::try_from(random.below(256)).unwrap()),
            Damage::Spot => spoilt[PAGE - 900..PAGE - 800].fill(0xFE),
            Damage::Older => spoilt.copy_from_slice(self.before.get(at..at + PAGE)?),
        }
        Some(bytes)
    }

    fn put(&self, bytes: &[u8]) {
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(self.file(suffix));
        }
        fs::write(self.bench.store_path(), bytes).unwrap();
    }

    fn file(&self, suffix: &str) -> PathBuf {
        format!("{}{suffix}", self.bench.store_path().display()).into()
    }

    /// All that SQLite reads of the store.
    fn files(&self) -> [Option<Vec<u8>>; 2] {
        ["", "-wal"].map(|suffix| fs::read(self.file(suffix)).ok())
    }
}

/// The store in its one file.
async fn whole(bench: &Bench) -> Vec<u8> {
    let lock = Lock::take(&bench.store_path(), "a test").unwrap();
    Store::open(&bench.store_path(), &lock).await.unwrap().close().await.unwrap();
    fs::read(bench.store_path()).unwrap()
}

async fn kinds(bench: &Bench, pages: usize) -> BTreeMap<usize, String> {
    let listed: Vec<(i64, String)> = bench.rows("SELECT pageno, name || ' ' || pagetype FROM dbstat").await;
    let mut kinds: BTreeMap<usize, String> = (1..=pages).map(|page| (page, "free".to_owned())).collect();
    kinds.extend(listed.into_iter().map(|(page, kind)| (usize::try_from(page).unwrap(), kind)));
    kinds
}

/// Whether a check of the whole file finds the damage.
async fn is_told_by_sqlite(bench: &Bench) -> bool {
    let options = SqliteConnectOptions::new().filename(bench.store_path()).read_only(true);
    let Ok(mut connection) = options.connect().await else { return true };
    let found: sqlx::Result<String> =
        sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut connection).await;
    found.as_deref().ok() != Some("ok")
}

/// Whether every run has its end: the damage was noticed when what is old was let go.
async fn has_ended(bench: &Bench) -> bool {
    let options = SqliteConnectOptions::new().filename(bench.store_path()).read_only(true);
    let Ok(mut connection) = options.connect().await else { return false };
    let running: sqlx::Result<i64> = sqlx::query_scalar("SELECT count(*) FROM runs WHERE status = 'running'")
        .fetch_one(&mut connection)
        .await;
    running.is_ok_and(|running| running == 0)
}

fn assert_no_panic(what: &str, ended: &Ended) {
    let told = told(ended);
    assert!(!told.contains("panicked"), "{what}: {told}");
    assert!(matches!(ended.code, Some(0 | 1 | 78)), "{what}: {:?} {told}", ended.code);
    if ended.code == Some(78) {
        let names =
            told.contains("vainu.db") && (told.contains(" is damaged (") || told.contains("too damaged"));
        assert!(names && told.contains("restore a backup"), "{what}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_another_is_noticed_or_does_no_harm_and_nothing_is_written_afterwards() {
    let sample = Sample::make().await;
    let mut random = Random::seeded("VAINU_SYNC_DISK_SEED");
    let mut noticed: BTreeMap<Damage, (u32, u32)> = BTreeMap::new();
    for (page, kind) in sample.pages(&mut random) {
        let damages = if is_thorough() { &DAMAGES[..] } else { &[DAMAGES[random.below(4)]] };
        for &damage in damages {
            let Some(bytes) = sample.spoil(page, damage, &mut random).filter(|bytes| *bytes != sample.now)
            else {
                continue;
            };
            let what = format!("page {page} ({kind}): {damage:?}");
            sample.put(&bytes);
            let counts = noticed.entry(damage).or_default();
            counts.1 += 1;
            let sync = vainu_sync(&sample.bench, &["sync"]).await;
            assert_no_panic(&what, &sync);
            if sync.code == Some(78) {
                counts.0 += 1;
                assert_stays_refused(&what, &sample).await;
            } else if damage != Damage::Older {
                assert_eq!(sync.out.matches("nothing new").count(), 3, "{what}: {}", told(&sync));
            }
        }
    }
    println!("noticed by a run: {noticed:?}");
}

/// Another run refuses it too. It writes nothing where the run that noticed the damage has no end, so that the next
/// one looks through the file first, and SQLite can tell the damage: what is within a value shows only when that is
/// read.
async fn assert_stays_refused(what: &str, sample: &Sample) {
    let is_told = is_told_by_sqlite(&sample.bench).await && !has_ended(&sample.bench).await;
    let before = sample.files();
    let again = vainu_sync(&sample.bench, &["sync"]).await;
    assert_no_panic(what, &again);
    assert_eq!(again.code, Some(78), "{what}: {}", told(&again));
    assert!(!is_told || sample.files() == before, "{what}: the store was written to");
    let before = sample.files();
    for command in [&["status"][..], &["changes", "--json"], &["sync", "--dry-run"]] {
        let ended = vainu_sync(&sample.bench, command).await;
        assert_no_panic(&format!("{what}: {command:?}"), &ended);
    }
    assert!(sample.files() == before, "{what}: the store was written to by readers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_document_that_is_no_json_is_damage_and_not_a_change() {
    let bench = Bench::with_rows(numbered(50), ALL_OF_FI).await;
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    let document = "UPDATE organizations SET document = '{\"business' WHERE business_id = 'FI00007'";
    bench.write(document).await;
    // Only who reads otherwise is looked at.
    let rows = numbered(50).into_iter().map(|row| row.replace("Company 7\"", "Company 7 Oy\""));
    bench.control.set_rows("FI", rows.collect());
    for _ in 0..2 {
        let sync = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(sync.code, Some(78), "{}", told(&sync));
        assert!(sync.out.contains("is damaged (the document of FI00007 is no JSON object)"), "{}", sync.out);
    }
    assert_eq!(bench.number("SELECT count(*) FROM changes").await, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_whose_keys_can_not_be_read_is_not_taken_for_a_pruned_one() {
    let bench = Bench::with_rows(numbered(50), ALL_OF_FI).await;
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    bench.write("UPDATE _queries SET owned_keys = '[\"na'").await;
    for command in ["sync", "status"] {
        let refused = vainu_sync(&bench, &[command]).await;
        assert_eq!(refused.code, Some(78), "{}", told(&refused));
        assert!(told(&refused).contains("vainu.db is damaged ("), "{}", told(&refused));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_lost_its_beginning_is_not_made_anew() {
    let bench = Bench::with_rows(numbered(3000), ALL_OF_FI).await;
    // As the file was when nothing but its header stood in it.
    let empty = bench.folder.path().join("empty.db");
    let options = SqliteConnectOptions::new().filename(&empty).create_if_missing(true);
    let made = options.page_size(16 * 1024).journal_mode(SqliteJournalMode::Wal).connect().await.unwrap();
    made.close().await.unwrap();
    let empty = fs::read(empty).unwrap();
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    let mut bytes = whole(&bench).await;
    bytes[..PAGE].copy_from_slice(&empty[..PAGE]);
    fs::write(bench.store_path(), &bytes).unwrap();
    let refused = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(refused.code, Some(78), "{}", told(&refused));
    assert!(refused.err.contains("too damaged to be told for one: it was left as it is"), "{}", refused.err);
    assert!(fs::read(bench.store_path()).unwrap() == bytes);
}
