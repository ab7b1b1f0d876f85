//! Exports: `POST /v3/organizations/async/`, polls of the job's `link`, and the download, which another origin
//! serves.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::asked::Asked;
use super::jwt;
use super::organizations::{Format, Renderer};
use super::refusal::Refusal;
use super::select::{Selected, select};
use super::state::{Inner, Shared};
use super::switches::Switches;

/// Jobs remembered; a sandbox that runs for days must not grow.
const KEPT: usize = 32;

/// Rows rendered at once.
const BATCH: usize = 500;

/// The export jobs.
#[derive(Default)]
pub struct Exports {
    jobs: BTreeMap<u64, Job>,
    submitted: u64,
    links_given: u64,
}

struct Job {
    content: Content,
    created: Timestamp,
    started: Instant,
    polls_left: u32,
    finished: Option<(Timestamp, Duration)>,
    /// The tokens of its download links, each with its end.
    links: HashMap<String, Instant>,
}

/// What a download holds: the rows as they were at the submission.
#[derive(Clone)]
struct Content {
    selected: Selected,
    window: Range<usize>,
    renderer: Renderer,
    format: Format,
}

/// Takes a job on.
pub async fn submit(
    State(shared): State<Arc<Shared>>,
    Query(parameters): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let format = Format::asked(&parameters, "async_format", &headers)?;
    let asked = Asked::parse(&body, &shared.lock())?;
    let selected = select(&shared, &asked)?;
    let mut inner = shared.lock();
    let window = window(&asked, &inner.switches, selected.positions.len());
    let renderer = Renderer::new(&asked, &inner.switches, &headers);
    let number = take_on(&mut inner, Content { selected, window, renderer, format });
    let link = link(&shared, number);
    Ok(Json(json!({ "link": link, inner.switches.export_state_key: "accepted", "id": id(number) })))
}

fn window(asked: &Asked, switches: &Switches, total: usize) -> Range<usize> {
    let start = asked.offset.min(total);
    let cap = switches.export_cap.and_then(|cap| usize::try_from(cap).ok()).unwrap_or(usize::MAX);
    let rows = asked.limit.unwrap_or(usize::MAX).min(cap);
    start..start.saturating_add(rows).min(total)
}

fn take_on(inner: &mut Inner, content: Content) -> u64 {
    let created = inner.now();
    let polls_left = inner.switches.export_polls;
    let exports = &mut inner.exports;
    let number = exports.submitted;
    exports.submitted += 1;
    let links = HashMap::new();
    let job = Job { content, created, started: Instant::now(), polls_left, finished: None, links };
    exports.jobs.insert(number, job);
    while exports.jobs.len() > KEPT {
        exports.jobs.pop_first();
    }
    number
}

/// How far a job is.
pub async fn poll(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let mut inner = shared.lock();
    let number = number(&id).ok_or_else(Refusal::not_found)?;
    Ok(Json(inner.poll(&shared, number).ok_or_else(Refusal::not_found)?))
}

impl Inner {
    fn poll(&mut self, shared: &Shared, number: u64) -> Option<Value> {
        let now = self.now();
        let job = self.exports.jobs.get_mut(&number)?;
        if job.polls_left > 0 {
            job.polls_left -= 1;
            return Some(job.running(shared, number, self.switches.export_running));
        }
        job.finished.get_or_insert((now, job.started.elapsed()));
        let mut answer = job.ended(shared, number, self.switches.export_end);
        if self.switches.export_end == "completed" {
            let token = jwt::sign(shared.seed, &json!({ "job": number, "link": self.exports.links_given }));
            self.exports.links_given += 1;
            job.links.insert(token.clone(), Instant::now() + self.switches.download_lifetime);
            answer["download_link"] =
                format!("{}/exports/{}?token={token}", shared.storage_url, id(number)).into();
        }
        Some(answer)
    }
}

impl Exports {
    /// No download link given out so far works from now on.
    pub fn expire_links(&mut self) {
        for job in self.jobs.values_mut() {
            job.links.clear();
        }
    }

    fn content(&self, number: u64, token: &str) -> Option<Content> {
        let job = self.jobs.get(&number)?;
        let is_live = job.links.get(token).is_some_and(|end| *end > Instant::now());
        is_live.then(|| job.content.clone())
    }
}

impl Job {
    fn running(&self, shared: &Shared, number: u64, state: &str) -> Value {
        let mut answer = self.describe(shared, number, state);
        answer["progress"] = json!(50);
        answer
    }

    fn ended(&self, shared: &Shared, number: u64, state: &str) -> Value {
        let mut answer = self.describe(shared, number, state);
        answer["progress"] = json!(100);
        if let Some((finished, took)) = self.finished {
            answer["finished"] = iso(finished).into();
            answer["duration"] = took.as_secs_f64().into();
        }
        answer
    }

    fn describe(&self, shared: &Shared, number: u64, state: &str) -> Value {
        json!({
            "id": id(number),
            "job_id": id(number),
            "link": link(shared, number),
            "state": state,
            "created": iso(self.created),
            "finished": null,
            "duration": null,
        })
    }
}

/// The rows of a finished job.
pub async fn download(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(parameters): Query<HashMap<String, String>>,
) -> Result<Response, Refusal> {
    let token = parameters.get("token").map(String::as_str).unwrap_or_default();
    let content = number(&id).and_then(|number| shared.lock().exports.content(number, token));
    let content = content.ok_or_else(|| Refusal::new(StatusCode::FORBIDDEN, "The link has expired"))?;
    let content_type = match content.format {
        Format::Json => "application/json",
        Format::JsonLines => "application/jsonlines",
    };
    Ok(([(header::CONTENT_TYPE, content_type)], content.into_body()).into_response())
}

impl Content {
    /// A stream, for an export may be larger than memory.
    fn into_body(self) -> Body {
        let (open, close) = match self.format {
            Format::Json => ("[", "]"),
            Format::JsonLines => ("", ""),
        };
        let batches: Vec<Range<usize>> = self
            .window
            .clone()
            .step_by(BATCH)
            .map(|start| start..(start + BATCH).min(self.window.end))
            .collect();
        let rows = batches.into_iter().map(move |batch| self.render(batch));
        let parts = [open.to_owned()].into_iter().chain(rows).chain([close.to_owned()]);
        Body::from_stream(stream::iter(parts.map(Ok::<_, Infallible>)))
    }

    fn render(&self, batch: Range<usize>) -> String {
        let separator = if self.format == Format::Json { "," } else { "\n" };
        let is_first = batch.start == self.window.start;
        let rows = &self.selected.positions[batch];
        let rows: Vec<_> = rows.iter().map(|at| self.renderer.render(&self.selected.snapshot, *at)).collect();
        let before = if is_first { "" } else { separator };
        format!("{before}{}", rows.join(separator))
    }
}

fn link(shared: &Shared, number: u64) -> String {
    format!("{}/v3/organizations/async/{}/", shared.base_url, id(number))
}

fn id(number: u64) -> String {
    format!("{number:024x}")
}

fn number(id: &str) -> Option<u64> {
    u64::from_str_radix(id, 16).ok()
}

fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
