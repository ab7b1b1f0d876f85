//! The status page's words.

use jiff::Timestamp;

use super::{Served, read};
use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::until;
use vainu_sync::sandbox::{Endpoint, Fault};

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_not_there_yet_is_shown_as_queries_without_a_run() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let served = Served::of(&bench, Timestamp::now).await;
    for path in ["/", "/queries/all"] {
        let (status, page) = read(served.address, path).await;
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("No success yet") && page.contains("none yet"), "{page}");
        assert!(!page.contains("on time"), "nobody knows that yet: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_is_not_called_on_time() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let served = Served::of(&bench, Timestamp::now).await;
    bench.control.fail_always(Endpoint::Organizations, Fault::status(400));
    bench.sync().await;
    let title = async || {
        let (_, page) = read(served.address, "/").await;
        page.split_once("<title>").unwrap().1.split_once(" ·").unwrap().0.to_owned()
    };
    until("a failed first run is seen", async || title().await.contains("1 of 1 query wants a look")).await;
    bench.control.heal();
    bench.sync().await;
    until("its success is seen", async || title().await == "The query is on time").await;
    let path = bench.store_path();
    std::fs::rename(&path, path.with_extension("gone")).unwrap();
    until("the store is missed", async || title().await == "The store can't be read").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_query_is_shown_with_the_command_that_lets_it_through() {
    let bench = Bench::with_rows(numbered(100), ALL_OF_FI).await;
    bench.sync().await;
    bench.control.set_rows("FI", numbered(50));
    bench.sync().await;
    let served = Served::of(&bench, Timestamp::now).await;
    for path in ["/", "/queries/all"] {
        let (_, page) = read(served.address, path).await;
        assert!(page.contains("<code>vainu-sync sync all --accept</code>"), "{page}");
        assert!(page.contains(" of 100 members or more would leave"), "{page}");
        assert!(page.contains("Members over the last 2 runs: from 100 to 100"), "{page}");
        assert!(page.contains("Changes in the last 2 runs: 100 created, 0 entered, 0 updated, 0 left; 1 runs did not succeed"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_errors_from_elsewhere_are_text_and_nothing_else() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.sync().await;
    let names = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "a/b?c#d",
        "'\u{202e}x",
        "back\\slash\nline",
    ];
    for name in names {
        let name = name.replace('\'', "''");
        bench
            .write(&format!(
                "INSERT INTO _queries (name, database, definition, owned_keys, first_seen_at) \
                 VALUES ('{name}', 'FI', 'x', '[\"business_id\"]', '2026-01-01T00:00:00.000Z'); \
                 INSERT INTO runs (query, mode, fetch, started_at, finished_at, status, error) VALUES \
                 ('{name}', 'full', 'pages', '<b>', '2026-01-01T00:00:00.000Z', 'failed', '</td><script src=//x></script>{name}')"
            ))
            .await;
    }
    let served = Served::of(&bench, Timestamp::now).await;
    let (status, page) = read(served.address, "/").await;
    assert_eq!(status, 200);
    for tag in ["<script", "<img", "<b>", "onerror=\"", "\u{202e}"] {
        assert!(!page.contains(tag), "{tag}: {page}");
    }
    let links: Vec<&str> =
        page.split("href=\"/queries/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(links.len() > names.len(), "{links:?}");
    for link in links {
        let (status, page) = read(served.address, &format!("/queries/{link}")).await;
        assert_eq!(status, 200, "{link}");
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    }
    let (_, metrics) = read(served.address, "/metrics").await;
    super::alerts::promtool(&["check", "metrics"], Some(&metrics)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_company_is_shown_also_where_an_error_quotes_an_answer() {
    let mut bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.configure("retry_for = \"100ms\"", ALL_OF_FI);
    bench.sync().await;
    let broken = br#"[{"business_id":"FI00001","name":"Secret `Oy`","staff_number":NaN}]"#;
    bench.control.fail_always(Endpoint::Organizations, Fault::body(broken));
    bench.sync().await;
    let error = bench.texts("SELECT error FROM runs WHERE status = 'failed'").await.remove(0);
    assert!(error.contains("Secret"), "it is the store's to tell: {error}");
    let served = Served::of(&bench, Timestamp::now).await;
    for path in ["/", "/queries/all", "/metrics"] {
        let (_, page) = read(served.address, path).await;
        for word in ["Secret", "FI00001", "Company 1", &bench.sandbox.refresh_token()] {
            assert!(!page.contains(word), "{word}: {page}");
        }
        assert!(path == "/metrics" || page.contains("not JSON at byte"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_turned_page_by_page_to_its_first_run() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.sync().await;
    bench
        .write(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 119) \
             INSERT INTO runs (query, mode, fetch, started_at, finished_at, status, fetched) \
             SELECT 'all', 'full', 'pages', '2026-01-01T00:00:00.000Z', '2026-01-01T00:03:12.000Z', 'succeeded', n FROM n",
        )
        .await;
    let served = Served::of(&bench, Timestamp::now).await;
    let (mut path, mut runs, mut pages) = ("/queries/all".to_owned(), 0, 0);
    loop {
        let (_, page) = read(served.address, &path).await;
        runs += page.matches("<td class=\"time\">").count();
        pages += 1;
        assert!(page.contains("3 min 12 s"), "{page}");
        let Some(older) = page.split("\">Older runs").next().filter(|_| page.contains("Older runs")) else {
            break;
        };
        older.rsplit('"').next().unwrap().clone_into(&mut path);
    }
    assert_eq!((pages, runs), (3, 120));
    until("the page is there", async || read(served.address, "/queries/nobody").await.0 == 404).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_damaged_is_said_on_every_page() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    std::fs::write(bench.store_path(), "this is no store, and long enough to be looked at").unwrap();
    let served = Served::of(&bench, Timestamp::now).await;
    let (status, page) = read(served.address, "/").await;
    assert_eq!(status, 200);
    assert!(page.contains("The store can't be read") && page.contains("not a store of vainu-sync"), "{page}");
    assert_eq!(read(served.address, "/queries/all").await.0, 503);
    assert_eq!(read(served.address, "/readyz").await.0, 503);
    assert_eq!(read(served.address, "/healthz").await.0, 200);
    let samples = super::metrics::samples(served.address).await;
    assert_eq!(samples["vainu_sync_ready"], "0");
}
