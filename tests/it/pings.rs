//! What a monitor that a query names is told of its runs, and what becomes of one that can't be told.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use vainu_sync::sandbox::{Endpoint, Fault};
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::{program, signal, to_its_end, until, vainu_sync, vainu_sync_with};
use crate::wire::{Authority, Proxy};

/// The part of an address that is a secret.
const SECRET: &str = "5ecr3t-1234";

struct Monitor {
    server: MockServer,
}

impl Monitor {
    async fn answering(answer: ResponseTemplate) -> Self {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        Self { server }
    }

    async fn well() -> Self {
        Self::answering(ResponseTemplate::new(200).set_body_string("OK")).await
    }

    fn queries(&self) -> String {
        format!("{ALL_OF_FI}ping_url = \"{}/{SECRET}\"\n", self.server.uri())
    }

    async fn bench(&self) -> Bench {
        Bench::with_rows(numbered(30), &self.queries()).await
    }

    /// What it was told: the path after the secret, and the text.
    async fn told(&self) -> Vec<(String, String)> {
        let requests = self.server.received_requests().await.unwrap();
        let told = requests.iter().map(|request| {
            assert_eq!(request.method.as_str(), "POST");
            for secret in ["authorization", "cookie", "referer"] {
                assert!(!request.headers.contains_key(secret), "{secret}");
            }
            let path = request.url.path().strip_prefix(&format!("/{SECRET}")).unwrap();
            (path.to_owned(), String::from_utf8(request.body.clone()).unwrap())
        });
        told.collect()
    }

    async fn paths(&self) -> Vec<String> {
        self.told().await.into_iter().map(|(path, _)| path).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_is_told_of_the_start_and_the_success_of_a_run_once() {
    let monitor = Monitor::well().await;
    let bench = monitor.bench().await;
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert_eq!((sync.code, sync.err.contains("ping")), (Some(0), false), "{}", sync.err);
    let nothing = |path: &str| (path.to_owned(), String::new());
    assert_eq!(monitor.told().await, [nothing("/start"), nothing("")]);
    assert_eq!(vainu_sync(&bench, &["sync", "--dry-run"]).await.code, Some(0));
    assert_eq!(vainu_sync(&bench, &["status"]).await.code, Some(0));
    assert_eq!(monitor.told().await.len(), 2, "a dry run is no run");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_success_is_told_as_a_failure_with_its_reason() {
    let monitor = Monitor::well().await;
    let bench = monitor.bench().await;
    vainu_sync(&bench, &["sync"]).await;
    bench.control.fail(Endpoint::Organizations, Fault::json(403, r#"{"detail":"not your database"}"#), 1);
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(1));
    bench.control.set_rows("FI", numbered(5));
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(1));
    let told = monitor.told().await;
    assert_eq!(monitor.paths().await, ["/start", "", "/start", "/fail", "/start", "/fail"]);
    assert!(told[3].1.starts_with("failed: ") && told[3].1.contains("not your database"), "{told:?}");
    assert!(told[5].1.starts_with("held: ") && told[5].1.contains("--accept"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_is_neither_a_success_nor_a_failure() {
    for command in ["sync", "run"] {
        let monitor = Monitor::well().await;
        let bench = monitor.bench().await;
        bench.control.fail_always(Endpoint::Organizations, Fault::Stall);
        let mut child = program(bench.folder.path());
        let mut child = child.arg(command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until("a page is waited for", async || bench.control.hits(Endpoint::Organizations) > 0).await;
        until("the start was told", async || !monitor.paths().await.is_empty()).await;
        signal(&child, "TERM");
        tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
        let told = monitor.told().await;
        assert_eq!(monitor.paths().await, ["/start", "/log"]);
        assert!(told[1].1.starts_with("interrupted: "), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_tells_a_monitor_too_and_never_waits_for_one() {
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_hours(1));
    let monitor = Monitor::answering(slow).await;
    let bench = monitor.bench().await;
    let log = File::create(bench.folder.path().join("log")).unwrap();
    let mut daemon = program(bench.folder.path()).arg("run").stderr(log).spawn().unwrap();
    until("a run has succeeded", async || {
        bench.store_path().exists()
            && vainu_sync(&bench, &["status", "--max-age", "1h"]).await.code == Some(0)
    })
    .await;
    until("the start is under way", async || monitor.paths().await == ["/start"]).await;
    signal(&daemon, "TERM");
    let code = tokio::task::spawn_blocking(move || daemon.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(0));
    let log = std::fs::read_to_string(bench.folder.path().join("log")).unwrap();
    assert!(log.contains("could not be delivered before the end") && log.contains("daemon stopped"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_wait_for_a_monitor_that_hangs() {
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_hours(1));
    let monitor = Monitor::answering(slow).await;
    let bench = monitor.bench().await;
    let mut command = program(bench.folder.path());
    let mut sync = command.arg("sync").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the run is done", async || {
        bench.store_path().exists()
            && vainu_sync(&bench, &["status", "--max-age", "1h"]).await.code == Some(0)
    })
    .await;
    signal(&sync, "TERM");
    let code = tokio::task::spawn_blocking(move || sync.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(0), "what was asked for is done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_that_fails_fails_no_run_is_tried_again_where_that_may_help_and_is_told_without_its_address() {
    for (answer, ends, told) in [
        (ResponseTemplate::new(500), 3, "status 500"),
        (ResponseTemplate::new(404), 1, "status 404: it knows no check at this address"),
        (ResponseTemplate::new(403), 1, "status 403"),
        (
            ResponseTemplate::new(200).set_body_string("OK (not found)"),
            1,
            "it knows no check at this address",
        ),
    ] {
        let monitor = Monitor::answering(answer).await;
        let bench = monitor.bench().await;
        let sync = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(sync.code, Some(0), "{}", sync.err);
        assert!(sync.out.starts_with("all: succeeded"), "{}", sync.out);
        let line = sync.err.lines().find(|line| line.contains("a ping could not be delivered")).unwrap();
        assert!(line.contains(told) && line.contains("\"host\":\"127.0.0.1\""), "{line}");
        assert!(!sync.err.contains(SECRET), "{}", sync.err);
        let paths = monitor.paths().await;
        assert_eq!(paths.iter().filter(|path| path.is_empty()).count(), ends, "{paths:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_that_is_down_is_told_and_fails_no_run() {
    let monitor = Monitor::well().await;
    let bench = monitor.bench().await;
    drop(monitor);
    // A server of wiremock's goes back to a pool and listens on.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let queries = format!("{ALL_OF_FI}ping_url = \"http://{closed}/{SECRET}\"\n");
    let mut bench = bench;
    bench.configure("", &queries);
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(sync.code, Some(0), "{}", sync.err);
    let line = sync.err.lines().find(|line| line.contains("a ping could not be delivered")).unwrap();
    assert!(line.contains("refused") && !sync.err.contains(SECRET), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let elsewhere = Monitor::well().await;
    let location = format!("{}/{SECRET}/moved", elsewhere.server.uri());
    let moved = ResponseTemplate::new(307).insert_header("location", location);
    let monitor = Monitor::answering(moved).await;
    let bench = monitor.bench().await;
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(sync.code, Some(0));
    assert!(sync.err.contains("a redirect is not followed: set ping_url"), "{}", sync.err);
    assert_eq!((monitor.told().await.len(), elsewhere.told().await.len()), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_overtakes_a_start_that_could_not_be_told() {
    let server = MockServer::start().await;
    let ok = ResponseTemplate::new(200);
    Mock::given(path(format!("/{SECRET}/start")))
        .respond_with(ResponseTemplate::new(503))
        .mount(&server)
        .await;
    Mock::given(method("POST")).respond_with(ok).mount(&server).await;
    let monitor = Monitor { server };
    let bench = monitor.bench().await;
    let sync = vainu_sync(&bench, &["sync"]).await;
    assert_eq!((sync.code, sync.err.contains("ping")), (Some(0), false), "{}", sync.err);
    assert_eq!(monitor.paths().await.last().unwrap(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_monitor_is_shown_nowhere() {
    let monitor = Monitor::answering(ResponseTemplate::new(404)).await;
    let bench = monitor.bench().await;
    for args in [&["sync"][..], &["check"], &["status", "--json"], &["changes", "--json"]] {
        let mut command = program(bench.folder.path());
        command
            .args(["--log", "trace,hyper=trace,hyper_util=trace,h2=trace,reqwest=trace,rustls=trace"])
            .args(args)
            .env("RUST_BACKTRACE", "full");
        let ended = to_its_end(command).await;
        assert!(!format!("{}{}", ended.out, ended.err).contains(SECRET), "{args:?}: {}", ended.err);
    }
    let store = std::fs::read(bench.store_path()).unwrap();
    assert!(!String::from_utf8_lossy(&store).contains(SECRET));
    assert!(!format!("{:?}", bench.settings).contains(SECRET));
    let check = vainu_sync(&bench, &["check"]).await;
    assert!(check.out.contains("queries.all.ping_url = (hidden)"), "{}", check.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_behind_the_proxy_of_a_company_is_reached_as_the_api_is() {
    let monitor = Monitor::well().await;
    let authority = Authority::new("ours");
    let proxy = Proxy::start(authority.server("hc.test", (2000, 2999)), *monitor.server.address()).await;
    let queries = format!("{ALL_OF_FI}ping_url = \"https://hc.test/{SECRET}\"\n");
    let mut bench = Bench::with_rows(numbered(3), ALL_OF_FI).await;
    std::fs::write(bench.folder.path().join("ca.pem"), &authority.pem).unwrap();
    bench.configure("ca_file = \"ca.pem\"", &queries);
    let url = format!("http://{}", proxy.address);
    let sync = vainu_sync_with(&bench, &[("HTTPS_PROXY", &url)], &["sync"]).await;
    assert_eq!((sync.code, sync.err.contains("ping")), (Some(0), false), "{}", sync.err);
    assert_eq!(monitor.paths().await, ["/start", ""]);
    for head in proxy.asked() {
        assert!(head.starts_with("CONNECT hc.test:443 ") && !head.contains(SECRET), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unwise_about_an_address_is_noted() {
    let one = format!("{ALL_OF_FI}ping_url = \"http://monitor.example/{SECRET}\"\n");
    let other = one.replace("\"all\"", "\"other\"");
    let bench = Bench::with_rows(numbered(3), &format!("{one}{other}")).await;
    let check = vainu_sync(&bench, &["check"]).await;
    assert_eq!(check.code, Some(0), "{}", check.err);
    for told in
        ["queries.all.ping_url: goes over http", "all, other have one ping_url, so that the success of one"]
    {
        assert!(check.out.contains(told), "{told} is not in {}", check.out);
    }
    assert!(!check.out.contains(SECRET));
}
