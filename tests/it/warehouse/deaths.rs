//! Either side dies at any moment; what was not committed there has not happened.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use vainu_sync::feed::FeedError;
use vainu_sync::sandbox::World;

use super::server::Server;
use super::tables::{DOCUMENTS, assert_equal, feed, point_to, write_tables, written};
use super::{BOTH, COLUMNS, QUERIES};
use crate::bench::Bench;
use crate::feed_kills::kill_feeds;
use crate::histories::until_death;
use crate::kills;

fn feeds() -> String {
    let cells = format!("table = \"cells\"\nremovals = \"delete\"{COLUMNS}");
    format!("{QUERIES}{}{}", feed("documents", BOTH, DOCUMENTS), feed("cells", BOTH, &cells))
}

async fn assert_all(bench: &Bench, server: &Server) {
    for feed in &bench.settings.warehouses {
        assert_equal(bench, server, "postgres", feed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_at_any_await_is_caught_up() {
    let Some(server) = Server::start().await else { return };
    let bench = Bench::start(World::Generated { size: 120 }, &feeds()).await;
    point_to(&bench, &server.url("postgres"));
    let mut ended = 0;
    for round in 0..60_u64 {
        if round % 4 == 0 {
            bench.control.set_day(bench.control.day() + 3);
            bench.sync().await;
        }
        let stop = CancellationToken::new();
        let dying = until_death(Box::pin(write_tables(&bench, round % 7 == 0, &stop)), round * 41 % 400 + 1);
        ended += usize::from(dying.await.is_some());
        if round % 10 == 9 {
            assert!(!written(&bench, false).await.contains('!'));
            assert_all(&bench, &server).await;
        }
    }
    assert!(ended < 50, "{ended} passes met no death");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_loses_nothing_and_doubles_nothing() {
    let Some(mut server) = Server::start().await else { return };
    let bench = Bench::start(World::Generated { size: 600 }, &feeds()).await;
    point_to(&bench, &server.url("postgres"));
    let mut failed = 0;
    for round in 0..12_u64 {
        bench.control.set_day(bench.control.day() + 3);
        bench.sync().await;
        let crashing = async {
            tokio::time::sleep(Duration::from_millis(round * 53 % 400)).await;
            server.crash();
        };
        let (words, ()) = tokio::join!(written(&bench, round % 2 == 0), crashing);
        failed += usize::from(words.contains('!'));
        assert!(!words.contains("s3cret"), "{words}");
        server.start_again().await;
        let words = written(&bench, false).await;
        assert!(!words.contains('!'), "{words}");
        assert_all(&bench, &server).await;
    }
    assert!(failed > 3, "only {failed} crashes met a pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_is_caught_up() {
    let Some(server) = Server::start().await else { return };
    let bench = Bench::start(World::Generated { size: 2000 }, &feeds()).await;
    point_to(&bench, &server.url("postgres"));
    kill_feeds(&bench, kills::wanted(20), |kill| kill * 67 % 700, || ()).await;
    assert_all(&bench, &server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_leaves_nothing_behind() {
    let Some(server) = Server::start().await else { return };
    let bench = Bench::start(World::Generated { size: 50 }, &feeds()).await;
    point_to(&bench, &server.url("postgres"));
    bench.sync().await;
    let stop = CancellationToken::new();
    stop.cancel();
    let reports = write_tables(&bench, false, &stop).await;
    assert!(matches!(reports[0].outcome, Err(FeedError::Stopped)));
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(server.number("postgres", tables).await, 0);
    assert!(!written(&bench, false).await.contains('!'));
    assert_all(&bench, &server).await;
}
