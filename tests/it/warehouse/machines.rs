//! Several machines, each with its own queries, write one table.

use std::collections::BTreeMap;

use vainu_sync::sandbox::World;

use super::QUERIES;
use super::server::Server;
use super::tables::{assert_changes, feed, members, point_to, rows, written};
use crate::bench::{Bench, named, row};

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
