//! The listener: health, metrics and the status page. A sync that stops because of its status page would be worse
//! than one without: whatever happens here, the runs go on.

mod guard;
mod health;
mod page;
mod serve;
mod site;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

pub use site::Site;

/// How long it takes until an address that can't be had is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// How long it takes until a listener that died is replaced.
const REPLACE: Duration = Duration::from_secs(1);

/// Listens where the configuration says, in a task of its own, until this is dropped.
#[derive(Debug)]
pub struct Listener {
    task: JoinHandle<()>,
}

impl Listener {
    /// Begins to listen. An address that can't be had is said, and tried again for as long as it is configured.
    #[must_use]
    pub fn start(site: Site) -> Self {
        Self::binding(site, TcpListener::bind)
    }

    /// As [`Listener::start`], where `bind` takes an address.
    #[must_use]
    pub fn binding<B, F>(site: Site, bind: B) -> Self
    where
        B: Fn(SocketAddr) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<TcpListener>> + Send + 'static,
    {
        Self { task: tokio::spawn(listen(site, bind)) }
    }

    /// Stops at once; connections that are open end too.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens at one address after another: the configured one, until it is another.
async fn listen<B, F>(site: Site, bind: B)
where
    B: Fn(SocketAddr) -> F + Send + Sync,
    F: Future<Output = io::Result<TcpListener>> + Send,
{
    let mut watch = site.vitals().watch();
    loop {
        let wanted = watch.borrow_and_update().settings.http.listen;
        let changed = async {
            while watch.changed().await.is_ok() {
                if watch.borrow_and_update().settings.http.listen != wanted {
                    return;
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = changed => {}
            () = listen_at(wanted, &site, &bind) => {}
        }
    }
}

async fn listen_at<B, F>(wanted: Option<SocketAddr>, site: &Site, bind: &B)
where
    B: Fn(SocketAddr) -> F,
    F: Future<Output = io::Result<TcpListener>>,
{
    let Some(wanted) = wanted else { return std::future::pending().await };
    let mut said = None;
    loop {
        let listener = match bind(wanted).await {
            Ok(listener) => listener,
            Err(error) => {
                // Once, and again only if it is for another reason.
                if said.replace(error.kind()) != Some(error.kind()) {
                    error!(
                        address = %wanted, reason = reason(&error),
                        "health, metrics and status page can't be served and the runs go on: free the address, or set \
                         http.listen to another; it is tried again"
                    );
                }
                tokio::time::sleep(TRY_AGAIN).await;
                continue;
            }
        };
        said = None;
        info!(address = %listener.local_addr().unwrap_or(wanted), "serving health, metrics and status page");
        let error = serve::serve(listener, site.router(wanted.ip().to_canonical().is_loopback())).await;
        warn!(address = %wanted, %error, "the listener died and is replaced, the runs go on");
        tokio::time::sleep(REPLACE).await;
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "this user may not take that port: one above 1023 needs no right".to_owned()
        }
        _ => error.to_string(),
    }
}
