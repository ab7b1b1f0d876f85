use bytes::Bytes;
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;

use super::traffic::Endpoint;

/// One request to the API, before its access token is known.
#[derive(Debug)]
pub(super) struct Call {
    pub to: Endpoint,
    url: String,
    /// The URL as errors and log lines name it: without its query string.
    pub endpoint: String,
    /// JSON that is posted; `None`: a GET.
    body: Option<Bytes>,
}

impl Call {
    pub fn post(to: Endpoint, url: String, body: String) -> Self {
        Self { body: Some(body.into()), ..Self::get(to, url) }
    }

    pub fn get(to: Endpoint, url: String) -> Self {
        let endpoint = url.split_once('?').map_or(url.as_str(), |(endpoint, _)| endpoint).to_owned();
        Self { to, url, endpoint, body: None }
    }

    pub fn request(&self, http: &reqwest::Client) -> RequestBuilder {
        match &self.body {
            Some(body) => http.post(&self.url).header(CONTENT_TYPE, "application/json").body(body.clone()),
            None => http.get(&self.url),
        }
    }
}
