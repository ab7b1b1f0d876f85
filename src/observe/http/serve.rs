//! Serves connections, within limits: none may keep a place for long, nor all of them take what the runs need.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Connections at once; others wait until they are let in.
const CONNECTIONS: usize = 128;

/// How long a request's head may take to come.
const HEAD_TIME: Duration = Duration::from_secs(3);

/// How long a connection lives, from its first byte to the last one of its answer.
const LIFE: Duration = Duration::from_secs(30);

/// The longest head of a request, in bytes.
const HEAD_SIZE: usize = 16 * 1024;

/// A connection that breaks off before it is let in is no trouble of the listener; this many in a row are.
const FAILURES: u32 = 20;

/// Serves until no connection can be let in any more; why.
pub async fn serve(listener: TcpListener, router: Router) -> io::Error {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    // Whoever drops this ends them all.
    let mut connections = JoinSet::new();
    let mut failures = 0;
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("it is never closed");
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                failures = 0;
                let router = router.clone();
                connections.spawn(async move {
                    let _place = place;
                    let _ = timeout(LIFE, connection(stream, router)).await;
                });
            }
            Err(error) => {
                failures += 1;
                if failures == FAILURES {
                    return error;
                }
                // As when there are no file descriptors left: that may be over soon.
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// One request and its answer. What the peer does wrong is its own trouble.
async fn connection(stream: TcpStream, router: Router) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_SIZE).keep_alive(false);
    let _ = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await;
}
