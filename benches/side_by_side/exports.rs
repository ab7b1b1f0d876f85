//! Exports that were made before they are asked for again: a job is done at its first poll, and its file is at hand.

use std::sync::Mutex;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::server::Front;

/// Where the files are, before the number of each.
const PATH: &str = "/api/made/";

/// The files that were made, by what was submitted.
#[derive(Default)]
pub struct Exports(Mutex<Vec<(Submission, Bytes)>>);

/// The query string and the body.
type Submission = (String, Bytes);

impl Exports {
    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    fn number(&self, submission: &Submission) -> Option<usize> {
        self.0.lock().unwrap().iter().position(|(known, _)| known == submission)
    }

    fn keep(&self, submission: Submission, file: Bytes) -> usize {
        let mut files = self.0.lock().unwrap();
        files.push((submission, file));
        files.len() - 1
    }

    fn file(&self, number: &str) -> Option<Bytes> {
        self.0.lock().unwrap().get(number.parse::<usize>().ok()?).map(|(_, file)| file.clone())
    }
}

impl Front {
    /// The answer, if this asks for an export.
    pub async fn export(&self, parts: &Parts, body: &Bytes) -> Option<Response> {
        let path = parts.uri.path();
        if let Some(number) = path.strip_prefix(PATH) {
            return Some(self.made(number));
        }
        let is_submission = parts.method == Method::POST && path.ends_with("/v3/organizations/async/");
        if !is_submission {
            return None;
        }
        let submission = (parts.uri.query().unwrap_or_default().to_owned(), body.clone());
        let number = match self.exports.number(&submission) {
            Some(number) => number,
            None => match self.make(parts, body.clone()).await {
                Ok(file) => self.exports.keep(submission, file),
                Err(refusal) => return Some(refusal),
            },
        };
        let link = format!("{}{PATH}{number}/", self.url);
        Some(of_json(&json!({ "link": link, "state": "accepted", "id": number.to_string() })))
    }

    /// What a poll says, or the file itself.
    fn made(&self, what: &str) -> Response {
        match what.strip_suffix('/') {
            Some(number) => {
                let file = format!("{}{PATH}{number}", self.url);
                of_json(&json!({ "state": "completed", "progress": 100, "download_link": file }))
            }
            None => match self.exports.file(what) {
                Some(file) => ([(header::CONTENT_TYPE, "application/jsonlines")], file).into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            },
        }
    }

    /// Lets the sandbox do the job.
    async fn make(&self, parts: &Parts, body: Bytes) -> Result<Bytes, Response> {
        let submitted = self.pass_on(parts, body).await;
        if submitted.status() != StatusCode::OK {
            return Err(submitted);
        }
        let link = read(submitted).await["link"].as_str().unwrap().to_owned();
        let mut poll = parts.clone();
        (poll.method, poll.uri) = (Method::GET, link.parse().unwrap());
        loop {
            let state = read(self.pass_on(&poll, Bytes::new()).await).await;
            if let Some(file) = state["download_link"].as_str() {
                return Ok(self.client.get(file).send().await.unwrap().bytes().await.unwrap());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn read(answer: Response) -> Value {
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn of_json(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], Body::from(value.to_string())).into_response()
}
