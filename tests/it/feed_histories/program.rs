//! The program, and who takes its files in.

use std::collections::BTreeMap;
use std::fs;

use jiff::Timestamp;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use vainu_sync::feed::{self, Tools};
use vainu_sync::sandbox::{Endpoint, Fault};
use vainu_sync::store::{Lock, Store};

use super::model::{MAPPINGS, Model, Step};
use crate::bench::Bench;
use crate::consumer::{Consumer, Row, numbered, rows};
use crate::histories::until_death;

pub struct Program {
    pub runtime: Runtime,
    pub bench: Bench,
    pub crm: Consumer,
    pub lake: Consumer,
}

impl Program {
    pub async fn take(&mut self, model: &Model, step: &Step) {
        match step {
            Step::Night(..) => {
                self.bench.control.set_rows("FI", model.rows());
                self.sync().await;
            }
            Step::SyncInVain(after) => {
                self.bench.control.fail_after(Endpoint::Organizations, *after, Fault::status(503), 10_000);
                self.sync().await;
                self.bench.control.heal();
            }
            Step::Feed => self.feed_to_the_end(model, false).await,
            Step::Snapshot => self.feed_to_the_end(model, true).await,
            Step::Die(polls) => {
                self.feed(false, *polls).await;
            }
            Step::Map(_) | Step::Null(_) => self.bench.configure("retry_for = \"20ms\"", &model.config()),
            Step::Away => {
                let without = Model { has_feeds: false, ..model.clone() };
                self.bench.configure("retry_for = \"20ms\"", &without.config());
                self.sync().await;
                self.bench.configure("retry_for = \"20ms\"", &model.config());
            }
            Step::Backup => self.back_up().await,
            Step::Restore => self.restore(),
            Step::Forget => {
                let half =
                    "DELETE FROM _changes WHERE seq <= (SELECT (min(seq) + max(seq)) / 2 FROM _changes)";
                self.bench.write(half).await;
            }
            Step::Rename => self.rename().await,
        }
    }

    pub async fn sync(&self) {
        // What a command does first.
        let (lock, mut store) = self.open().await;
        feed::retire(&self.bench.settings, &mut store, Timestamp::now()).await.unwrap();
        store.close().await.unwrap();
        drop(lock);
        self.bench.sync().await;
    }

    async fn open(&self) -> (Lock, Store) {
        let lock = Lock::take(&self.bench.store_path(), "a test").unwrap();
        let store = Store::open(&self.bench.store_path(), &lock).await.unwrap();
        (lock, store)
    }

    /// Writes all feeds, or dies.
    async fn feed(&self, everything: bool, polls: u64) -> bool {
        let (_lock, mut store) = self.open().await;
        let stop = CancellationToken::new();
        let settings = &self.bench.settings;
        let ended = {
            let store = &mut store;
            let writing = async {
                feed::retire(settings, store, Timestamp::now()).await.unwrap();
                let mut tools = Tools { settings, store, stop: &stop, clock: &Timestamp::now, batch: 2 };
                for feed in &settings.feeds {
                    let report = feed::write(feed, everything, &mut tools).await;
                    report.outcome.unwrap_or_else(|error| panic!("{}: {error}", feed.name));
                }
            };
            until_death(Box::pin(writing), polls).await
        };
        store.close().await.unwrap();
        ended.is_some()
    }

    pub async fn feed_to_the_end(&mut self, model: &Model, everything: bool) {
        assert!(self.feed(everything, u64::MAX).await);
        let folder = self.bench.folder.path().join("feeds");
        self.crm.take(&folder, "crm");
        self.lake.take(&folder, "lake");
        let (companies, nobodies) =
            (self.members("companies", model).await, self.members("nobodies", model).await);
        let mut all = companies.clone();
        all.extend(nobodies);
        let proved = self.bench.number("SELECT count(*) FROM _queries WHERE definition IS NOT NULL").await;
        if proved < 2 {
            // Whoever is a member is told in any case.
            assert!(all.iter().all(|(id, row)| self.crm.rows.get(id) == Some(row)), "{all:?}");
            return;
        }
        assert_eq!(self.crm.rows, all);
        let newest = numbered(&folder, "whole").pop().expect("a snapshot");
        let whole: BTreeMap<String, Row> =
            rows(&newest).into_iter().map(|told| (told.id, told.columns)).collect();
        assert_eq!(whole, all);
        let lake: BTreeMap<String, Row> = self.json_members("companies", model).await;
        assert_eq!(self.lake.rows, lake);
        let before = numbered(&folder, "crm").len();
        if !everything {
            self.feed(false, u64::MAX).await;
            assert_eq!(numbered(&folder, "crm").len(), before, "the same again writes no file");
        }
    }

    async fn documents(&self, query: &str) -> Vec<(String, Value)> {
        let members = self.bench.members(query).await;
        members.into_iter().map(|(id, text)| (id, serde_json::from_str(&text).unwrap())).collect()
    }

    async fn members(&self, query: &str, model: &Model) -> BTreeMap<String, Row> {
        let cell = |value: &Value| match value.as_str() {
            None | Some("") => model.null().to_owned(),
            Some(text) => text.replace('\0', "\u{fffd}"),
        };
        let row = |document: &Value| {
            let columns = MAPPINGS[model.mapping].iter();
            columns.map(|(header, key)| ((*header).to_owned(), cell(&document[*key]))).collect()
        };
        self.documents(query).await.into_iter().map(|(id, document)| (id, row(&document))).collect()
    }

    async fn json_members(&self, query: &str, model: &Model) -> BTreeMap<String, Row> {
        let row = |document: &Value| {
            let columns = MAPPINGS[model.mapping].iter();
            let json = |key: &str| document[key].to_string().replace("\\u0000", "\u{fffd}");
            columns.map(|(header, key)| ((*header).to_owned(), json(key))).collect()
        };
        self.documents(query).await.into_iter().map(|(id, document)| (id, row(&document))).collect()
    }

    pub async fn back_up(&self) {
        let path = self.bench.folder.path().join("backup.db");
        let _ = fs::remove_file(&path);
        self.bench.write(&format!("VACUUM INTO '{}'", path.display())).await;
    }

    fn restore(&self) {
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{suffix}", self.bench.store_path().display()));
        }
        fs::copy(self.bench.folder.path().join("backup.db"), self.bench.store_path()).unwrap();
    }

    async fn rename(&self) {
        let (_lock, mut store) = self.open().await;
        if vainu_sync::upkeep::rename(&mut store, "companies", "renamed", Timestamp::now()).await.is_ok() {
            vainu_sync::upkeep::rename(&mut store, "renamed", "companies", Timestamp::now()).await.unwrap();
        }
        store.close().await.unwrap();
    }
}
