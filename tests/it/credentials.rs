//! Credentials as they come to a service: in files that are replaced, in variables that are empty, or not at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use vainu_sync::sandbox::{Endpoint, Fault};

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::{Ended, program, signal, to_its_end, until, vainu_sync};

/// A bench whose file has these lines in `[auth]`, and nothing else of a credential.
async fn bench_with(auth: &str) -> Bench {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let text = format!("[api]\nbase_url = \"{}\"\n[auth]\n{auth}\n{ALL_OF_FI}", bench.sandbox.base_url());
    fs::write(bench.folder.path().join("config.toml"), text).unwrap();
    bench
}

fn write_token(bench: &Bench, name: &str, bytes: &[u8]) {
    let path = bench.folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

async fn run_with(bench: &Bench, args: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = program(bench.folder.path());
    command.args(args).envs(variables.iter().copied());
    to_its_end(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_and_line_ends_around_a_token_are_no_part_of_it() {
    let bench = bench_with("refresh_token_file = \"refresh-token\"").await;
    let token = format!("\u{feff}{}\r\n", bench.sandbox.refresh_token());
    write_token(&bench, "refresh-token", token.as_bytes());
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert_eq!((sync.code, bench.members("all").await.len()), (Some(0), 5), "{}{}", sync.out, sync.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_system_lays_out_is_taken_and_a_folder_in_its_place_is_told() {
    let bench = bench_with("").await;
    fs::create_dir(bench.folder.path().join("credentials")).unwrap();
    let laid_out = [("CREDENTIALS_DIRECTORY", "credentials")];
    write_token(&bench, "credentials/refresh-token", bench.sandbox.refresh_token().as_bytes());
    assert_eq!(run_with(&bench, &["sync"], &laid_out).await.code, Some(0));
    fs::remove_file(bench.folder.path().join("credentials/refresh-token")).unwrap();
    fs::create_dir(bench.folder.path().join("credentials/refresh-token")).unwrap();
    let sync = run_with(&bench, &["sync"], &laid_out).await;
    assert_eq!(sync.code, Some(78), "{}", sync.err);
    assert!(sync.err.contains("credentials/refresh-token is a directory"), "{}", sync.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_asks_the_api_nothing_needs_no_credential() {
    for (auth, noted) in [
        ("", "no credential: set refresh_token_file"),
        ("client_id = \"me\"", "client_id is set (config.toml:4), but its secret is not"),
        ("refresh_token_file = \"none\"", "none: there is no such file"),
        ("refresh_token_file = \"empty\"", "empty is empty"),
        ("refresh_token_file = \"folder\"", "folder is a directory"),
    ] {
        let bench = bench_with(auth).await;
        write_token(&bench, "empty", b"");
        fs::create_dir(bench.folder.path().join("folder")).unwrap();
        let variables = [("VAINU_SYNC_AUTH__REFRESH_TOKEN_FILE", "refresh-token")];
        write_token(&bench, "refresh-token", bench.sandbox.refresh_token().as_bytes());
        let sync = run_with(&bench, &["sync"], &variables).await;
        assert_eq!(sync.code, Some(0), "{}", sync.err);
        for args in
            [&["status"][..], &["changes"], &["check"], &["backup", "copy.db"], &["completions", "bash"]]
        {
            let ended = vainu_sync(&bench, args).await;
            assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{auth}: {args:?}");
        }
        let check = vainu_sync(&bench, &["check"]).await;
        assert!(
            check.out.lines().any(|line| line.starts_with("note: ") && line.contains(noted)),
            "{}",
            check.out
        );
        for args in [&["sync"][..], &["check", "--online"]] {
            let ended = vainu_sync(&bench, args).await;
            assert_eq!((ended.code, ended.err.contains(noted)), (Some(78), true), "{args:?}: {}", ended.err);
        }
        assert_eq!(bench.control.hits(Endpoint::Token), 1, "nothing was asked without a credential");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_can_not_be_read_any_more_fails_runs_that_say_so_until_it_can() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let text = format!(
        "[api]\nbase_url = \"{}\"\n[auth]\nrefresh_token_file = \"refresh-token\"\n{ALL_OF_FI}retry_run_after = \"1s\"\n",
        bench.sandbox.base_url()
    );
    fs::write(bench.folder.path().join("config.toml"), text).unwrap();
    write_token(&bench, "refresh-token", bench.sandbox.refresh_token().as_bytes());
    let token = bench.folder.path().join("refresh-token");
    bench.control.fail(Endpoint::Organizations, Fault::status(403), 1);
    bench.control.on_request(Endpoint::Organizations, 1, {
        let token = token.clone();
        move |control| {
            fs::remove_file(&token).unwrap();
            fs::create_dir(&token).unwrap();
            control.revoke_tokens();
        }
    });
    let mut daemon = program(bench.folder.path()).arg("run").stderr(Stdio::null()).spawn().unwrap();
    let errors = async || bench.texts("SELECT coalesce(error, status) FROM runs ORDER BY id").await;
    until("a run could not read it", async || {
        vainu_sync(&bench, &["status"]).await.out.contains("refresh-token is a directory")
    })
    .await;
    fs::remove_dir(&token).unwrap();
    write_token(&bench, "refresh-token", bench.sandbox.refresh_token().as_bytes());
    until("a run succeeded", async || errors().await.last().unwrap() == "succeeded").await;
    signal(&daemon, "TERM");
    let code = tokio::task::spawn_blocking(move || daemon.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(0));
    assert_eq!(bench.members("all").await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_variable_hides_no_credential_and_is_a_value_elsewhere() {
    let bench = bench_with("refresh_token_file = \"refresh-token\"").await;
    write_token(&bench, "refresh-token", bench.sandbox.refresh_token().as_bytes());
    let mut empty = vec![
        ("VAINU_SYNC_AUTH__REFRESH_TOKEN", ""),
        ("VAINU_JWT_REFRESH_TOKEN", ""),
        ("VAINU_SYNC_HTTP__LISTEN", ""),
    ];
    let sync = run_with(&bench, &["sync"], &empty).await;
    assert_eq!((sync.code, bench.members("all").await.len()), (Some(0), 5), "{}", sync.err);
    let check = run_with(&bench, &["check"], &empty).await;
    for told in [
        "auth.refresh_token_file = \"refresh-token\"  [config.toml:4]",
        "http.listen = \"\"  [VAINU_SYNC_HTTP__LISTEN]",
    ] {
        assert!(check.out.contains(told), "{told}: {}", check.out);
    }
    assert!(!check.out.contains("note: "), "{}", check.out);
    empty.push(("VAINU_SYNC_API__BASE_URL", ""));
    for command in ["check", "sync", "status"] {
        let ended = run_with(&bench, &[command], &empty).await;
        assert_eq!((ended.code, ended.out.as_str()), (Some(78), ""), "{command}");
        let told =
            ended.err.strip_prefix("vainu-sync: VAINU_SYNC_API__BASE_URL: api.base_url: \"\" is no address");
        assert!(told.is_some_and(|rest| rest.lines().count() == 1), "{}", ended.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_file_that_is_replaced_serves_the_next_run_of_a_daemon_that_was_never_restarted() {
    let bench =
        bench_with("refresh_token_file = \"refresh-token\"\n[defaults]\nretry_run_after = \"1s\"").await;
    write_token(&bench, "refresh-token", bench.sandbox.refresh_token().as_bytes());
    bench.control.on_request(Endpoint::Organizations, 1, |control| {
        control.revoke_tokens();
        control.revoke_refresh_tokens();
    });
    let mut daemon = program(bench.folder.path()).arg("run").stderr(Stdio::null()).spawn().unwrap();
    let stands = async |told: &str| {
        bench.store_path().exists() && vainu_sync(&bench, &["status", "--json"]).await.out.contains(told)
    };
    until("a run has failed for its token", async || stands("get a new refresh token").await).await;
    write_token(&bench, "new", bench.sandbox.refresh_token().as_bytes());
    fs::rename(bench.folder.path().join("new"), bench.folder.path().join("refresh-token")).unwrap();
    until("a run has succeeded", async || stands("\"status\":\"succeeded\"").await).await;
    assert_eq!(bench.members("all").await.len(), 5);
    signal(&daemon, "TERM");
    let code = tokio::task::spawn_blocking(move || daemon.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(0), "it is the daemon that was started with the old token");
}
