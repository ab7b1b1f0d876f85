//! PostgreSQL's COPY as a reader of a feed's files.

use std::collections::BTreeMap;
use std::fs;

use sqlx::Connection;
use vainu_sync::sandbox::World;

use super::server::Server;
use crate::bench::{Bench, named, rows_named};
use crate::consumer::{feed, folder, numbered, write_feeds};

const TABLES: &str = "CREATE TABLE crm (business_id text PRIMARY KEY, name text); \
     CREATE TABLE file (change text, business_id text, name text, changed_at timestamptz)";

/// What an import does with each file, within one transaction.
const TAKE: &str = "DELETE FROM crm USING file WHERE file.change = 'remove' AND file.business_id = crm.business_id; \
     INSERT INTO crm SELECT business_id, name FROM file WHERE change = 'upsert' \
     ON CONFLICT (business_id) DO UPDATE SET name = excluded.name; TRUNCATE file";

fn config() -> String {
    let query = format!("{}max_departures = \"100%\"\n", named("all", r#"["name"]"#));
    format!("{query}{}", feed("crm", "[\"all\"]", "", "Name = \"name\""))
}

/// Takes in the files after the first so many.
async fn take(bench: &Bench, server: &Server, taken: &mut usize) {
    let mut connection = server.connect("postgres").await;
    for path in numbered(&bench.folder.path().join("feeds"), "crm").iter().skip(*taken) {
        let mut copy =
            connection.copy_in_raw("COPY file FROM STDIN WITH (FORMAT csv, HEADER true)").await.unwrap();
        copy.send(fs::read(path).unwrap()).await.unwrap();
        copy.finish().await.unwrap();
        sqlx::raw_sql(TAKE).execute(&mut connection).await.unwrap();
        *taken += 1;
    }
    connection.close().await.unwrap();
}

async fn assert_equal(bench: &Bench, server: &Server) {
    let told: Vec<(String, Option<String>)> =
        server.rows("postgres", "SELECT business_id, name FROM crm").await;
    let expected: Vec<(String, Option<String>)> = bench
        .rows(
            "SELECT o.business_id, nullif(o.document ->> 'name', '') FROM memberships m \
             JOIN organizations o USING (business_id) WHERE m.left_at IS NULL",
        )
        .await;
    let by_id = |rows: Vec<_>| rows.into_iter().collect::<BTreeMap<String, Option<String>>>();
    assert!(by_id(told) == by_id(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_reads_the_files_of_thirty_nights_into_the_members_of_each() {
    let Some(server) = Server::start().await else { return };
    let bench = Bench::start(World::Generated { size: 200 }, &config()).await;
    folder(&bench);
    server.run("postgres", TABLES).await;
    let mut taken = 0;
    for night in 0..30 {
        bench.control.set_day(night * 3);
        bench.sync().await;
        write_feeds(&bench).await;
        take(&bench, &server, &mut taken).await;
        assert_equal(&bench, &server).await;
    }
    assert!(taken > 20, "{taken} files");
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_reads_hostile_values_as_they_are() {
    let Some(server) = Server::start().await else { return };
    let long = "ä\t".repeat(700_000);
    let names = [
        "=cmd|' /C calc'!A0",
        "+358 40",
        "\"hi\"",
        "a\r\nb",
        "a\rb",
        "a\nb",
        "\\N",
        "a\\.",
        "😀",
        "",
        "NULL",
        &long,
    ];
    let bench = Bench::with_rows(rows_named(&names), &config()).await;
    folder(&bench);
    server.run("postgres", TABLES).await;
    bench.sync().await;
    write_feeds(&bench).await;
    take(&bench, &server, &mut 0).await;
    assert_equal(&bench, &server).await;
    assert_eq!(
        server.number("postgres", "SELECT count(*) FROM crm").await,
        i64::try_from(names.len()).unwrap()
    );
}
