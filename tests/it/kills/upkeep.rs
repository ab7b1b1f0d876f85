//! Kills of what works on the store alone: a migration, a prune, a rename, and letting go what is old.

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use vainu_sync::sandbox::World;
use vainu_sync::store::time;

use super::pages::{assert_true, remove_store, settle};
use super::striker::{Phase, Striker, holds_lock};
use crate::bench::{ALL_OF_FI, Bench, named};
use crate::migration::make_store;
use crate::program::vainu_sync;

/// Two commits of a prune.
const COMPANIES: u32 = 2100;
const OLD: &str = "2020-01-01T00:00:00.000Z";

pub struct Stage {
    bench: Bench,
}

impl Stage {
    /// Stores to begin with, put aside in files of their own.
    pub async fn start() -> Self {
        let mut bench = Bench::start(World::Generated { size: COMPANIES }, ALL_OF_FI).await;
        first_schema(&bench).await;
        put_aside(&bench, "first").await;
        bench.configure("", &format!("{ALL_OF_FI}{}", named("old", r#"["website"]"#)));
        assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
        put_aside(&bench, "two").await;
        bench.configure("", ALL_OF_FI);
        Self { bench }
    }

    pub async fn round(&self, striker: &mut Striker) {
        for _ in 0..2 {
            self.prune(striker).await;
            self.rename(striker).await;
            self.retention(striker).await;
            self.migration(striker).await;
        }
        settle(&self.bench).await;
    }

    async fn migration(&self, striker: &mut Striker) {
        let bench = &self.bench;
        self.take("first");
        let organizations = "SELECT count(*) FROM organizations";
        let entries = "SELECT count(*) FROM changes";
        let before = (bench.number(organizations).await, bench.number(entries).await);
        // A prune of what is unknown migrates and does nothing else.
        striker
            .strike(bench, Phase::Migration, &["prune", "unknown"], async |child| holds_lock(bench, child))
            .await;
        assert_true(bench).await;
        assert_eq!((bench.number(organizations).await, bench.number(entries).await), before);
        let version = bench.number("SELECT max(version) FROM _sqlx_migrations").await;
        let columns =
            "SELECT count(*) FROM pragma_table_info('_queries') WHERE name IN ('export', 'next_fetch')";
        assert_eq!(bench.number(columns).await, if version == 1 { 0 } else { 2 }, "all of it or nothing");
    }

    async fn prune(&self, striker: &mut Striker) {
        let bench = &self.bench;
        self.take("two");
        let members = bench.members("old").await.len();
        striker.strike(bench, Phase::Prune, &["prune", "old"], async |child| holds_lock(bench, child)).await;
        assert_true(bench).await;
        let again = vainu_sync(bench, &["prune", "old"]).await;
        let is_done = again.code == Some(0) || again.err.contains("no query \"old\"");
        assert!(is_done, "{}", again.err);
        let left = "SELECT count(DISTINCT business_id) * 1000000 + count(*) FROM changes WHERE query = 'old' AND kind = 'left'";
        let members = i64::try_from(members).unwrap();
        assert_eq!(bench.number(left).await, members * 1_000_000 + members, "each once");
    }

    async fn rename(&self, striker: &mut Striker) {
        let bench = &self.bench;
        self.take("two");
        let members = bench.members("old").await;
        striker
            .strike(bench, Phase::Rename, &["rename", "old", "new"], async |child| holds_lock(bench, child))
            .await;
        assert_true(bench).await;
        let parts = "SELECT name FROM _queries WHERE id = 2 UNION ALL SELECT query FROM runs WHERE id = 2 UNION ALL \
                     SELECT substr(name, 9) FROM sqlite_master WHERE name IN ('members_old', 'members_new')";
        let names = bench.texts(parts).await;
        assert!(names == ["old"; 3] || names == ["new"; 3], "{names:?}");
        assert!(bench.members(&names[0]).await == members);
    }

    async fn retention(&self, striker: &mut Striker) {
        let bench = &self.bench;
        self.take("two");
        let first_young = bench.number("SELECT max(seq) * 9 / 10 FROM changes").await;
        bench.write(&format!("UPDATE _changes SET at = '{OLD}' WHERE seq < {first_young}")).await;
        let (members, runs) =
            (bench.members("all").await, "SELECT max(id) FROM runs WHERE status = 'succeeded'");
        let before = bench.number(runs).await;
        let kept = format!("SELECT count(*) FROM changes WHERE seq >= {first_young}");
        let young = bench.number(&kept).await;
        striker.strike(bench, Phase::Retention, &["sync"], async |_| bench.number(runs).await > before).await;
        assert_eq!(bench.texts("PRAGMA integrity_check").await, ["ok"]);
        let gaps = "SELECT max(seq) - min(seq) + 1 - count(*) FROM changes";
        assert_eq!(
            (bench.number(gaps).await, bench.number(&kept).await),
            (0, young),
            "only the beginning goes"
        );
        assert!(bench.members("all").await == members);
        let done = vainu_sync(bench, &["sync"]).await;
        assert_eq!(done.code, Some(0), "{}", done.err);
        assert_eq!(bench.number("SELECT min(seq) FROM changes").await, first_young);
    }

    /// Puts the store in place that was put aside.
    fn take(&self, name: &str) {
        remove_store(&self.bench);
        fs::copy(aside(&self.bench, name), self.bench.store_path()).unwrap();
    }
}

fn aside(bench: &Bench, name: &str) -> PathBuf {
    bench.folder.path().join(format!("{name}.aside"))
}

async fn put_aside(bench: &Bench, name: &str) {
    bench.write("PRAGMA wal_checkpoint(TRUNCATE)").await;
    fs::copy(bench.store_path(), aside(bench, name)).unwrap();
    remove_store(bench);
}

/// A store of the first schema, in which everybody has left.
async fn first_schema(bench: &Bench) {
    make_store(bench, 1).await;
    let at = time::to_text(Timestamp::now());
    let fill = format!(
        "INSERT INTO _queries VALUES (1, 'all', 'FI', NULL, '[\"business_id\",\"name\"]', NULL, NULL, NULL, NULL, '{at}'); \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2000) \
         INSERT INTO organizations SELECT n, printf('FI%05d', n), 'FI', 'x', '{at}', '{at}', '{at}', '{{}}' FROM n; \
         INSERT INTO _memberships SELECT 1, id, NULL, NULL, '{at}', '{at}' FROM organizations; \
         INSERT INTO _changes (query, organization, kind, at, after) SELECT 1, id, 'created', '{at}', '{{}}' FROM organizations; \
         INSERT INTO _changes (query, organization, kind, at) SELECT 1, id, 'left', '{at}' FROM organizations"
    );
    bench.write(&fill).await;
}
