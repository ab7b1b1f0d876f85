//! Where the daemon listens: a port that is taken, another address, a listener that dies.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rustix::net::Shutdown;
use tokio::net::TcpListener;
use vainu_sync::observe::http::{Listener, Site};
use vainu_sync::observe::vitals::{Setup, Vitals};

use super::read;
use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::life::{Service, until_succeeded};
use crate::program::{signal, until, vainu_sync, vainu_sync_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_said_once_keeps_no_run_and_is_had_once_it_is_free() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    bench.listen(&address.to_string());
    let service = Service::start(&bench);
    until_succeeded(&bench, "all", 1).await;
    let log = service.log();
    for words in ["another program listens there", "set http.listen to another", "the runs go on"] {
        assert_eq!(log.matches(words).count(), 1, "{words}: {log}");
    }
    drop(other);
    assert_eq!(service.address().await, address);
    assert_eq!(read(address, "/healthz").await.0, 200);
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_moves_the_listener_or_turns_it_off() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    let (service, first) = Service::listening(&bench).await;
    until_succeeded(&bench, "all", 1).await;
    bench.listen("");
    signal(&service.child, "HUP");
    until("it listens no more", async || TcpStream::connect(first).is_err()).await;
    bench.listen("127.0.0.2:0");
    signal(&service.child, "HUP");
    until("it listens elsewhere", async || service.log().contains("127.0.0.2:")).await;
    let second = service.address().await;
    assert_eq!(second.ip().to_string(), "127.0.0.2");
    assert_eq!(read(second, "/healthz").await.0, 200);
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_dies_is_replaced() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.listen("127.0.0.1:0");
    let settings = {
        let mut settings = bench.settings.clone();
        settings.http.listen = Some("127.0.0.1:0".parse().unwrap());
        Arc::new(settings)
    };
    let vitals = Arc::new(Vitals::new(Setup { settings, client: bench.client() }, Timestamp::now()));
    let sockets: Arc<Mutex<Vec<std::net::TcpListener>>> = Arc::default();
    let made = Arc::clone(&sockets);
    let bind = move |address: SocketAddr| {
        let made = Arc::clone(&made);
        async move {
            let socket = TcpListener::bind(address).await?.into_std()?;
            made.lock().unwrap().push(socket.try_clone()?);
            TcpListener::from_std(socket)
        }
    };
    let listener = Listener::binding(Site::new(vitals, Arc::new(Timestamp::now)), bind);
    let address = |which: usize| {
        let sockets = sockets.lock().unwrap();
        sockets.get(which).map(|socket| socket.local_addr().unwrap())
    };
    until("it listens", async || address(0).is_some()).await;
    assert_eq!(read(address(0).unwrap(), "/healthz").await.0, 200);
    rustix::net::shutdown(&sockets.lock().unwrap()[0], Shutdown::Both).unwrap();
    until("it listens again", async || address(1).is_some()).await;
    assert_eq!(read(address(1).unwrap(), "/healthz").await.0, 200);
    let last = address(1).unwrap();
    listener.stop();
    sockets.lock().unwrap().clear();
    until("it stops", async || TcpStream::connect(last).is_err()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lets_others_reach_the_listener_is_told_by_check() {
    let bench = Bench::with_rows([], ALL_OF_FI).await;
    for (listen, noted) in [
        ("0.0.0.0:9464", true),
        ("[::]:9464", true),
        ("192.0.2.1:9464", true),
        ("127.0.0.1:9464", false),
        ("[::1]:9464", false),
        ("", false),
    ] {
        bench.listen(listen);
        let check = vainu_sync(&bench, &["check"]).await;
        assert_eq!(check.code, Some(0), "{}", check.err);
        assert_eq!(check.out.contains("without a password"), noted, "{listen}: {}", check.out);
        assert!(!check.out.contains("no effect in this version"), "{}", check.out);
    }
    let variable = [("VAINU_SYNC_HTTP__LISTEN", "0.0.0.0:1")];
    let check = vainu_sync_with(&bench, &variable, &["check"]).await;
    assert!(check.out.contains("VAINU_SYNC_HTTP__LISTEN: http.listen is 0.0.0.0:1"), "{}", check.out);
}
