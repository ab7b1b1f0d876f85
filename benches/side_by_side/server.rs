//! The API that is asked: the sandbox, with a front before it that keeps each page and each export once it was made,
//! so that no contender waits for one to be made.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use vainu_sync::sandbox::{Control, Options, Order, Sandbox, World};

use crate::exports::Exports;

/// It stops with the benchmark.
pub struct Server {
    pub runtime: Runtime,
    pub base_url: String,
    pub token: String,
    control: Control,
    front: Arc<Front>,
    _sandbox: Sandbox,
}

pub struct Front {
    pub url: String,
    behind: String,
    pub client: reqwest::Client,
    pages: Mutex<HashMap<Bytes, Bytes>>,
    pub exports: Exports,
    /// Milliseconds that a page is held back.
    latency: AtomicU64,
}

impl Server {
    pub fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let options = Options { world: World::Fixed(Vec::new()), ..Options::default() };
        let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let front = Arc::new(Front {
            url: format!("http://{}", listener.local_addr().unwrap()),
            behind: sandbox.base_url().strip_suffix("/api").unwrap().to_owned(),
            client: reqwest::Client::new(),
            pages: Mutex::default(),
            exports: Exports::default(),
            latency: AtomicU64::new(0),
        });
        let base_url = format!("{}/api", front.url);
        let router = Router::new().fallback(answer).with_state(Arc::clone(&front));
        runtime.spawn(async move { axum::serve(listener, router).await });
        let (token, control) = (sandbox.refresh_token(), sandbox.control());
        Self { runtime, base_url, token, control, front, _sandbox: sandbox }
    }

    /// FI holds these rows from now on, in this order.
    pub fn serve(&self, rows: Vec<String>) {
        self.control.set_rows("FI", rows);
        self.front.pages.lock().unwrap().clear();
        self.front.exports.clear();
    }

    /// Whether rows come as they are served, whatever order is asked for.
    pub fn ignore_order(&self, is_ignored: bool) {
        self.control
            .switch(|switches| switches.order = if is_ignored { Order::Ignored } else { Order::Honoured });
    }

    /// Each page is held back so long from now on.
    pub fn wait(&self, latency: Duration) {
        self.front.latency.store(u64::try_from(latency.as_millis()).unwrap(), Ordering::Relaxed);
    }
}

async fn answer(State(front): State<Arc<Front>>, request: Request) -> Response {
    let is_page = request.method() == Method::POST && request.uri().path().ends_with("/v3/organizations/");
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    if let Some(answer) = front.export(&parts, &body).await {
        return answer;
    }
    if !is_page {
        return front.pass_on(&parts, body).await;
    }
    tokio::time::sleep(Duration::from_millis(front.latency.load(Ordering::Relaxed))).await;
    let known = front.pages.lock().unwrap().get(&body).cloned();
    if let Some(page) = known {
        return ([(header::CONTENT_TYPE, "application/json")], page).into_response();
    }
    let answer = front.pass_on(&parts, body.clone()).await;
    if answer.status() != StatusCode::OK {
        return answer;
    }
    let (head, page) = answer.into_parts();
    let page = axum::body::to_bytes(page, usize::MAX).await.unwrap();
    front.pages.lock().unwrap().insert(body, page.clone());
    Response::from_parts(head, Body::from(page))
}

impl Front {
    pub async fn pass_on(&self, parts: &axum::http::request::Parts, body: Bytes) -> Response {
        let path = parts.uri.path_and_query().unwrap().as_str();
        let mut asked = self.client.request(parts.method.clone(), format!("{}{path}", self.behind));
        for name in [header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT] {
            if let Some(value) = parts.headers.get(&name) {
                asked = asked.header(name, value);
            }
        }
        let answer = asked.body(body).send().await.unwrap();
        let status = answer.status();
        let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
        let mut response = (status, answer.bytes().await.unwrap()).into_response();
        if let Some(kind) = kind {
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        response
    }
}
