//! `/healthz` and `/readyz`: one line each, for whoever restarts services or asks before it relies on one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::Site;

/// Whether the daemon's loop goes round.
pub async fn healthz(State(site): State<Site>) -> impl IntoResponse {
    let vitals = site.vitals();
    if vitals.is_alive() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    let seconds = vitals.silence().as_secs();
    let words = format!(
        "the daemon has not looked who is due for {seconds} s: it hangs; restart it and look at its log\n"
    );
    (StatusCode::SERVICE_UNAVAILABLE, words)
}

/// Whether the store is there, has the present schema and can be written.
pub async fn readyz(State(site): State<Site>) -> impl IntoResponse {
    match site.readiness().await {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}
