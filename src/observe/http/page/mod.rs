//! The status page: numbers, times and names of queries; never anything of a company. It needs no script.

mod drawing;
mod feeds;
mod front;
mod history;
mod layout;
mod state;
mod words;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use maud::html;

use self::layout::layout;
use super::Site;
use crate::observe::sight::Sight;
use crate::store::{Run, Status, Store, StoreError};

/// Runs on one page of a history.
const RUNS: u32 = 50;

/// `/`
pub async fn overview(State(site): State<Site>) -> Response {
    match site.sight().await {
        Ok(sight) => front::page(site.vitals(), &sight).into_response(),
        Err(slow) => trouble(&slow.to_string()),
    }
}

/// `/queries/NAME`, with `?before=RUN` for what is older.
pub async fn query(
    State(site): State<Site>,
    Path(name): Path<String>,
    RawQuery(asked): RawQuery,
) -> Response {
    let sight = match site.sight().await {
        Ok(sight) => sight,
        Err(slow) => return trouble(&slow.to_string()),
    };
    let before = asked.as_deref().and_then(|asked| asked.strip_prefix("before=")?.parse().ok());
    match find(&site, &sight, &name, before).await {
        Ok(Some(page)) => page,
        Ok(None) => nowhere().await,
        Err(error) => trouble(&error),
    }
}

async fn find(
    site: &Site,
    sight: &Sight,
    name: &str,
    before: Option<i64>,
) -> Result<Option<Response>, String> {
    let seen = sight.seen.as_ref().map_err(Clone::clone)?;
    let Some(standing) = seen.overview.queries.iter().find(|standing| standing.query == name) else {
        return Ok(None);
    };
    let mut runs = runs(site, name, before).await.map_err(|error| error.to_string())?;
    let is_dead = |run: &Run| {
        run.is(Status::Running)
            && standing.runs.iter().any(|known| known.id == run.id && known.is(Status::Interrupted))
    };
    runs.iter_mut().filter(|run| is_dead(run)).for_each(Run::show_dead);
    let history = history::History { standing, runs: &runs, before, is_full: runs.len() == RUNS as usize };
    Ok(Some(history.page(sight.at).into_response()))
}

async fn runs(site: &Site, name: &str, before: Option<i64>) -> Result<Vec<Run>, StoreError> {
    let settings = site.vitals().setup().settings;
    let Some(mut store) = Store::open_if_there(&settings.store.path).await? else { return Ok(Vec::new()) };
    let runs = store.runs_before(name, before.unwrap_or(i64::MAX), RUNS).await?;
    store.close().await?;
    Ok(runs)
}

/// Every other path.
pub async fn nowhere() -> Response {
    let words = html! {
        h1 { "Nothing is here" }
        p { "There is a page for each query: see " a href="/" { "the overview" } "." }
    };
    (StatusCode::NOT_FOUND, layout("Nothing is here", None, &words)).into_response()
}

fn trouble(reason: &str) -> Response {
    let words = html! {
        h1 { "The store can't be read" }
        p.error { (words::tame(reason)) }
    };
    (StatusCode::SERVICE_UNAVAILABLE, layout("The store can't be read", None, &words)).into_response()
}

/// `/style.css`
pub async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css"))
}
