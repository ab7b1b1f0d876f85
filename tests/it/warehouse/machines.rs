//! Several machines, each with its own queries, write one table.

use std::collections::BTreeMap;

use vainu_sync::sandbox::World;

use super::server::Server;
use super::tables::{assert_changes, assert_equal, feed, members, point_to, rows, written};
use super::{COLUMNS, QUERIES};
use crate::bench::{Bench, named, row};
use crate::program::vainu_sync;

fn machine(query: &str, lines: &str) -> String {
    let queries = QUERIES
        .replace("\"all\"", &format!("\"{query}\""))
        .replace("\"larger\"", &format!("\"{query}-larger\""));
    // Of the larger alone, many come and go.
    format!("{queries}{}", feed("warehouse", &format!("[\"{query}-larger\"]"), lines))
}

/// The newer document of those that hold an organization.
async fn expected(machines: &[&Bench]) -> BTreeMap<String, (String, String)> {
    let mut all: BTreeMap<String, (String, String)> = BTreeMap::new();
    for bench in machines {
        for (id, (document, at)) in members(bench, &bench.settings.warehouses[0]).await {
            if all.get(&id).is_none_or(|(_, other)| *other < at) {
                all.insert(id, (document, at));
            }
        }
    }
    all
}

async fn told(server: &Server, bench: &Bench) -> BTreeMap<String, (String, String)> {
    let rows = rows(server, "postgres", &bench.settings.warehouses[0]).await;
    rows.into_iter().map(|(id, (mut cells, at))| (id, (cells.remove(0).unwrap(), at))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newer_document_of_those_who_hold_an_organization_is_there() {
    let Some(server) = Server::start().await else { return };
    for lines in ["", "removals = \"delete\"\ntable = \"other\""] {
        let here = Bench::start(World::Generated { size: 150 }, &machine("here", lines)).await;
        let there = Bench::start(World::Generated { size: 150 }, &machine("there", lines)).await;
        for bench in [&here, &there] {
            point_to(bench, &server.url("postgres"));
        }
        for night in 0..12 {
            for (bench, days) in [(&here, 5), (&there, 3)] {
                bench.control.set_day(bench.control.day() + days);
                bench.sync().await;
            }
            // At once: one waits for the other. What one let go of, the other takes up when it comes next.
            let everything = night % 4 == 3;
            let first = tokio::join!(written(&here, everything), written(&there, everything));
            let then = tokio::join!(written(&here, false), written(&there, false));
            assert!(!format!("{first:?}{then:?}").contains('!'), "{first:?} {then:?}");
            let (expected, told) = (expected(&[&here, &there]).await, told(&server, &here).await);
            let unlike = expected.iter().find(|(id, row)| told.get(*id) != Some(row));
            assert_eq!(unlike.map(|(id, row)| (row, told.get(id))), None, "night {night} {lines}");
            assert_eq!(expected.len(), told.len(), "night {night} {lines}");
        }
        for bench in [&here, &there] {
            let feed = &bench.settings.warehouses[0];
            assert_changes(bench, &server, "postgres", feed).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_goes_with_the_last_query_that_holds_it_and_never_unproved() {
    let Some(server) = Server::start().await else { return };
    let queries = |name: &str| {
        format!(
            "{}{}",
            named(name, r#"["name"]"#),
            feed("warehouse", &format!("[\"{name}\"]"), "removals = \"delete\"")
        )
    };
    let here = Bench::with_rows([row("FI1", "a"), row("FI2", "b"), row("FI3", "c")], &queries("here")).await;
    let there = Bench::with_rows([row("FI1", "A"), row("FI4", "d")], &queries("there")).await;
    for bench in [&here, &there] {
        point_to(bench, &server.url("postgres"));
        bench.sync().await;
        written(bench, false).await;
    }
    let names = async || {
        let rows = server
            .rows::<(String,)>(
                "postgres",
                "SELECT business_id || (document->>'name') FROM organizations ORDER BY 1",
            )
            .await;
        rows.into_iter().map(|(text,)| text).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names().await, "FI1A FI2b FI3c FI4d");
    there.control.set_rows("FI", vec![row("FI4", "d"), row("FI5", "e"), row("FI6", "f"), row("FI7", "g")]);
    there.sync().await;
    assert_eq!(written(&there, false).await, "3");
    assert_eq!(names().await, "FI1A FI2b FI3c FI4d FI5e FI6f FI7g", "another machine holds it");
    assert_eq!(written(&here, false).await, "1");
    assert_eq!(names().await, "FI1a FI2b FI3c FI4d FI5e FI6f FI7g", "as that machine knows it");
    here.control.set_rows("FI", vec![row("FI2", "b"), row("FI3", "c"), row("FI8", "h"), row("FI9", "i")]);
    here.sync().await;
    assert_eq!(written(&here, false).await, "3");
    assert_eq!(names().await, "FI2b FI3c FI4d FI5e FI6f FI7g FI8h FI9i");
    // A query that never succeeded may hold whom another lets go.
    let both = format!(
        "{}{}{}",
        named("here", r#"["name"]"#),
        named("new", r#"["name"]"#),
        feed("warehouse", "[\"here\", \"new\"]", "removals = \"delete\"")
    );
    let mut here = here;
    here.configure("retry_for = \"20ms\"", &named("here", r#"["name"]"#));
    here.control.set_rows("FI", vec![row("FI2", "b"), row("FI3", "c"), row("FI8", "h")]);
    here.sync().await;
    here.configure("", &both);
    assert_eq!(written(&here, false).await, "0");
    assert!(names().await.contains("FI9i"));
    here.sync().await;
    assert_eq!(written(&here, false).await, "1");
    assert!(!names().await.contains("FI9i"));
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_that_are_configured_alike_keep_apart() {
    let Some(server) = Server::start().await else { return };
    let alike = format!("{}{}", named("all", r#"["name"]"#), feed("warehouse", "[\"all\"]", ""));
    let here = Bench::with_rows([row("FI1", "a"), row("FI2", "b")], &alike).await;
    let there = Bench::with_rows([row("FI2", "b"), row("FI3", "c")], &alike).await;
    for bench in [&here, &there] {
        point_to(bench, &server.url("postgres"));
        bench.sync().await;
        written(bench, false).await;
    }
    here.control.set_rows("FI", vec![row("FI1", "A")]);
    here.sync().await;
    // Of FI2, the newer document was there's own.
    assert_eq!(written(&here, false).await, "1");
    assert_eq!(written(&there, false).await, "0");
    let told: Vec<(String, String, i64)> = server
        .rows(
            "postgres",
            "SELECT o.business_id, document->>'name', (SELECT count(*) FROM organizations_memberships m \
             WHERE m.business_id = o.business_id AND left_at IS NULL) FROM organizations o ORDER BY 1",
        )
        .await;
    let told: Vec<_> = told.iter().map(|(id, name, held)| (&**id, &**name, *held)).collect();
    assert_eq!(told, [("FI1", "A", 1), ("FI2", "b", 1), ("FI3", "c", 1)]);
    for (table, expected) in [("memberships", 4), ("changes", 6), ("feeds", 2)] {
        let all = format!("SELECT count(*) FROM organizations_{table}");
        assert_eq!(server.number("postgres", &all).await, expected, "{table}");
    }
    let gone = "SELECT count(*) FROM organizations WHERE gone_at IS NOT NULL";
    assert_eq!(server.number("postgres", gone).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_feeds_that_lead_to_one_table_the_second_writes_nothing_and_says_so() {
    let Some(server) = Server::start().await else { return };
    let second =
        |table: &str| feed("second", "[\"larger\"]", table).replace("database-url", "./other/../other-url");
    let queries = |feeds: &[String]| format!("{QUERIES}{}", feeds.concat());
    let first = feed("first", "[\"all\"]", "");
    let world = World::Generated { size: 60 };
    let mut bench = Bench::start(world, &queries(&[first.clone(), second("")])).await;
    point_to(&bench, &server.url("postgres"));
    let other = bench.folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let address = server.url("postgres").replacen("postgres://", "postgresql://", 1);
    std::fs::write(bench.folder.path().join("other-url"), address).unwrap();
    for _ in 0..2 {
        bench.control.set_day(bench.control.day() + 5);
        bench.sync().await;
        let words = written(&bench, false).await;
        let told = "!public.organizations is the table of the feed \"first\", too, in the same database: give all queries";
        assert!(words.split_once(' ').is_some_and(|(_, second)| second.starts_with(told)), "{words}");
        assert_equal(&bench, &server, "postgres", &bench.settings.warehouses[0]).await;
    }
    let status = vainu_sync(&bench, &["feed"]).await;
    assert!(status.code == Some(1) && status.err.contains("too, in the same database"), "{}", status.err);
    // Each way out helps.
    bench.configure("", &queries(&[first.clone(), second("table = \"larger\"")]));
    assert!(!written(&bench, false).await.contains('!'));
    for feed in &bench.settings.warehouses {
        assert_equal(&bench, &server, "postgres", feed).await;
    }
    bench.configure("", &queries(&[second("")]));
    assert!(
        !written(&bench, false).await.contains('!'),
        "a feed takes over what none of the configuration has"
    );
    assert_equal(&bench, &server, "postgres", &bench.settings.warehouses[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_that_map_otherwise_are_warned() {
    let Some(server) = Server::start().await else { return };
    let here = Bench::with_rows([row("FI1", "a")], &machine("here", COLUMNS)).await;
    let there =
        Bench::with_rows([row("FI2", "b")], &machine("there", &COLUMNS.replace("Staff", "Persons"))).await;
    for bench in [&here, &there] {
        point_to(bench, &server.url("postgres"));
        bench.sync().await;
    }
    let warned = "another store writes this table with other columns or removals";
    let first = vainu_sync(&here, &["feed"]).await;
    assert!(first.code == Some(0) && !first.err.contains(warned), "{}", first.err);
    for bench in [&there, &here] {
        let told = vainu_sync(bench, &["feed"]).await;
        assert!(told.code == Some(0) && told.err.contains(warned), "{}", told.err);
    }
}
