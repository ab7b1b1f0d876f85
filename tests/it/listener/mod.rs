//! The daemon's listener: health, the status page and metrics, as whoever watches the service meets it.

mod addresses;
mod alerts;
mod browser;
mod feeds;
mod health;
mod hostile;
mod metrics;
mod page;

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use vainu_sync::observe::http::Site;
use vainu_sync::observe::vitals::{Setup, Vitals};

use crate::bench::Bench;
use crate::life::Service;
use crate::program::until;

impl Bench {
    /// Writes into the configuration where the daemon listens.
    pub fn listen(&self, at: &str) {
        let path = self.folder.path().join("config.toml");
        let text = fs::read_to_string(&path).unwrap();
        let (before, after) = text.split_once("listen = \"").unwrap();
        let (_, after) = after.split_once('"').unwrap();
        fs::write(path, format!("{before}listen = \"{at}\"{after}")).unwrap();
    }
}

impl Service {
    /// A daemon that listens on a port of its own, and where that is.
    pub async fn listening(bench: &Bench) -> (Self, SocketAddr) {
        bench.listen("127.0.0.1:0");
        let service = Self::start(bench);
        let address = service.address().await;
        (service, address)
    }

    /// Where it listened last.
    pub async fn address(&self) -> SocketAddr {
        let address = || {
            let log = self.log();
            let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut said = lines
                .filter(|line| line["message"].as_str().is_some_and(|text| text.starts_with("serving ")));
            Some(said.next_back()?["address"].as_str()?.parse().unwrap())
        };
        until("it listens", async || address().is_some()).await;
        address().unwrap()
    }
}

/// A site in this process, on what a bench's configuration says, and where it is served.
pub struct Served {
    pub vitals: Arc<Vitals>,
    pub address: SocketAddr,
}

impl Served {
    pub async fn of(bench: &Bench, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let setup = Setup { settings: Arc::new(bench.settings.clone()), client: bench.client() };
        let vitals = Arc::new(Vitals::new(setup, now()));
        let site = Site::new(Arc::clone(&vitals), Arc::new(now));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, site.router(true)).await });
        Self { vitals, address }
    }
}

pub fn request(method: Method, address: SocketAddr, path: &str) -> RequestBuilder {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    http.request(method, format!("http://{address}{path}"))
}

pub async fn get(address: SocketAddr, path: &str) -> Response {
    request(Method::GET, address, path).send().await.unwrap()
}

/// The status and the text of a page.
pub async fn read(address: SocketAddr, path: &str) -> (u16, String) {
    let response = get(address, path).await;
    (response.status().as_u16(), response.text().await.unwrap())
}
