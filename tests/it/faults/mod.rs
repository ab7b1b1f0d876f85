//! Each kind of fault at each kind of request, once passing and once lasting. What came of it is
//! `docs/faults.md`, which this test writes (`VAINU_SYNC_WRITE_DOCS=1`) and compares.

mod cell;
mod document;
mod heard;
mod kinds;
mod said;

use futures_util::stream::{self, StreamExt as _};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use vainu_sync::store::Status;
use wiremock::MockServer;

use self::cell::{Cell, Given, Outcome, Stored, before, first_query};
use self::kinds::{At, Kind};
use crate::bench::Bench;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/faults.md");

/// Cells under way at once: most of their time they wait.
const AT_ONCE: usize = 24;

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_at_every_request_ends_as_docs_faults_md_says_and_the_next_run_makes_it_good() {
    let elsewhere = MockServer::start().await;
    let stores = stores().await;
    let given = Given { stores: stores.path().to_owned(), elsewhere: elsewhere.uri() };
    let cells = stream::iter(all_cells()).map(|cell| {
        let (runtime, given) = (Handle::current(), given.clone());
        let running = spawn_blocking(move || runtime.block_on(cell.run(given)));
        async move { (cell, running.await) }
    });
    let (mut outcomes, mut wrong) = (Vec::new(), Vec::new());
    for (cell, outcome) in cells.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
        match outcome {
            Ok(outcome) => {
                wrong.extend(judge(cell, &outcome).map(|what| format!("{cell:?}: {what}: {outcome:?}")));
                outcomes.push((cell, outcome));
            }
            Err(panic) => wrong.push(format!("{cell:?}: {panic}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for request in elsewhere.received_requests().await.unwrap() {
        let is_download = request.url.path() == "/Download" && !request.headers.contains_key("authorization");
        assert!(is_download, "{request:?}");
    }
    let document = document::render(&outcomes);
    if std::env::var_os("VAINU_SYNC_WRITE_DOCS").is_some() {
        std::fs::write(DOCUMENT, &document).unwrap();
    }
    let committed = std::fs::read_to_string(DOCUMENT).unwrap_or_default();
    let differs = committed.lines().zip(document.lines()).find(|(committed, found)| committed != found);
    assert!(committed == document, "docs/faults.md (VAINU_SYNC_WRITE_DOCS=1 writes it anew): {differs:#?}");
}

fn all_cells() -> Vec<Cell> {
    let kinds = || Kind::all().into_iter().flat_map(|kind| [false, true].map(|lasts| (kind, lasts)));
    let cells = At::ALL.into_iter().flat_map(|at| kinds().map(move |(kind, lasts)| Cell { kind, at, lasts }));
    cells.collect()
}

/// A store in order, listed by pages, and one listed by export.
async fn stores() -> TempDir {
    let stores = TempDir::new().unwrap();
    for (name, by_export) in [("pages", false), ("export", true)] {
        let bench = Bench::with_rows(before(), &first_query(by_export)).await;
        assert_eq!(bench.sync_one().await.status, Status::Succeeded);
        let to = stores.path().join(name);
        std::fs::create_dir(&to).unwrap();
        for file in ["vainu.db", "vainu.db-wal", "vainu.db-shm"] {
            std::fs::copy(bench.folder.path().join(file), to.join(file)).unwrap();
        }
    }
    stores
}

/// What is wrong with an outcome, whatever the document says.
fn judge(cell: Cell, outcome: &Outcome) -> Option<&'static str> {
    let succeeded = outcome.status == Status::Succeeded;
    if succeeded != (outcome.exit == 0) {
        return Some("status and exit code contradict each other");
    }
    if outcome.is_gone_left && !succeeded {
        return Some("somebody left in a run that did not succeed");
    }
    if succeeded && outcome.stored != Stored::All {
        return Some("a success that lacks something");
    }
    if cell.lasts { judge_lasting(cell, outcome) } else { judge_passing(cell, outcome) }
}

fn judge_passing(cell: Cell, outcome: &Outcome) -> Option<&'static str> {
    let Cell { kind, at, .. } = cell;
    // Of these what is refused is asked otherwise, or done without.
    let is_dispensable = matches!(at, At::Count | At::CountAgain | At::Catalogue | At::Confirmation);
    let is_final = kind.is_refusal() || (at.is_token() && kind == Kind::Status(401));
    match outcome.status {
        Status::Succeeded if is_final && at.is_token() => Some("a refusal was overlooked"),
        Status::Succeeded if !is_final && !outcome.is_gone_left => Some("who is gone did not leave"),
        Status::Succeeded => None,
        _ if is_final && !is_dispensable => None,
        _ => Some("a passing fault failed the run"),
    }
}

fn judge_lasting(cell: Cell, outcome: &Outcome) -> Option<&'static str> {
    let Cell { kind, at, .. } = cell;
    let told = |words: &str| outcome.warnings.iter().any(|warning| warning.message.contains(words));
    let done_without = match at {
        At::Count | At::CountAgain => (!kind.is_hopeless()).then_some("no count"),
        At::Confirmation if kind == Kind::OtherList => Some("departures can't be asked for"),
        At::Catalogue => Some("no catalogue"),
        At::Confirmation => kind.is_refusal().then_some("departures can't be asked for"),
        _ => None,
    };
    match (done_without, &outcome.error) {
        (Some(words), None) => (!told(words)).then_some("it does not say what it did without"),
        (Some(_), Some(_)) => Some("it fails for something that it can do without"),
        (None, None) => Some("a lasting fault was overlooked"),
        // It came to an end, which was not that of the listing.
        (None, Some(_)) if outcome.status == Status::Incomplete => None,
        (None, Some(error)) if !error.contains(at.path()) => Some("the error does not name the request"),
        (None, Some(error)) => {
            // What is said in place of a token or of a file may hold a secret.
            let is_quoted =
                kind.has_words() && !at.is_token() && at != At::Download && kind != Kind::Status(401);
            (is_quoted && !error.contains("the server's words")).then_some("the server's words are not told")
        }
    }
}
