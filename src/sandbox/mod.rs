//! A stand-in for Vainu's API on loopback: made-up companies that change from day to day, for trying out and
//! for tests.
//!
//! A request passes [`gate`] (journal, planned faults, bearer token), then the handler of its endpoint, which
//! parses what is [`asked`], [`select`]s the rows of a [`world`] by [`vql`], and gives each cut down to `fields`
//! by [`project`]. What Vainu's documentation leaves open is a field of [`Switches`]; what a test does while
//! the sandbox runs goes through [`Control`].
//!
//! Served below [`Sandbox::base_url`]: both token endpoints, organizations (JSON and JSON lines), count,
//! exports (their downloads from another port, as from another host), the field catalogue and saved lists. Not
//! served: CSV and Excel, unwinding, fuzzy search, signals, changing lists.
//!
//! Beside the API, at the root of the same port and without a token, for whoever runs it as a process:
//!
//! | request | does |
//! |---|---|
//! | `POST /sandbox/day` | a day passes |
//! | `POST /sandbox/revoke` | every access token ends |
//! | `POST /sandbox/fail?endpoint=organizations&status=503&times=3` | the next requests draw this status |
//! | `POST /sandbox/wait?latency_ms=300&jitter_ms=50` | how long each request waits from now on |
//! | `GET /sandbox/hits` | how many requests have come to each endpoint |
//!
//! It uses no other module of this crate, so that a misreading of the API can't agree with itself.

mod admin;
mod aggregate;
mod asked;
mod auth;
mod catalogue;
mod connection;
mod control;
mod count;
mod export;
mod faults;
mod gate;
mod journal;
mod json;
mod jwt;
mod lists;
mod options;
mod organizations;
mod project;
mod refusal;
mod routes;
mod select;
mod state;
mod switches;
mod vql;
mod world;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use control::Control;
pub use faults::{Fault, Rewrite};
pub use journal::{Endpoint, Request};
pub use lists::{Members, SavedList};
pub use options::{Options, World};
pub use switches::{
    AboveCap, Absent, AggregationKey, ExpiresIn, InFilters, Order, Rotation, Shape, Switches, UnknownField,
};

use state::Shared;

/// A running stand-in API. It stops when it is dropped.
pub struct Sandbox {
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Starts to answer on 127.0.0.1, within the current tokio runtime.
    ///
    /// # Errors
    /// If the port is taken, or a world is larger than the ids of a database.
    pub async fn start(options: Options) -> io::Result<Self> {
        options.check()?;
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
        let storage = TcpListener::bind(("127.0.0.1", 0)).await?;
        let base_url = format!("http://{}/api", listener.local_addr()?);
        let storage_url = format!("http://{}", storage.local_addr()?);
        let shared = Arc::new(Shared::new(options, base_url, storage_url));
        let server = tokio::spawn(routes::serve(listener, storage, Arc::clone(&shared)));
        Ok(Self { shared, server })
    }

    /// The base of the API, ending in `/api`.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.shared.base_url.clone()
    }

    /// The refresh token that was given out last. A sandbox of the same seed accepts it after a restart too.
    #[must_use]
    pub fn refresh_token(&self) -> String {
        self.shared.lock().tokens.refresh().to_owned()
    }

    /// The id that the OAuth endpoint accepts.
    #[must_use]
    pub fn client_id(&self) -> String {
        auth::CLIENT_ID.to_owned()
    }

    /// The secret that the OAuth endpoint accepts.
    #[must_use]
    pub fn client_secret(&self) -> String {
        jwt::secret(self.shared.seed)
    }

    /// A hand on the running sandbox.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared))
    }

    /// Stops; returns when the port is free.
    pub async fn stop(mut self) {
        self.shared.stop.cancel();
        // A server that panicked has stopped too.
        let _ = (&mut self.server).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}
