use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderMap, HeaderValue};
use reqwest::{ClientBuilder, Url, redirect, retry};

use super::error::Error;
use crate::config::ca_file::certificates;
use crate::config::is_loopback;
use crate::config::settings::Api;

/// Redirects of a download that are followed one after another.
const REDIRECTS: usize = 5;

/// The HTTP client for the origin of `api.base_url`: no redirects, and no retries but ours.
pub(super) fn client(api: &Api) -> Result<reqwest::Client, Error> {
    let url = Url::parse(&api.base_url)
        .map_err(|error| Error::BaseUrl { url: api.base_url.clone(), problem: error.to_string() })?;
    let builder = reqwest::Client::builder()
        .default_headers(headers(&api.language))
        .timeout(api.timeout)
        .redirect(redirect::Policy::none());
    build(builder, &url, api)
}

/// The HTTP client for a download from `url`: nothing that is meant for the API goes along. It takes as long as
/// it takes, and follows a few redirects that `allowed` lets pass.
pub(super) fn for_download(
    api: &Api,
    url: &Url,
    allowed: impl Fn(&Url) -> bool + Send + Sync + 'static,
) -> Result<reqwest::Client, Error> {
    let follow = move |attempt: redirect::Attempt<'_>| {
        let is_followed = attempt.previous().len() <= REDIRECTS && allowed(attempt.url());
        if is_followed { attempt.follow() } else { attempt.stop() }
    };
    // A page that is left carries a token in its address.
    let builder = reqwest::Client::builder().referer(false).redirect(redirect::Policy::custom(follow));
    build(builder, url, api)
}

/// The HTTP client for an address that has nothing to do with the API: what is set for this machine's network holds
/// for it too.
pub(crate) fn elsewhere(api: &Api, url: &Url, timeout: Duration) -> Result<reqwest::Client, Error> {
    let builder = reqwest::Client::builder().timeout(timeout).redirect(redirect::Policy::none());
    build(builder, url, api)
}

fn build(builder: ClientBuilder, url: &Url, api: &Api) -> Result<reqwest::Client, Error> {
    let mut builder =
        builder.user_agent(concat!("vainu-sync/", env!("CARGO_PKG_VERSION"))).retry(retry::never());
    if is_loopback(url) {
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
