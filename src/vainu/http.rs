use std::sync::Arc;

use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderMap, HeaderValue};
use reqwest::{Url, redirect, retry};

use super::error::Error;
use crate::config::ca_file::certificates;
use crate::config::is_loopback;
use crate::config::settings::Api;

/// The HTTP client for the origin of `api.base_url`: no redirects, and no retries but ours.
pub(super) fn client(api: &Api) -> Result<reqwest::Client, Error> {
    let url = Url::parse(&api.base_url)
        .map_err(|error| Error::BaseUrl { url: api.base_url.clone(), problem: error.to_string() })?;
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("vainu-sync/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers(&api.language))
        .timeout(api.timeout)
        .redirect(redirect::Policy::none())
        .retry(retry::never());
    if is_loopback(&url) {
        // A proxy elsewhere could not reach it.
        builder = builder.no_proxy();
    }
    if url.scheme() == "http" {
        // No certificate is ever checked: a machine without any can ask itself.
        builder = builder.tls_certs_only([]);
    } else if let Some(path) = &api.ca_file {
        let trusted = certificates(path).map_err(|problem| Error::CaFile { path: path.clone(), problem })?;
        builder = builder.tls_certs_merge(trusted);
    }
    builder.build().map_err(|error| Error::Tls(Arc::new(error)))
}

fn headers(language: &str) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    headers.extend(HeaderValue::from_str(language).ok().map(|language| (ACCEPT_LANGUAGE, language)));
    headers
}
