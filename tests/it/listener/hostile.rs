//! Requests that mean no good, or are broken. The runs go on.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use reqwest::Method;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;
use vainu_sync::sandbox::{Endpoint, Fault};

use super::{get, read, request};
use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::life::{Service, until_succeeded};
use crate::program::{program, signal, until};

/// What comes back for these bytes until the listener closes.
fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    // It may close before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

async fn status_of(address: SocketAddr, bytes: &[u8]) -> String {
    let bytes = bytes.to_vec();
    let answer = tokio::task::spawn_blocking(move || raw(address, &bytes)).await.unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_loopback_only_this_machines_own_names_are_answered() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let (service, address) = Service::listening(&bench).await;
    for path in ["/", "/metrics", "/healthz", "/readyz", "/style.css", "/queries/all", "/nowhere"] {
        for host in [
            "evil.example",
            "evil.example:9464",
            "localhost.evil.example",
            "192.168.1.1",
            "localhost@evil.example",
        ] {
            let asked = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            assert_eq!(status_of(address, asked.as_bytes()).await, "421", "{asked}");
        }
    }
    for asked in [
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n",
    ] {
        let status = status_of(address, asked.as_bytes()).await;
        assert!(["421", "400"].contains(&status.as_str()), "{status}: {asked}");
    }
    for host in ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:9464"] {
        let asked = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(status_of(address, asked.as_bytes()).await, "200", "{host}");
    }
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_loopback_a_name_is_answered_that_nobody_else_may_have_or_that_the_configuration_names() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let path = bench.folder.path().join("config.toml");
    bench.listen("0.0.0.0:0");
    let service = Service::start(&bench);
    let address = SocketAddr::from(([127, 0, 0, 1], service.address().await.port()));
    let status = async |host: &str| {
        status_of(address, format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await
    };
    for host in ["192.168.1.1:9464", "vainu-sync:9464", "localhost"] {
        assert_eq!(status(host).await, "200", "{host}");
    }
    assert_eq!(status_of(address, b"GET /healthz HTTP/1.0\r\n\r\n").await, "200", "no browser asks so");
    for host in ["evil.example", "status.example.com:9464"] {
        assert_eq!(status(host).await, "421", "{host}");
    }
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("listen =", "hosts = [\"status.example.com\"]\nlisten =")).unwrap();
    signal(&service.child, "HUP");
    until("it answers to that name", async || status("status.example.com:9464").await == "200").await;
    assert_eq!(status("evil.example").await, "421");
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_get_and_head_are_answered_and_every_answer_is_closed_to_other_sites() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let (service, address) = Service::listening(&bench).await;
    until_succeeded(&bench, "all", 1).await;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH, Method::TRACE] {
        for path in ["/", "/metrics", "/nowhere"] {
            let answer = request(method.clone(), address, path).send().await.unwrap();
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["allow"]),
                (405, &"GET, HEAD".parse().unwrap())
            );
        }
    }
    let head = request(Method::HEAD, address, "/").send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap()), (200, String::new()));
    for (path, status) in
        [("/", 200), ("/style.css", 200), ("/metrics", 200), ("/nowhere", 404), ("/queries/no", 404)]
    {
        let answer = get(address, path).await;
        assert_eq!(answer.status().as_u16(), status, "{path}");
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        for part in ["default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "form-action 'none'"]
        {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
    }
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_and_broken_requests_are_refused_and_the_next_one_is_answered() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let (service, address) = Service::listening(&bench).await;
    until_succeeded(&bench, "all", 1).await;
    let long = "x".repeat(200_000);
    let many = "X: y\r\n".repeat(5000);
    for (case, asked) in [
        ("a long header", format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n")),
        ("a long path", format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n")),
        ("many headers", format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n")),
        ("no HTTP", "\u{16}\u{3}\u{1}\u{2}\0\u{1}hello\r\n\r\n".to_owned()),
        ("a broken escape", "GET /queries/%FF%C0 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
        ("no number", "GET /queries/all?before=1e9 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
    ] {
        let status = status_of(address, asked.as_bytes()).await;
        assert!(["431", "400", "414", "404", "200", ""].contains(&status.as_str()), "{case}: {status}");
        assert_eq!(read(address, "/healthz").await.0, 200, "{case}");
    }
    let endless = "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\nabc";
    assert_eq!(status_of(address, endless.as_bytes()).await, "200", "the body is not waited for");
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_that_say_nothing_keep_neither_the_runs_nor_the_page() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.control.fail(Endpoint::Organizations, Fault::retry_after(429, "2"), 1);
    let (service, address) = Service::listening(&bench).await;
    until("a run is under way", async || bench.control.hits(Endpoint::Organizations) > 0).await;
    let mut held = JoinSet::new();
    for n in 0..1000 {
        held.spawn(async move {
            // What the kernel does not let in waits before the door: it is one of the thousand too.
            let mut stream = tokio::net::TcpStream::connect(address).await?;
            if n % 2 == 0 {
                stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ").await?;
            }
            std::future::pending::<std::io::Result<()>>().await
        });
    }
    until_succeeded(&bench, "all", 1).await;
    for path in ["/healthz", "/"] {
        assert_eq!(read(address, path).await.0, 200, "beside all of them");
    }
    drop(held);
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_may_open_no_more_files_says_so_once_and_answers_when_it_may() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.listen("127.0.0.1:0");
    let log = bench.folder.path().join("log");
    let daemon = program(bench.folder.path());
    let mut command = std::process::Command::new("prlimit");
    command
        .arg("--nofile=64")
        .arg(daemon.get_program())
        .arg("run")
        .current_dir(bench.folder.path())
        .env_clear();
    let child = match command.stderr(std::fs::File::create(&log).unwrap()).spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("skipped: prlimit can't be run ({error})");
            return;
        }
    };
    let service = Service { child, log };
    let address = service.address().await;
    until_succeeded(&bench, "all", 1).await;
    let held: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
    until("it says so", async || service.log().contains("no connection to health")).await;
    for _ in 0..3 {
        until("those that say nothing are let go", async || {
            request(Method::GET, address, "/healthz").send().await.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
    }
    drop(held);
    let log = service.log();
    assert_eq!(log.matches("no connection to health").count(), 1, "{log}");
    assert!(log.contains("LimitNOFILE") && !log.contains("the listener died"), "{log}");
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_sends_its_request_slowly_is_let_go() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let (service, address) = Service::listening(&bench).await;
    let ended = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).is_ok() || answer.is_empty()
    });
    assert!(ended.await.unwrap(), "the listener closes it by itself");
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn open_connections_do_not_keep_the_daemon_from_ending() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let (service, address) = Service::listening(&bench).await;
    until_succeeded(&bench, "all", 1).await;
    let mut held: Vec<TcpStream> = (0..10).map(|_| TcpStream::connect(address).unwrap()).collect();
    for stream in &mut held {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
    }
    let log = service.log.clone();
    assert_eq!(service.stop().await, Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("daemon stopped") && !log.contains("could not end in time"), "{log}");
}
