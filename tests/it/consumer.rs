//! Whoever takes a feed in, by its documentation alone: files in the order of their numbers, `upsert` and `remove`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use vainu_sync::feed::{self, Report, Tools};
use vainu_sync::store::{Lock, Store};

use crate::bench::Bench;

/// What is known of an organization: its columns by their headers.
pub type Row = BTreeMap<String, String>;

/// Everybody that a feed has told of and not removed.
#[derive(Debug, Default, Clone)]
pub struct Consumer {
    pub rows: BTreeMap<String, Row>,
    /// The files that were taken in, with their bytes.
    taken: BTreeMap<String, Vec<u8>>,
}

/// A row as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub change: String,
    pub id: String,
    pub columns: Row,
    pub changed_at: String,
}

impl Consumer {
    /// Takes in what is new in the folder.
    pub fn take(&mut self, folder: &Path, feed: &str) {
        for path in numbered(folder, feed) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let bytes = fs::read(&path).unwrap();
            if let Some(before) = self.taken.get(&name) {
                assert!(*before == bytes, "{name} has changed");
                continue;
            }
            let last = self.taken.keys().next_back();
            assert!(last.is_none_or(|last| *last < name), "{name} comes after {last:?}");
            for told in rows(&path) {
                match told.change.as_str() {
                    "upsert" => self.rows.insert(told.id, told.columns),
                    "remove" => self.rows.remove(&told.id),
                    other => panic!("{other:?} is no change"),
                };
            }
            self.taken.insert(name, bytes);
        }
    }

    /// Everybody whom all the files in the folder tell of.
    pub fn of(folder: &Path, feed: &str) -> BTreeMap<String, Row> {
        let mut consumer = Self::default();
        consumer.take(folder, feed);
        consumer.rows
    }
}

/// The numbered files of a feed, in their order.
pub fn numbered(folder: &Path, feed: &str) -> Vec<PathBuf> {
    let is_of = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let rest = name.strip_prefix(&format!("{feed}-")).unwrap_or_default();
        rest.len() > 8 && rest.as_bytes()[..8].iter().all(u8::is_ascii_digit)
    };
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(is_of).collect();
    paths.sort();
    paths
}

/// The rows of a file with commas or of JSON lines.
pub fn rows(path: &Path) -> Vec<Told> {
    match path.extension().unwrap().to_str() {
        Some("csv") => csv_rows(path, b','),
        _ => json_rows(path),
    }
}

pub fn csv_rows(path: &Path, delimiter: u8) -> Vec<Told> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_path(path).unwrap();
    let headers: Vec<String> = reader.headers().unwrap().iter().map(ToOwned::to_owned).collect();
    assert_eq!((headers[0].trim_start_matches('\u{feff}'), &*headers[1]), ("change", "business_id"));
    assert_eq!(headers.last().unwrap(), "changed_at");
    let told = |record: csv::StringRecord| Told {
        change: record[0].to_owned(),
        id: record[1].to_owned(),
        columns: (2..headers.len() - 1).map(|at| (headers[at].clone(), record[at].to_owned())).collect(),
        changed_at: record[headers.len() - 1].to_owned(),
    };
    reader.records().map(|record| told(record.unwrap())).collect()
}

fn json_rows(path: &Path) -> Vec<Told> {
    let text = fs::read_to_string(path).unwrap();
    let told = |line: &str| {
        let Value::Object(mut row) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
        let mut take = |key: &str| row.remove(key).unwrap().as_str().unwrap().to_owned();
        let (change, id, changed_at) = (take("change"), take("business_id"), take("changed_at"));
        let columns = row.into_iter().map(|(key, value)| (key, value.to_string())).collect();
        Told { change, id, columns, changed_at }
    };
    text.lines().map(told).collect()
}

/// The manifest of a feed.
pub fn manifest(folder: &Path, feed: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.join(format!("{feed}-latest.json"))).unwrap()).unwrap()
}

/// Writes all feeds of the bench, a few organizations at a time.
pub async fn write_feeds(bench: &Bench) -> Vec<Report> {
    write_feeds_as(bench, false, &CancellationToken::new()).await
}

pub async fn write_feeds_as(bench: &Bench, everything: bool, stop: &CancellationToken) -> Vec<Report> {
    let lock = Lock::take(&bench.store_path(), "a test").unwrap();
    let mut store = Store::open(&bench.store_path(), &lock).await.unwrap();
    let settings = &bench.settings;
    feed::retire(settings, &mut store, Timestamp::now()).await.unwrap();
    let mut tools = Tools { settings, store: &mut store, stop, clock: &Timestamp::now, batch: 3 };
    let mut reports = Vec::new();
    for feed in &settings.feeds {
        reports.push(feed::write(feed, everything, &mut tools).await);
    }
    store.close().await.unwrap();
    reports
}

/// What the feeds wrote, a word each: the rows of a new file, or `-`.
pub fn written(reports: &[Report]) -> String {
    let word = |report: &Report| match &report.outcome {
        Ok(outcome) if outcome.file.is_some() => outcome.rows.to_string(),
        Ok(_) => "-".to_owned(),
        Err(error) => panic!("{}: {error}", report.feed),
    };
    reports.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// A feed of these queries into `feeds`, with these lines in its table and these columns.
pub fn feed(name: &str, queries: &str, lines: &str, columns: &str) -> String {
    format!(
        "\n[[feeds]]\nname = \"{name}\"\nqueries = {queries}\ndirectory = \"feeds\"\n{lines}\n[feeds.columns]\n{columns}\n"
    )
}

/// The folder `feeds`, made.
pub fn folder(bench: &Bench) -> PathBuf {
    let folder = bench.folder.path().join("feeds");
    fs::create_dir_all(&folder).unwrap();
    folder
}
