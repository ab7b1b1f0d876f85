//! How fast the server hands out what it has: a reader that throws the pages away.

use futures_util::StreamExt as _;

use crate::floor::PAGE;
use crate::listing::{access, page};

/// Fetches the pages of so many rows in FI, so many pages at once.
pub fn run(base_url: &str, token: &str, concurrency: usize, rows: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::new();
        let access = access(&client, base_url, token).await;
        let offsets = futures_util::stream::iter((0..rows).step_by(PAGE));
        let pages = offsets.map(|offset| fetch(page(&client, base_url, &access, (offset, PAGE))));
        pages.buffer_unordered(concurrency).collect::<()>().await;
    });
}

async fn fetch(asked: reqwest::RequestBuilder) {
    let mut answer = asked.send().await.unwrap().error_for_status().unwrap();
    while answer.chunk().await.unwrap().is_some() {}
}
