//! `POST /v3/organizations/count/`

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::asked::{Asked, object};
use super::refusal::Refusal;
use super::select::select;
use super::state::{Inner, Shared};

/// How old a cached count may be that is given out unasked.
const CACHED_FOR: Duration = Duration::from_hours(24);

/// The latest count of each selection.
pub type Counts = HashMap<String, Count>;

/// A count, under way or done.
#[derive(Debug, Clone)]
pub enum Count {
    /// `answers_left` requests hear that it is under way.
    Pending {
        started: Instant,
        answers_left: u32,
    },
    Done(Done),
}

#[derive(Debug, Clone)]
pub struct Done {
    count: i64,
    at: Instant,
    time: Timestamp,
    took: Duration,
}

/// What a request says about a cached count.
struct Freshness {
    recount: bool,
    max_age: Option<Duration>,
    waits: bool,
}

/// A count, or how far it is.
pub async fn count(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let body = object(&body)?;
    if body.contains_key("order") {
        return Err(Refusal::bad_request("invalid order by value"));
    }
    let freshness = Freshness::of(&body)?;
    let asked = Asked::selection(&body, &shared.lock())?;
    let key = format!("{} {}", asked.database, asked.query);
    let started = match advance(&mut shared.lock(), &key, &freshness) {
        Step::Answer(answer) => return Ok(Json(answer)),
        Step::Compute { started } => started,
    };
    let total = select(&shared, &asked)?.positions.len();
    let mut inner = shared.lock();
    if inner.switches.count_end != "ready" {
        inner.counts.remove(&key);
        return Ok(Json(pending(inner.switches.count_end, started)));
    }
    let done = Done::now(inner.switches.lie(total), inner.now(), started);
    let answer = done.answer();
    inner.counts.insert(key, Count::Done(done));
    Ok(Json(answer))
}

enum Step {
    Answer(Value),
    Compute { started: Instant },
}

fn advance(inner: &mut Inner, key: &str, freshness: &Freshness) -> Step {
    let zero_restarts = inner.switches.zero_age_restarts;
    let answers_left = inner.switches.count_polls;
    let known = inner.counts.get_mut(key).filter(|count| !freshness.starts_anew(count, zero_restarts));
    match known {
        Some(Count::Done(done)) => Step::Answer(done.answer()),
        Some(Count::Pending { started, answers_left: left })
            if *left > 0 && answers_left > 0 && !freshness.waits =>
        {
            *left -= 1;
            Step::Answer(pending("process", *started))
        }
        Some(Count::Pending { started, .. }) => Step::Compute { started: *started },
        None if answers_left == 0 || freshness.waits => Step::Compute { started: Instant::now() },
        None => {
            let started = Instant::now();
            inner.counts.insert(key.to_owned(), Count::Pending { started, answers_left: answers_left - 1 });
            Step::Answer(pending("scheduled", started))
        }
    }
}

impl Freshness {
    fn of(body: &Map<String, Value>) -> Result<Self, Refusal> {
        let flag = |key: &str, default| body.get(key).map_or(default, |value| value == true);
        let max_age = match body.get("recount_if_cache_max_age").filter(|value| !value.is_null()) {
            None => None,
            Some(age) => Some(seconds(age)?),
        };
        Ok(Self { recount: flag("recount", false), max_age, waits: !flag("async", true) })
    }

    fn starts_anew(&self, count: &Count, zero_restarts: bool) -> bool {
        let outdated = match count {
            Count::Pending { .. } => zero_restarts && self.max_age == Some(Duration::ZERO),
            Count::Done(done) => done.at.elapsed() > self.max_age.unwrap_or(CACHED_FOR),
        };
        self.recount || outdated
    }
}

fn seconds(age: &Value) -> Result<Duration, Refusal> {
    let invalid = || Refusal::bad_request("recount_if_cache_max_age: A valid integer is required.");
    age.as_u64().map(Duration::from_secs).ok_or_else(invalid)
}

impl Done {
    fn now(count: i64, time: Timestamp, started: Instant) -> Self {
        Self { count, at: Instant::now(), time, took: started.elapsed() }
    }

    fn answer(&self) -> Value {
        json!({
            "count": self.count,
            "time": self.time.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string(),
            "status": "ready",
            "duration": self.took.as_secs_f64(),
            "rate_of_change": null,
            "eta_utc": null,
        })
    }
}

/// An answer that tells no number.
fn pending(status: &str, started: Instant) -> Value {
    json!({
        "count": null,
        "time": null,
        "status": status,
        "duration": started.elapsed().as_secs_f64(),
        "rate_of_change": null,
        "eta_utc": null,
    })
}
