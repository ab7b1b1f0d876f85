//! `POST /v3/organizations/`

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::aggregate::Aggregation;
use super::asked::Asked;
use super::project::{Fields, Nulls, project};
use super::refusal::Refusal;
use super::select::{Selected, select};
use super::state::{Inner, Shared};
use super::switches::{AboveCap, Absent, Shape, Switches};
use super::world::{Language, Snapshot};

/// Rows of a page whose request gives no limit, as the API's search has it.
const DEFAULT_LIMIT: usize = 20;

/// What an answer is rendered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    JsonLines,
}

/// One request's way of writing a row.
#[derive(Clone)]
pub struct Renderer {
    pub fields: Fields,
    pub aggregations: Vec<Aggregation>,
    pub nulls: Nulls,
    pub language: Language,
}

/// One page.
pub async fn list(
    State(shared): State<Arc<Shared>>,
    Query(parameters): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let format = Format::asked(&parameters, "format", &headers)?;
    let asked = Asked::parse(&body, &shared.lock())?;
    let selected = select(&shared, &asked)?;
    let plan = Plan::new(&mut shared.lock(), &asked, selected.positions.len())?;
    let rows = plan.rows(&selected, &Renderer::new(&asked, &shared.lock().switches, &headers));
    Ok(match format {
        Format::JsonLines => text("application/jsonlines", rows.join("\n")),
        Format::Json => text("application/json", plan.envelope(&rows, &shared.base_url)),
    })
}

fn text(content_type: &'static str, body: String) -> Response {
    ([(header::CONTENT_TYPE, content_type)], body).into_response()
}

impl Format {
    /// The format that a query parameter asks for, else `Accept`.
    pub fn asked(
        parameters: &HashMap<String, String>,
        name: &str,
        headers: &HeaderMap,
    ) -> Result<Self, Refusal> {
        if parameters.keys().any(|key| key != name) {
            return Err(Refusal::bad_request(
                "Include the parameters only in either the GET request or the POST payload, not both",
            ));
        }
        match parameters.get(name).map(String::as_str) {
            Some("json") => Ok(Self::Json),
            Some("jsonl") => Ok(Self::JsonLines),
            Some(other) => {
                Err(Refusal::bad_request(format!("the sandbox renders json and jsonl, not {other}")))
            }
            None if accepts_lines(headers) => Ok(Self::JsonLines),
            None => Ok(Self::Json),
        }
    }
}

fn accepts_lines(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("application/jsonlines"))
}

impl Renderer {
    pub fn new(asked: &Asked, switches: &Switches, headers: &HeaderMap) -> Self {
        let nulls = if switches.absent == Absent::Missing { Nulls::Dropped } else { Nulls::Kept };
        let (fields, aggregations) = (asked.fields.clone(), asked.aggregations.clone());
        Self { fields, aggregations, nulls, language: language(headers) }
    }

    /// The row at `position` as it goes out.
    pub fn render(&self, snapshot: &Snapshot, position: u32) -> String {
        let row = snapshot.row(position, self.language);
        let row = self.aggregations.iter().fold(row, |row, aggregation| aggregation.apply(&row).into());
        let nulls = if matches!(snapshot, Snapshot::Fixed(_)) { Nulls::Kept } else { self.nulls };
        let mut out = String::with_capacity(row.len());
        project(&row, &self.fields, nulls, &mut out);
        out
    }
}

fn language(headers: &HeaderMap) -> Language {
    let accepted =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match accepted.get(..2) {
        Some("fi") => Language::Finnish,
        Some("sv") => Language::Swedish,
        _ => Language::English,
    }
}

/// Which rows of the selection a page holds, and in what it is wrapped.
struct Plan {
    window: Range<usize>,
    /// How far the rows are turned round; 0 leaves their order.
    turn: usize,
    shape: Shape,
    count: i64,
    /// The offset of the next page, where there is one and it is told.
    next: Option<usize>,
}

impl Plan {
    fn new(inner: &mut Inner, asked: &Asked, total: usize) -> Result<Self, Refusal> {
        let limit = limit(asked.limit, &inner.switches)?;
        inner.pages += 1;
        let switches = &inner.switches;
        let is_short =
            switches.short_page_every.is_some_and(|every| inner.pages.is_multiple_of(u64::from(every.get())));
        let limit = if is_short { limit.div_ceil(2) } else { limit };
        let start = asked.offset.min(total);
        let window = start..start.saturating_add(limit).min(total);
        let next = (switches.next && window.end < total).then_some(window.end);
        let turns = usize::try_from(inner.pages).unwrap_or(0).wrapping_mul(7);
        let turn = if switches.unstable && asked.order.is_none() { turns } else { 0 };
        Ok(Self { window, turn, shape: switches.shape, count: switches.lie(total), next })
    }

    fn rows(&self, selected: &Selected, renderer: &Renderer) -> Vec<String> {
        let positions = &selected.positions;
        let turned = |index: usize| positions[(index + self.turn) % positions.len()];
        self.window.clone().map(|index| renderer.render(&selected.snapshot, turned(index))).collect()
    }

    fn envelope(&self, rows: &[String], base_url: &str) -> String {
        let rows = rows.join(",");
        let key = match self.shape {
            Shape::Array => return format!("[{rows}]"),
            Shape::Result => "result",
            Shape::Results => "results",
        };
        let next = self
            .next
            .map_or("null".to_owned(), |offset| format!(r#""{base_url}/v3/organizations/?offset={offset}""#));
        format!(r#"{{"{key}":[{rows}],"count":{},"next":{next}}}"#, self.count)
    }
}

fn limit(asked: Option<usize>, switches: &Switches) -> Result<usize, Refusal> {
    let asked = asked.unwrap_or(DEFAULT_LIMIT);
    let cap = switches.page_cap.and_then(|cap| usize::try_from(cap).ok()).unwrap_or(usize::MAX);
    if asked > cap && switches.above_cap == AboveCap::Refused {
        return Err(Refusal::bad_request(format!(
            "limit: Ensure this value is less than or equal to {cap}."
        )));
    }
    Ok(asked.min(cap))
}
