//! Feeds into a PostgreSQL database, which the test starts from Debian's package. Where that is missing, it says so.

mod deaths;
mod machines;
mod readers;
mod restores;
mod server;
mod tables;
mod troubles;

use std::fs;

use vainu_sync::sandbox::World;

use self::server::Server;
use self::tables::{DOCUMENTS, assert_equal, assert_present, feed, written};
use crate::bench::{Bench, named, row};
use crate::program::vainu_sync;

/// Everything, and whoever has a website, of which many come and go.
const QUERIES: &str = r#"
[defaults]
database = "FI"
schedule = "@daily"
max_departures = "100%"
max_arrivals = "100000%"
fields = ["name", "staff_number", "business_units.visiting_address"]
[[queries]]
name = "all"
query = '{"?ALL": []}'
[[queries]]
name = "larger"
query = '{"?GTE": {"staff_number": 20}}'
"#;

const BOTH: &str = r#"["all", "larger"]"#;

const COLUMNS: &str = r#"
[feeds.columns]
"Company name" = "name"
Staff = "staff_number"
Units = "business_units"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn thirty_nights_leave_the_tables_as_the_store_is() {
    let Some(server) = Server::start().await else { return };
    let feeds = [
        feed("documents", BOTH, DOCUMENTS),
        feed("cells", BOTH, &format!("table = \"cells\"\nremovals = \"delete\"{COLUMNS}")),
        feed("marked", "[\"larger\"]", &format!("schema = \"more\"\ntable = \"Cells \\\"2\\\"\"{COLUMNS}")),
    ];
    let bench = Bench::start(World::Generated { size: 300 }, &format!("{QUERIES}{}", feeds.concat())).await;
    tables::point_to(&bench, &server.url("postgres"));
    for night in 0..30 {
        bench.control.set_day(bench.control.day() + 3);
        bench.sync().await;
        let words = written(&bench, false).await;
        assert!(!words.contains('!'), "{words}");
        for feed in &bench.settings.warehouses {
            assert_equal(&bench, &server, "postgres", feed).await;
        }
        if night % 10 == 9 {
            assert_eq!(written(&bench, false).await, "0 0 0", "the same again writes nothing");
        }
    }
    let gone =
        server.number("postgres", "SELECT count(*) FROM organizations WHERE gone_at IS NOT NULL").await;
    let returned = bench.number("SELECT count(*) FROM changes WHERE kind = 'entered'").await;
    assert!(gone > 5 && returned > 5, "{gone} gone, {returned} came again");
    for feed in &bench.settings.warehouses {
        let own =
            server.number("postgres", &format!("SELECT count(*) FROM {}", tables::organizations(feed))).await;
        assert!(own > 50, "{own}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_values_come_through() {
    let Some(server) = Server::start().await else { return };
    let long = "ä\t".repeat(700_000);
    let names = [
        "=cmd|'/c calc'!A0",
        "say \"hi\" \\N \\. \\",
        "two\r\nlines\ttab",
        "a\0b",
        "😀",
        "+358 40",
        "",
        &long,
    ];
    let rows = names.iter().enumerate().map(|(index, name)| {
        let number = ["12345678901234567890.10", "1e400", "1E999999", "-0.0", "null"][index % 5];
        let name = serde_json::to_string(name).unwrap();
        format!(
            "{{\"business_id\":\"FI'{index}\\\\\",\"name\":{name},\"staff_number\":{number},\"business_units\":[{{\"\\u0000k\": {number}}}]}}"
        )
    });
    let feeds = [
        feed("documents", "[\"all\"]", DOCUMENTS),
        feed("cells", "[\"all\"]", &format!("table = \"cells\"{COLUMNS}")),
    ];
    let queries = named("all", r#"["name", "staff_number", "business_units"]"#);
    let bench = Bench::with_rows(rows, &format!("{queries}{}", feeds.concat())).await;
    tables::point_to(&bench, &server.url("postgres"));
    bench.sync().await;
    assert_eq!(bench.members("all").await.len(), 8);
    assert_eq!(written(&bench, false).await, "8 8");
    for feed in &bench.settings.warehouses {
        assert_equal(&bench, &server, "postgres", feed).await;
    }
    let staff: Vec<(Option<String>,)> =
        server.rows("postgres", "SELECT \"Staff\" FROM cells ORDER BY business_id LIMIT 5").await;
    let staff: Vec<_> = staff.iter().map(|(staff,)| staff.as_deref()).collect();
    assert_eq!(staff, [Some("12345678901234567890.10"), Some("1e400"), Some("1E999999"), Some("-0.0"), None]);
    let lacking = "SELECT count(*) FROM organizations WHERE document IS NULL";
    assert_eq!(server.number("postgres", lacking).await, 2, "numbers that numeric can't hold");
    let nul: Vec<(String,)> = server
        .rows("postgres", "SELECT document->>'name' FROM organizations WHERE business_id LIKE 'FI''3%'")
        .await;
    assert_eq!(nul[0].0, "a\u{fffd}b");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_tell_of_tables() {
    let Some(server) = Server::start().await else { return };
    let queries = format!("{}{}", named("all", r#"["name"]"#), feed("warehouse", "[\"all\"]", DOCUMENTS));
    let bench = Bench::with_rows([row("FI1", "a"), row("FI2", "b")], &queries).await;
    tables::point_to(&bench, &server.url("postgres"));
    let before = vainu_sync(&bench, &["status"]).await;
    assert!(before.out.contains("feed warehouse: nothing in public.organizations yet\n"), "{}", before.out);
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert!(
        sync.out.ends_with("\nfeed warehouse: 2 rows into public.organizations\n"),
        "{}{}",
        sync.out,
        sync.err
    );
    assert_eq!(sync.code, Some(0));
    let again = vainu_sync(&bench, &["feed"]).await;
    assert_eq!(again.out, "feed warehouse: nothing new for public.organizations\n");
    server.run("postgres", "UPDATE organizations SET document_text = 'spoilt'").await;
    let whole = vainu_sync(&bench, &["feed", "warehouse", "--snapshot"]).await;
    assert_eq!(whole.out, "feed warehouse: 2 rows into public.organizations\n");
    assert_equal(&bench, &server, "postgres", &bench.settings.warehouses[0]).await;
    let status = vainu_sync(&bench, &["status"]).await;
    assert!(status.out.contains("feed warehouse: public.organizations, 2 rows; written "), "{}", status.out);
    let json = vainu_sync(&bench, &["status", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&json["feeds"][0]["table"], &json["feeds"][0]["rows"]),
        (&"public.organizations".into(), &2.into())
    );
    let check = vainu_sync(&bench, &["check"]).await;
    assert!(check.out.contains("feeds.warehouse.url_file") && !check.out.contains("s3cret"), "{}", check.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_mapping_adds_columns_and_takes_none_away() {
    let Some(server) = Server::start().await else { return };
    let queries = |rest: &str| format!("{QUERIES}{}", feed("warehouse", BOTH, rest));
    let mut bench =
        Bench::start(World::Generated { size: 60 }, &queries("[feeds.columns]\nA = \"name\"")).await;
    tables::point_to(&bench, &server.url("postgres"));
    bench.sync().await;
    written(&bench, false).await;
    server.run("postgres", "ALTER TABLE organizations ADD COLUMN own text DEFAULT 'mine'; CREATE VIEW seen AS SELECT \"A\", own FROM organizations; CREATE INDEX ON organizations (own)").await;
    for (round, lines) in [
        "[feeds.columns]\nA = \"name\"\nB = \"staff_number\"",
        "[feeds.columns]\nB = \"name\"",
        DOCUMENTS,
        "removals = \"delete\"\n[feeds.columns]\nB = \"business_units[].visiting_address.city\"",
        "[feeds.columns]\nA = \"staff_number\"\nB = \"name\"",
    ]
    .into_iter()
    .enumerate()
    {
        bench.configure("", &queries(lines));
        if round % 2 == 1 {
            bench.control.set_day(bench.control.day() + 5);
            bench.sync().await;
        }
        assert_ne!(written(&bench, false).await, "0", "{lines}");
        let feed = &bench.settings.warehouses[0];
        assert_present(&bench, &server, "postgres", feed).await;
        assert_eq!(written(&bench, false).await, "0", "{lines}");
    }
    let columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'organizations'";
    assert_eq!(server.number("postgres", columns).await, 10);
    assert!(server.number("postgres", "SELECT count(*) FROM seen WHERE own = 'mine'").await > 30);
    // Another query of the feed: its part of the log is sent too.
    bench.configure(
        "",
        &format!(
            "{QUERIES}{}",
            feed("warehouse", "[\"larger\"]", "[feeds.columns]\nA = \"staff_number\"\nB = \"name\"")
        ),
    );
    written(&bench, false).await;
    assert_equal(&bench, &server, "postgres", &bench.settings.warehouses[0]).await;
    let none = "SELECT count(*) FROM organizations_memberships WHERE query = 'all'";
    assert_eq!(server.number("postgres", none).await, 0);
    let _ = fs::metadata(bench.store_path()).unwrap();
}
