use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::guard::{self, Reach};
use super::{health, page};
use crate::observe::metrics;
use crate::observe::sight::{Sight, Watcher};
use crate::observe::vitals::Vitals;

/// How long one look may take; a store on a disk that hangs must not collect requests.
const PATIENCE: Duration = Duration::from_secs(20);

/// The clock that pages go by.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What is served, and what it is made from.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

struct Inner {
    vitals: Arc<Vitals>,
    clock: Clock,
    watcher: Arc<Mutex<Watcher>>,
}

impl Site {
    #[must_use]
    pub fn new(vitals: Arc<Vitals>, clock: Clock) -> Self {
        Self(Arc::new(Inner { vitals, clock, watcher: Arc::default() }))
    }

    pub(super) fn vitals(&self) -> &Vitals {
        &self.0.vitals
    }

    /// The pages. They answer to names only that nobody else may have; on loopback to this machine's own.
    pub fn router(&self, loopback: bool) -> Router {
        let reach = if loopback { Reach::Loopback } else { Reach::Others };
        Router::new()
            .route("/", get(page::overview))
            .route("/queries/{name}", get(page::query))
            .route("/style.css", get(page::style))
            .route("/healthz", get(health::healthz))
            .route("/readyz", get(health::readyz))
            .route("/metrics", get(metrics))
            .fallback(page::nowhere)
            .with_state(self.clone())
            .layer(from_fn(guard::reading_only))
            .layer(from_fn_with_state((self.clone(), reach), guard::known_names_only))
            .layer(from_fn(guard::with_headers))
    }

    /// How things stand.
    ///
    /// # Errors
    /// If it takes too long to see.
    pub(super) async fn sight(&self) -> Result<Arc<Sight>, Slow> {
        let look = async {
            let mut watcher = Arc::clone(&self.0.watcher).lock_owned().await;
            let site = self.clone();
            // In a task of its own: one that hangs keeps the others from hanging beside it.
            let look = tokio::spawn(async move {
                let (setup, trouble) = (site.vitals().setup(), site.vitals().trouble());
                watcher.look(&setup.settings, trouble, (site.0.clock)()).await
            });
            look.await.map_err(|_| Slow)
        };
        timeout(PATIENCE, look).await.map_err(|_| Slow)?
    }

    /// Whether the store can be written; why not.
    pub(super) async fn readiness(&self) -> Result<(), String> {
        let sight = self.sight().await.map_err(|slow| slow.to_string())?;
        sight.unready.clone().map_or(Ok(()), Err)
    }
}

/// The store did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("the store did not answer within {} s: its disk may hang", PATIENCE.as_secs())]
pub struct Slow;

impl IntoResponse for Slow {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, format!("{self}\n")).into_response()
    }
}

async fn metrics(State(site): State<Site>) -> Result<impl IntoResponse, Slow> {
    let sight = site.sight().await?;
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::text(site.vitals(), sight)))
}
