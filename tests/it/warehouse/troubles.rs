//! What goes wrong at the server: one sentence, nothing lost, caught up by the next run.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::server::{NOBODY, Server};
use super::tables::{DOCUMENTS, assert_equal, feed, point_to, written};
use crate::bench::{Bench, named, row};
use crate::program::vainu_sync;

async fn bench(lines: &str) -> Bench {
    let queries = format!("{}{}", named("all", r#"["name"]"#), feed("warehouse", "[\"all\"]", lines));
    let bench = Bench::with_rows([row("FI1", "a"), row("FI2", "b")], &queries).await;
    bench.sync().await;
    bench
}

async fn assert_told(bench: &Bench, words: &str) {
    let told = written(bench, false).await;
    assert!(told.starts_with('!') && told.contains(words), "{words}: {told}");
    assert!(!told.contains("s3cret") && !told.contains('\n'), "{told}");
}

async fn assert_caught_up(bench: &Bench, server: &Server, database: &str) {
    let told = written(bench, false).await;
    assert!(!told.contains('!'), "{told}");
    assert_equal(bench, server, database, &bench.settings.warehouses[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_holds_no_run_up() {
    let Some(mut server) = Server::start().await else { return };
    let bench = bench(DOCUMENTS).await;
    point_to(&bench, &server.url("postgres"));
    server.crash();
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert!(sync.code == Some(1) && sync.out.contains("all: succeeded"), "{}", sync.out);
    assert!(sync.out.contains("can't be reached (Connection refused"), "{}", sync.out);
    let status = vainu_sync(&bench, &["status"]).await;
    assert!(status.out.contains("held back") && status.out.contains("can't be reached"), "{}", status.out);
    for ended in [&sync, &status] {
        assert!(!ended.out.contains("s3cret") && !ended.err.contains("s3cret"), "{}{}", ended.out, ended.err);
    }
    server.start_again().await;
    assert_caught_up(&bench, &server, "postgres").await;
    let status = vainu_sync(&bench, &["status"]).await;
    assert!(!status.out.contains("held back"), "{}", status.out);
}

/// A file system in memory for a server's files.
struct Small(TempDir);

impl Small {
    /// Without root there is none, which is said.
    fn of_mb(mb: u32) -> Option<Self> {
        let small = Self(TempDir::new().unwrap());
        if small.mount(&format!("size={mb}m,uid={NOBODY},gid={NOBODY},mode=700")) {
            return Some(small);
        }
        eprintln!("skipped: a small file system wants root");
        None
    }

    fn mount(&self, options: &str) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(self.0.path());
        mount.status().is_ok_and(|status| status.success())
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// 40 kB of letters that no database makes smaller by much.
fn incompressible(seed: u64) -> String {
    let mut state = seed + 1;
    let letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'0' + u8::try_from((state >> 33) % 64).unwrap()).to_string()
    };
    std::iter::repeat_with(letter).take(40_000).map(|letter| letter.replace('\\', "z")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_room_is_told_and_caught_up_once_there_is_some() {
    let Some(small) = Small::of_mb(20) else { return };
    let Some(server) = Server::start().await else { return };
    let path = small.0.path().display();
    server.run("postgres", &format!("CREATE TABLESPACE small LOCATION '{path}'")).await;
    server.run("postgres", "CREATE DATABASE small TABLESPACE small").await;
    let rows = (0..600).map(|n| row(&format!("FI{n:03}"), &incompressible(n)));
    let queries = format!("{}{}", named("all", r#"["name"]"#), feed("warehouse", "[\"all\"]", DOCUMENTS));
    let bench = Bench::with_rows(rows, &queries).await;
    point_to(&bench, &server.url("small"));
    let sync = vainu_sync(&bench, &["sync"]).await;
    let told = "the PostgreSQL server has no room left (could not extend file";
    assert!(sync.out.contains("all: succeeded: 600") && sync.out.contains(told), "{}", sync.out);
    assert_eq!((sync.code, sync.out.lines().count()), (Some(1), 2), "{}", sync.out);
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(server.number("small", tables).await, 0, "nothing of that pass stays");
    assert!(small.mount("remount,size=400m"));
    assert_caught_up(&bench, &server, "small").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_does_not_fit_is_told_without_being_shown() {
    let Some(server) = Server::start().await else { return };
    let bench = bench(DOCUMENTS).await;
    let file = bench.folder.path().join("database-url");
    assert_told(&bench, "can't be read").await;
    let check = vainu_sync(&bench, &["check"]).await;
    assert!(check.out.contains("feed \"warehouse\" can't be written"), "{}", check.out);
    for (text, words) in [
        ("", "is empty"),
        ("s3cret", "no address"),
        ("postgres://owner:s3cret@127.0.0.1/db\nx", "more than one line"),
        ("postgres://owner:s3cret@127.0.0.1/db?sslmode=s3cret", "none that PostgreSQL knows"),
        ("postgres://owner:s3cret@nowhere.invalid/db", "can't be reached"),
    ] {
        fs::write(&file, text).unwrap();
        assert_told(&bench, words).await;
    }
    point_to(&bench, &server.url_as("owner", "s3cretly", "postgres"));
    assert_told(&bench, "refuses the user or the password").await;
    point_to(&bench, &server.url("nowhere"));
    assert_told(&bench, "no database of the name").await;
    point_to(&bench, &format!("{}?sslmode=require", server.url("postgres")));
    assert_told(&bench, "no safe connection").await;
    server.run("postgres", "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0").await;
    point_to(&bench, &server.url("ascii"));
    assert_told(&bench, "ENCODING 'UTF8'").await;
    point_to(&bench, &server.url("postgres"));
    assert_caught_up(&bench, &server, "postgres").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_rights_is_told_which_it_lacks() {
    let Some(server) = Server::start().await else { return };
    let bench = bench(DOCUMENTS).await;
    server
        .run(
            "postgres",
            "CREATE ROLE poor LOGIN PASSWORD 's3cret'; REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC",
        )
        .await;
    point_to(&bench, &server.url_as("poor", "s3cret", "postgres"));
    assert_told(&bench, "permission denied for schema public").await;
    server.run("postgres", "GRANT CREATE ON SCHEMA public TO poor").await;
    assert_told(&bench, "temporary tables").await;
    server.run("postgres", "GRANT TEMPORARY ON DATABASE postgres TO poor").await;
    assert_caught_up(&bench, &server, "postgres").await;
    server.run("postgres", "ALTER TABLE organizations OWNER TO owner").await;
    assert_told(&bench, "permission denied for table organizations").await;
    server.run("postgres", "ALTER TABLE organizations OWNER TO poor").await;
    assert_caught_up(&bench, &server, "postgres").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_changed_by_hand_is_told_and_left() {
    let Some(server) = Server::start().await else { return };
    let bench = bench("[feeds.columns]\nName = \"name\"").await;
    point_to(&bench, &server.url("postgres"));
    server.run("postgres", "CREATE TABLE organizations (id integer)").await;
    assert_told(&bench, "public.organizations is there already").await;
    server.run("postgres", "DROP TABLE organizations").await;
    assert_caught_up(&bench, &server, "postgres").await;
    for (change, words, undo) in [
        (
            "ALTER TABLE organizations ALTER COLUMN \"Name\" TYPE varchar(10)",
            "\"Name\" is of the type character varying(10) and has to be text",
            "ALTER TABLE organizations ALTER COLUMN \"Name\" TYPE text",
        ),
        (
            "ALTER TABLE organizations RENAME COLUMN changed_at TO changed",
            "\"changed_at\" is missing",
            "ALTER TABLE organizations RENAME COLUMN changed TO changed_at",
        ),
        (
            "ALTER TABLE organizations DROP CONSTRAINT organizations_pkey",
            "primary key is missing",
            "ALTER TABLE organizations ADD PRIMARY KEY (business_id)",
        ),
        (
            "ALTER TABLE organizations ADD CHECK (length(\"Name\") < 2) NOT VALID",
            "a constraint refuses rows",
            "ALTER TABLE organizations DROP CONSTRAINT \"organizations_Name_check\"",
        ),
        (
            "ALTER TABLE organizations RENAME TO aside; CREATE VIEW organizations AS SELECT * FROM aside",
            "it is no table",
            "DROP VIEW organizations; ALTER TABLE aside RENAME TO organizations",
        ),
    ] {
        bench.control.set_rows("FI", vec![row("FI1", &format!("longer {}", change.len())), row("FI2", "b")]);
        bench.sync().await;
        server.run("postgres", change).await;
        assert_told(&bench, words).await;
        server.run("postgres", undo).await;
        assert_caught_up(&bench, &server, "postgres").await;
    }
    // A column that users may drop comes back with its values.
    server.run("postgres", "ALTER TABLE organizations DROP COLUMN \"Name\"").await;
    written(&bench, false).await;
    let values = "SELECT count(*) FROM organizations WHERE \"Name\" IS NOT NULL";
    assert_eq!(server.number("postgres", values).await, 2);
}
