//! Which handler answers which path.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::connection::{Line, Lines};
use super::gate::{self, Gate};
use super::state::Shared;
use super::{Endpoint, admin, auth, catalogue, count, export, lists, organizations};

/// How long a client that does not read its answer holds up the end.
const GRACE: Duration = Duration::from_secs(1);

/// Answers until the sandbox is stopped.
pub async fn serve(api: TcpListener, storage: TcpListener, shared: Arc<Shared>) {
    let downloads = Router::new()
        .route("/exports/{id}", gated(&shared, Endpoint::Download, get(export::download)))
        .with_state(Arc::clone(&shared));
    let stop = shared.stop.clone();
    tokio::join!(answer(api, router(shared), stop.clone()), answer(storage, downloads, stop));
}

async fn answer(listener: TcpListener, router: Router, stop: CancellationToken) {
    let stopped = stop.clone();
    let service = router.into_make_service_with_connect_info::<Line>();
    let server = axum::serve(Lines(listener), service);
    tokio::select! {
        // axum's accept loop reports no errors.
        _ = server.with_graceful_shutdown(stop.cancelled_owned()) => {}
        () = async {
            stopped.cancelled().await;
            tokio::time::sleep(GRACE).await;
        } => {}
    }
}

fn gated(
    shared: &Arc<Shared>,
    endpoint: Endpoint,
    handler: MethodRouter<Arc<Shared>>,
) -> MethodRouter<Arc<Shared>> {
    let gate = Gate { shared: Arc::clone(shared), endpoint };
    handler.route_layer(from_fn_with_state(gate, gate::pass))
}

fn router(shared: Arc<Shared>) -> Router {
    let gated = |endpoint, handler| gated(&shared, endpoint, handler);
    let api = Router::new()
        .route("/token_authentication/refresh/", gated(Endpoint::Token, post(auth::refresh)))
        .route("/oauth/token/", gated(Endpoint::OAuthToken, post(auth::oauth)))
        .route("/v3/organizations/", gated(Endpoint::Organizations, post(organizations::list)))
        .route("/v3/organizations/count/", gated(Endpoint::Count, post(count::count)))
        .route("/v3/organizations/async/", gated(Endpoint::ExportSubmit, post(export::submit)))
        .route("/v3/organizations/async/{id}/", gated(Endpoint::ExportPoll, get(export::poll)))
        .route("/v3/organizations_fields/", gated(Endpoint::Catalogue, get(catalogue::fields)))
        .route("/v3/lists/organizations/", gated(Endpoint::Lists, get(lists::all)))
        .route("/v3/lists/organizations/{id}/", gated(Endpoint::Lists, get(lists::one)));
    Router::new().nest("/api", api).nest("/sandbox", admin::router()).with_state(shared)
}
