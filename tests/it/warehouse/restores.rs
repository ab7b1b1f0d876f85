//! Backups of either side come back.

use std::fs;

use vainu_sync::sandbox::World;

use super::server::Server;
use super::tables::{DOCUMENTS, assert_equal, feed, members, point_to, rows, written};
use super::{BOTH, COLUMNS, QUERIES};
use crate::bench::Bench;

async fn bench(server: &Server, database: &str) -> Bench {
    let cells = format!("table = \"cells\"\nremovals = \"delete\"{COLUMNS}");
    let feeds = [feed("documents", BOTH, DOCUMENTS), feed("cells", BOTH, &cells)];
    let bench = Bench::start(World::Generated { size: 150 }, &format!("{QUERIES}{}", feeds.concat())).await;
    point_to(&bench, &server.url(database));
    bench
}

async fn night(bench: &Bench) {
    bench.control.set_day(bench.control.day() + 4);
    bench.sync().await;
}

async fn write(bench: &Bench) {
    let words = written(bench, false).await;
    assert!(!words.contains('!'), "{words}");
}

/// Rows alone: the log in the database knows more than a restored store.
async fn assert_rows(bench: &Bench, server: &Server, database: &str) {
    for feed in &bench.settings.warehouses {
        let told = rows(server, database, feed).await;
        let members = members(bench, feed).await;
        assert!(
            told.keys().eq(members.keys()),
            "{}: {} rows, {} members",
            feed.name,
            told.len(),
            members.len()
        );
        for (id, (document, at)) in members {
            assert_eq!(told[&id].1, at);
            if feed.columns.is_empty() {
                assert_eq!(told[&id].0[0].as_ref(), Some(&document));
            }
        }
    }
}

async fn back_up(bench: &Bench) {
    let path = bench.folder.path().join("backup.db");
    let _ = fs::remove_file(&path);
    bench.write(&format!("VACUUM INTO '{}'", path.display())).await;
}

fn restore(bench: &Bench) {
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", bench.store_path().display()));
    }
    fs::copy(bench.folder.path().join("backup.db"), bench.store_path()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_store_is_told_by_its_log_however_far_it_has_got_again() {
    let Some(server) = Server::start().await else { return };
    for nights in [0, 1, 4] {
        let database = format!("again{nights}");
        server.run("postgres", &format!("CREATE DATABASE {database}")).await;
        let bench = bench(&server, &database).await;
        night(&bench).await;
        write(&bench).await;
        back_up(&bench).await;
        for _ in 0..2 {
            night(&bench).await;
            write(&bench).await;
        }
        let entries = format!("SELECT count(*) FROM {}", "organizations_changes");
        let before = server.number(&database, &entries).await;
        restore(&bench);
        for _ in 0..nights {
            night(&bench).await;
        }
        write(&bench).await;
        assert_rows(&bench, &server, &database).await;
        let shared = bench.number("SELECT count(*) FROM changes").await;
        let after = server.number(&database, &entries).await;
        assert!(after >= before && after <= before + shared, "{before} {after} {shared}");
        night(&bench).await;
        write(&bench).await;
        assert_rows(&bench, &server, &database).await;
        let own: Vec<(i64, String)> = bench.rows("SELECT seq, at FROM changes ORDER BY seq").await;
        let time = "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')";
        let all = format!("SELECT seq, {time} FROM organizations_changes");
        let told: Vec<(i64, String)> = server.rows(&database, &all).await;
        assert!(own.iter().all(|entry| told.iter().filter(|told| *told == entry).count() == 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_database_is_brought_up_to_date() {
    let Some(server) = Server::start().await else { return };
    server.run("postgres", "CREATE DATABASE main").await;
    for has_log in [true, false] {
        server.copy("template0", "main").await;
        let bench = bench(&server, "main").await;
        night(&bench).await;
        write(&bench).await;
        server.copy("main", "earlier").await;
        for _ in 0..3 {
            night(&bench).await;
            write(&bench).await;
        }
        if !has_log {
            bench.write("DELETE FROM _changes WHERE seq <= (SELECT max(seq) - 3 FROM _changes)").await;
        }
        server.copy("earlier", "main").await;
        write(&bench).await;
        assert_rows(&bench, &server, "main").await;
        if has_log {
            for feed in &bench.settings.warehouses {
                assert_equal(&bench, &server, "main", feed).await;
            }
        }
        night(&bench).await;
        write(&bench).await;
        assert_rows(&bench, &server, "main").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_were_dropped_are_made_anew() {
    let Some(server) = Server::start().await else { return };
    let bench = bench(&server, "postgres").await;
    night(&bench).await;
    write(&bench).await;
    for table in
        ["organizations", "organizations_memberships", "organizations_changes", "cells", "cells_memberships"]
    {
        server.run("postgres", &format!("DROP TABLE {table}")).await;
        write(&bench).await;
        for feed in &bench.settings.warehouses {
            assert_equal(&bench, &server, "postgres", feed).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_begun_anew_writes_beside_the_old_one_until_that_is_taken_out() {
    let Some(server) = Server::start().await else { return };
    let bench = bench(&server, "postgres").await;
    night(&bench).await;
    write(&bench).await;
    let old: Vec<(String,)> = server.rows("postgres", "SELECT store FROM organizations_feeds").await;
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", bench.store_path().display()));
    }
    bench.control.set_day(bench.control.day() + 40);
    bench.sync().await;
    write(&bench).await;
    let feed = &bench.settings.warehouses[0];
    assert!(rows(&server, "postgres", feed).await.len() > members(&bench, feed).await.len());
    for table in ["organizations", "cells"] {
        let store = &old[0].0;
        let taking_out = format!(
            "DELETE FROM {table}_memberships WHERE store = '{store}'; DELETE FROM {table}_feeds WHERE store = '{store}'"
        );
        server.run("postgres", &taking_out).await;
    }
    let words = written(&bench, true).await;
    assert!(!words.contains('!'), "{words}");
    assert_rows(&bench, &server, "postgres").await;
}
