//! Serves connections, within limits: none may keep a place for long, nor all of them take what the runs need.

mod guests;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::io::Errno;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::error;

use self::guests::Guests;

/// How long a request's head may take to come.
const HEAD_TIME: Duration = Duration::from_secs(3);

/// How long a connection lives, from its first byte to the last one of its answer.
const LIFE: Duration = Duration::from_secs(30);

/// The longest head of a request, in bytes.
const HEAD_SIZE: usize = 16 * 1024;

/// A connection that breaks off before it is let in is no trouble of the listener; this many in a row are.
const FAILURES: u32 = 20;

/// How long is waited before another connection is let in after a failure.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

/// The same, where the system has nothing left for it.
const AFTER_SHORTAGE: Duration = Duration::from_millis(500);

/// A shortage is said again after this at the earliest.
const SAY_AGAIN: Duration = Duration::from_hours(1);

/// Serves until no connection can be let in any more; why.
pub async fn serve(listener: TcpListener, router: Router) -> io::Error {
    // Whoever drops this ends them all.
    let mut connections = JoinSet::new();
    let mut guests = Guests::default();
    let (mut failures, mut said) = (0, None);
    loop {
        let accepted = listener.accept().await;
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                failures = 0;
                let (router, has_asked) = (router.clone(), Arc::<AtomicBool>::default());
                let asked = Arc::clone(&has_asked);
                let task = connections.spawn(async move {
                    let _ = timeout(LIFE, connection(stream, router, asked)).await;
                });
                guests.let_in(task, has_asked);
            }
            Err(error) if is_shortage(&error) => {
                say(&error, &mut said);
                sleep(AFTER_SHORTAGE).await;
            }
            Err(error) => {
                failures += 1;
                if failures == FAILURES {
                    return error;
                }
                sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// Whether the system has nothing left to let a connection in with: another listener would have as little.
fn is_shortage(error: &io::Error) -> bool {
    let shortages = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    error.raw_os_error().is_some_and(|code| shortages.contains(&Errno::from_raw_os_error(code)))
}

fn say(error: &io::Error, said: &mut Option<Instant>) {
    if said.is_none_or(|at: Instant| at.elapsed() > SAY_AGAIN) {
        error!(
            %error,
            "no connection to health, metrics and status page can be let in until others end, and the runs go on: if \
             this goes on, find out who opens so many, or allow the program more files (LimitNOFILE, ulimit -n)"
        );
        *said = Some(Instant::now());
    }
}

/// One request and its answer; `has_asked` tells that the head of the request has come. What the peer does wrong is its
/// own trouble.
async fn connection(stream: TcpStream, router: Router, has_asked: Arc<AtomicBool>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_SIZE).keep_alive(false);
    let pages = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        has_asked.store(true, Ordering::Relaxed);
        pages.call(request)
    });
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}
