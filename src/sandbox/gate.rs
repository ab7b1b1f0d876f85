//! What every request passes before its handler, and every answer after it: the journal, what tests planned,
//! faults, and the bearer token.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};

use super::auth::bearer;
use super::connection::Line;
use super::faults::Fault;
use super::journal;
use super::refusal::Refusal;
use super::state::Shared;
use super::world::mix;
use super::{Control, Endpoint};

/// A request body larger than this is refused: far more than a query with thousands of ids.
const LARGEST_BODY: usize = 16 << 20;

/// A gate for one endpoint.
#[derive(Clone)]
pub struct Gate {
    pub shared: Arc<Shared>,
    pub endpoint: Endpoint,
}

/// Lets one request through.
pub async fn pass(
    State(gate): State<Gate>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the sandbox takes 16 MiB at most")
            .into_response();
    };
    gate.note(&parts, &body);
    let (fault, latency) = gate.prospects(&body);
    gate.wait(latency).await;
    let answer = match fault {
        Some(Fault::Answer { status, headers, body }) => made_answer(status, &headers, body),
        Some(Fault::Stall) => gate.stall(&line).await,
        Some(Fault::Reset) => {
            line.cut();
            Response::default()
        }
        fault => {
            let answer = gate.real_answer(parts, body, next).await;
            gate.spoil(answer, fault).await
        }
    };
    gate.dated(answer)
}

impl Gate {
    fn note(&self, parts: &Parts, body: &[u8]) {
        let request = journal::Request {
            endpoint: self.endpoint,
            target: parts.uri.to_string(),
            headers: parts.headers.clone(),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        let actions = self.shared.lock().journal.note(request);
        let control = Control::new(Arc::clone(&self.shared));
        for action in actions {
            action(&control);
        }
    }

    fn prospects(&self, body: &[u8]) -> (Option<Fault>, Duration) {
        let body = String::from_utf8_lossy(body);
        let mut inner = self.shared.lock();
        let throw = mix(self.shared.seed, inner.journal.hits(self.endpoint));
        (inner.faults.strike(self.endpoint, &body), inner.switches.wait(throw))
    }

    async fn wait(&self, latency: Duration) {
        if latency > Duration::ZERO {
            let _ = self.shared.stop.run_until_cancelled(tokio::time::sleep(latency)).await;
        }
    }

    async fn stall(&self, line: &Line) -> Response {
        self.shared.stop.cancelled().await;
        line.cut();
        Response::default()
    }

    async fn real_answer(&self, parts: Parts, body: Bytes, next: Next) -> Response {
        if self.endpoint.wants_bearer() && !self.admits(&parts.headers) {
            let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "Given token not valid for any token type");
            return refusal.into_response();
        }
        next.run(Request::from_parts(parts, Body::from(body))).await
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        bearer(headers).is_some_and(|token| self.shared.lock().tokens.admit(token))
    }

    async fn spoil(&self, answer: Response, fault: Option<Fault>) -> Response {
        let Some(fault) = fault else { return answer };
        let (mut parts, body) = answer.into_parts();
        // Memory is the only limit of what the handlers build, so that reading it back can't fail.
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let body = match fault {
            Fault::Rewrite(rewrite) => {
                parts.headers.remove(header::CONTENT_LENGTH);
                Body::from(rewrite.apply(body.into()))
            }
            Fault::Cut(kept) => {
                parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
                broken(body.slice(..kept.min(body.len())), tokio::task::yield_now())
            }
            Fault::StallAfter(kept) => {
                parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
                let stopped = self.shared.stop.clone().cancelled_owned();
                broken(body.slice(..kept.min(body.len())), stopped)
            }
            _ => Body::from(body),
        };
        Response::from_parts(parts, body)
    }

    fn dated(&self, mut answer: Response) -> Response {
        // The year 1970 where the clock can't be told in that type, which is no clock to date by.
        let now = SystemTime::try_from(self.shared.lock().now()).unwrap_or(SystemTime::UNIX_EPOCH);
        if !answer.headers().contains_key(header::DATE)
            && let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(now))
        {
            answer.headers_mut().insert(header::DATE, date);
        }
        answer
    }
}

/// A body that gives `kept`, waits for `then` and breaks off. While `then` waits, at least once, what there is
/// is sent.
fn broken(kept: Bytes, then: impl Future<Output = ()> + Send + 'static) -> Body {
    let end = stream::once(async move {
        then.await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    Body::from_stream(stream::once(async { Ok(kept) }).chain(end))
}

fn made_answer(status: u16, headers: &[(String, String)], body: Vec<u8>) -> Response {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}
