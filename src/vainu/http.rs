use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderMap, HeaderValue};
use reqwest::{Certificate, ClientBuilder, Url, redirect, retry};

use super::error::Error;
use crate::config::settings::Api;

/// The HTTP client as `[api]` wants it: no redirects, and no retries but ours.
pub(super) fn client(api: &Api) -> Result<reqwest::Client, Error> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("vainu-sync/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers(&api.language))
        .timeout(api.timeout)
        .redirect(redirect::Policy::none())
        .retry(retry::never());
    if is_loopback(&api.base_url)? {
        // A proxy elsewhere could not reach it.
        builder = builder.no_proxy();
    }
    if let Some(path) = &api.ca_file {
        builder = trust(builder, path)?;
    }
    builder.build().map_err(|error| Error::Tls(Arc::new(error)))
}

fn headers(language: &str) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    headers.extend(HeaderValue::from_str(language).ok().map(|language| (ACCEPT_LANGUAGE, language)));
    headers
}

fn is_loopback(base_url: &str) -> Result<bool, Error> {
    let url = Url::parse(base_url)
        .map_err(|error| Error::BaseUrl { url: base_url.to_owned(), problem: error.to_string() })?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    Ok(host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback()))
}

fn trust(builder: ClientBuilder, path: &Path) -> Result<ClientBuilder, Error> {
    let problem = |problem: String| Error::CaFile { path: path.to_owned(), problem };
    let pem = fs::read(path).map_err(|error| problem(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| problem(error.to_string()))?;
    if certificates.is_empty() {
        return Err(problem("it holds no certificate".to_owned()));
    }
    Ok(builder.tls_certs_merge(certificates))
}
