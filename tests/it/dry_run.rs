//! `sync --dry-run`: the same run, and nothing of it stays.

use serde_json::Value;
use vainu_sync::sandbox::{Endpoint, Fault, Rotation, World};

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::{bash, vainu_sync};

const TWO: &str = r#"
[defaults]
database = "FI"
schedule = "@daily"

[[queries]]
name = "all"
query = '{"?ALL": []}'
fields = ["name", "financial_data.revenue"]

[[queries]]
name = "large"
query = '{"?GTE": {"financial_data.revenue": 1000000}}'
fields = ["name", "website"]
"#;

/// Everything in the store, but for the locks of time.
pub async fn everything(bench: &Bench) -> Vec<String> {
    let mut dump = Vec::new();
    for table in ["organizations", "_memberships", "_changes", "runs", "rejects", "_queries", "sqlite_master"]
    {
        let columns =
            bench.texts(&format!("SELECT '\"' || name || '\"' FROM pragma_table_info('{table}')")).await;
        let row =
            columns.iter().map(|column| format!("quote({column})")).collect::<Vec<_>>().join(" || ',' || ");
        dump.extend(bench.texts(&format!("SELECT '{table} ' || {row} FROM {table}")).await);
    }
    dump
}

/// The changes among lines of JSON, without what tells when and by which run.
fn changes(lines: &str) -> Vec<Value> {
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut changes: Vec<Value> = lines.filter(|line| line.get("seq").is_some()).collect();
    for change in &mut changes {
        change.as_object_mut().unwrap().retain(|key, _| key != "at");
    }
    changes
}

#[tokio::test(flavor = "multi_thread")]
async fn it_prints_exactly_what_the_run_then_logs_and_leaves_the_store_as_it_was() {
    let bench = Bench::start(World::Generated { size: 500 }, TWO).await;
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    let last = bench.number("SELECT max(seq) FROM changes").await;
    let _ = bench.control.next_day();
    let before = everything(&bench).await;
    let told = vainu_sync(&bench, &["sync", "--dry-run", "--json"]).await;
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert_eq!(everything(&bench).await, before);
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    let logged = vainu_sync(&bench, &["changes", "--json", "--since", &last.to_string()]).await;
    let (told, logged) = (changes(&told.out), changes(&logged.out));
    assert!(told.len() > 10, "{told:?}");
    assert_eq!(told, logged);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_store_yet_there_is_none_afterwards() {
    let bench = Bench::with_rows(numbered(25), ALL_OF_FI).await;
    let told = vainu_sync(&bench, &["sync", "--dry-run"]).await;
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert!(told.out.contains("25 created") && told.out.contains("and 5 more"), "{}", told.out);
    assert_eq!(told.out.matches("\tcreated\t").count(), 20, "{}", told.out);
    let files = std::fs::read_dir(bench.folder.path()).unwrap();
    let names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let is_kept =
        |name: &String| ["config.toml", "vainu.db.lock", "vainu.db.token.lock"].contains(&name.as_str());
    assert!(names.iter().all(is_kept), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_or_is_held_is_told_as_by_the_run_itself_and_not_remembered() {
    let mut bench = Bench::with_rows(numbered(100), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    let before = everything(&bench).await;
    bench.control.set_rows("FI", numbered(50));
    let held = vainu_sync(&bench, &["sync", "--dry-run"]).await;
    assert_eq!(held.code, Some(1));
    assert!(held.out.contains("all: dry run held") && held.out.contains("--accept"), "{}", held.out);
    bench.configure("retry_for = \"20ms\"", ALL_OF_FI);
    bench.control.fail_always(Endpoint::Organizations, Fault::status(503));
    assert_eq!(vainu_sync(&bench, &["sync", "--dry-run"]).await.code, Some(75));
    assert_eq!(everything(&bench).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_was_spent_for_it_is_still_kept() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.control.switch(|switches| switches.rotation = Rotation::OldEnds);
    assert_eq!(vainu_sync(&bench, &["sync", "--dry-run"]).await.code, Some(0));
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_keeps_no_query_from_its_rehearsal() {
    let bench = Bench::start(World::Generated { size: 500 }, TWO).await;
    let program = env!("CARGO_BIN_EXE_vainu-sync");
    let script = format!("{program} sync --dry-run --json | true; exit ${{PIPESTATUS[0]}}");
    let ended = bash(&bench, &script).await;
    assert_eq!((ended.code, bench.control.hits(Endpoint::Count)), (Some(0), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn its_export_is_not_remembered_and_the_next_run_submits_its_own() {
    let bench = Bench::with_rows(numbered(20), &format!("{ALL_OF_FI}fetch = \"export\"\n")).await;
    bench.control.switch(|switches| switches.export_polls = 0);
    // Without a store, and with one.
    for (submitted, created) in [(1, 20), (3, 0)] {
        let told = vainu_sync(&bench, &["sync", "--dry-run"]).await;
        assert_eq!(told.code, Some(0), "{}", told.err);
        assert_eq!(bench.control.hits(Endpoint::ExportSubmit), submitted);
        assert!(!bench.store_path().exists() || !remembers_a_job(&bench).await);
        assert_eq!(bench.sync_one().await.numbers.created, created);
        assert_eq!(bench.control.hits(Endpoint::ExportSubmit), submitted + 1);
    }
    // Nor is one whose polls are given up on, which would be taken up again after a run.
    bench.control.fail_always(Endpoint::ExportPoll, Fault::status(403));
    assert_eq!(vainu_sync(&bench, &["sync", "--dry-run"]).await.code, Some(1));
    assert!(!remembers_a_job(&bench).await);
}

async fn remembers_a_job(bench: &Bench) -> bool {
    bench.number("SELECT export IS NOT NULL FROM _queries").await == 1
}
