//! What a user types, reads, and gets as an exit code.

use std::fs;
use std::process::Stdio;

use vainu_sync::sandbox::{Endpoint, Fault};

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::{bash, ended, program, signal, vainu_sync};

#[tokio::test(flavor = "multi_thread")]
async fn sync_prints_a_line_for_each_query() {
    let bench = Bench::with_rows(numbered(1234), ALL_OF_FI).await;
    let first = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert!(first.out.starts_with("all: succeeded: 1,234 companies, 1,234 created ("), "{}", first.out);
    let second = vainu_sync(&bench, &["sync", "all", "--json"]).await;
    let line: serde_json::Value = serde_json::from_str(&second.out).unwrap();
    assert_eq!((&line["status"], &line["unchanged"]), (&"succeeded".into(), &1234.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_no_query_has_is_a_usage_error_that_tells_the_names() {
    let bench = Bench::with_rows([], ALL_OF_FI).await;
    let ended = vainu_sync(&bench, &["sync", "al"]).await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("no query \"al\"") && ended.err.contains("there are: all"), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_and_changes_tell_what_was_synced() {
    let bench = Bench::with_rows(numbered(3), ALL_OF_FI).await;
    let before = vainu_sync(&bench, &["status"]).await;
    assert_eq!(
        (before.code, before.out.contains("never ran to its end yet")),
        (Some(0), true),
        "{}",
        before.err
    );
    assert_eq!(vainu_sync(&bench, &["status", "--max-age", "26h"]).await.code, Some(1));
    vainu_sync(&bench, &["sync"]).await;
    let status = vainu_sync(&bench, &["status", "--json", "--max-age", "26h"]).await;
    assert_eq!(status.code, Some(0));
    let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["queries"][0]["members"], 3);
    assert_eq!(status["queries"][0]["last_run"]["status"], "succeeded");
    let changes = vainu_sync(&bench, &["changes", "--json", "--since", "1", "--limit", "1"]).await;
    let change: serde_json::Value = serde_json::from_str(&changes.out).unwrap();
    assert_eq!((&change["seq"], &change["kind"]), (&2.into(), &"created".into()));
    assert_eq!(change["after"]["business_id"], change["business_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_ends_a_command_quietly() {
    let bench = Bench::with_rows(numbered(3000), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    for pipe in ["changes --json | head -1", "status | true", "completions bash | head -1"] {
        let program = program(bench.folder.path());
        let script = format!("set -o pipefail; {} {pipe}", program.get_program().display());
        let ended = bash(&bench, &script).await;
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{pipe}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nothing_is_asked_and_the_message_says_where_to_get_one() {
    let bench = Bench::with_rows([], ALL_OF_FI).await;
    let path = bench.folder.path().join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    let without: Vec<&str> = text.lines().filter(|line| !line.starts_with("refresh_token")).collect();
    fs::write(&path, without.join("\n")).unwrap();
    let ended = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(ended.code, Some(78));
    assert!(
        ended.err.contains("no credential") && ended.err.contains("Vainu's user interface"),
        "{}",
        ended.err
    );
    assert_eq!(bench.control.hits(Endpoint::Token), 0);
    assert!(!bench.store_path().exists());
    for command in ["status", "check"] {
        assert_eq!(vainu_sync(&bench, &[command]).await.code, Some(0), "{command} asks the API nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_77_after_one_request_and_says_where_to_get_another() {
    let queries = format!("{ALL_OF_FI}{}", ALL_OF_FI.replace("\"all\"", "\"other\""));
    let bench = Bench::with_rows([], &queries).await;
    bench.control.fail_always(Endpoint::Token, Fault::status(400));
    let ended = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(ended.code, Some(77));
    assert!(ended.out.contains("get a new refresh token in Vainu's user interface"), "{}", ended.out);
    assert!(ended.out.contains("other: not run: the credentials are refused"), "{}", ended.out);
    assert_eq!(bench.control.hits(Endpoint::Token), 1);
    let daemon = vainu_sync(&bench, &["run"]).await;
    assert_eq!(daemon.code, Some(77), "{}", daemon.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_is_down_is_75_and_the_run_failed() {
    let mut bench = Bench::with_rows(numbered(20), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    bench.configure("retry_for = \"200ms\"", ALL_OF_FI);
    bench.control.fail_always(Endpoint::Count, Fault::Reset);
    bench.control.fail_always(Endpoint::Organizations, Fault::Reset);
    let ended = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(ended.code, Some(75), "{}", ended.out);
    assert_eq!(bench.texts("SELECT status FROM runs ORDER BY id").await, ["succeeded", "failed"]);
    assert_eq!(bench.members("all").await.len(), 20);
    bench.control.heal();
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_serves_until_it_is_told_to_stop() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::TempDir::new().unwrap();
    let mut sandbox = program(folder.path())
        .args(["sandbox", "--port", "0", "--size", "100000"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(sandbox.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("http://127.0.0.1:"), "{line}");
    signal(&sandbox, "INT");
    assert_eq!(sandbox.wait().unwrap().code(), Some(0));
}

#[test]
fn demo_shows_two_nights_and_leaves_a_store() {
    let folder = tempfile::TempDir::new().unwrap();
    let demo = ended(program(folder.path()).args(["demo", "--size", "1000"]).output().unwrap());
    assert_eq!((demo.code, demo.err.as_str()), (Some(0), ""));
    let feeds = folder.path().join("vainu-demo/feeds");
    for file in ["crm-00000001.csv", "crm-00000002.csv", "crm-latest.json"] {
        assert!(feeds.join(file).exists() && demo.out.contains(file), "{file}: {}", demo.out);
    }
    for told in ["First night", "second night", "changed", "vainu-demo/vainu.db", "status", "changes --limit"]
    {
        assert!(demo.out.contains(told), "{told}: {}", demo.out);
    }
    let mut status = program(folder.path());
    let status = ended(status.args(["--config", "vainu-demo/config.toml", "status"]).output().unwrap());
    assert_eq!(status.code, Some(0));
    assert!(status.out.contains("growing-companies: ok"), "{}", status.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_queries_is_said() {
    let bench = Bench::with_rows([], "").await;
    for command in ["sync", "run"] {
        let ended = vainu_sync(&bench, &[command]).await;
        assert_eq!(ended.code, Some(78));
        assert!(ended.err.contains("add a [[queries]] table"), "{}", ended.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_keeps_no_query_from_running() {
    let queries = format!("{ALL_OF_FI}{}", ALL_OF_FI.replace("\"all\"", "\"other\""));
    let bench = Bench::with_rows(numbered(5), &queries).await;
    let script = format!("{} sync | true; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_vainu-sync"));
    let ended = bash(&bench, &script).await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(bench.texts("SELECT query FROM runs WHERE status = 'succeeded'").await, ["all", "other"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_query_does_not_read_as_no_changes() {
    let bench = Bench::with_rows(numbered(1), ALL_OF_FI).await;
    vainu_sync(&bench, &["sync"]).await;
    let ended = vainu_sync(&bench, &["changes", "--query", "al"]).await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("there are: all"), "{}", ended.err);
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = tempfile::TempDir::new().unwrap();
    let man = |folder: &str| ended(program(&std::env::temp_dir()).args(["man", folder]).output().unwrap());
    assert_eq!(man(folder.path().to_str().unwrap()).code, Some(0));
    let page = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let program_page = page("vainu-sync.1");
    assert!(
        program_page.contains("vainu\\-sync\\-status(1)") && program_page.contains("77 the credentials"),
        "{program_page}"
    );
    assert!(page("vainu-sync-status.1").contains("max\\-age"));
    assert!(!folder.path().join("vainu-sync-man.1").exists(), "it is for packages, not for people");
    let nowhere = man("/no/such/folder");
    assert_eq!(nowhere.code, Some(1));
    assert!(nowhere.err.contains("/no/such/folder"), "{}", nowhere.err);
}
