//! A web address that a file is told to, signed as the Standard Webhooks have it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Response, StatusCode, Url};
use secrecy::ExposeSecret;
use serde_json::json;
use serde_json::value::RawValue;
use sha2::Sha256;

use super::Tools;
use super::outbox::Attempt;
use super::tail::last_line;
use crate::config::SecretError;
use crate::config::settings::{Feed, Webhook};
use crate::store::FeedFileState;
use crate::vainu;

/// One try: longer than the standard asks of a sender.
const TIMEOUT: Duration = Duration::from_secs(30);

/// As much as is kept of what a receiver answers, in bytes.
const KEPT: usize = 2 * 1024;

/// What each message is called.
const TYPE: &str = "feed.written";

/// Tells the receiver of `file`, once.
pub async fn post(webhook: &Webhook, feed: &Feed, file: &FeedFileState, tools: Tools<'_>) -> Attempt {
    match tools.stop.run_until_cancelled(try_to_post(webhook, feed, file, tools)).await {
        None => Attempt::stopped(),
        Some(Ok(attempt)) => attempt,
        Some(Err(reason)) => Attempt::failed(reason),
    }
}

async fn try_to_post(
    webhook: &Webhook,
    feed: &Feed,
    file: &FeedFileState,
    tools: Tools<'_>,
) -> Result<Attempt, String> {
    let key = key(webhook)?;
    let url = Url::parse(webhook.url.expose_secret()).map_err(|_| "webhook_url is no address".to_owned())?;
    let client =
        vainu::http_elsewhere(&tools.settings.api, &url, TIMEOUT).map_err(|error| error.to_string())?;
    let id = id(feed, file);
    let timestamp = (tools.clock)().as_second();
    let body = body(feed, file);
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", &id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature(&key, &id, timestamp, &body))
        .body(body);
    match request.send().await {
        Ok(answer) => Ok(heed(answer).await),
        Err(error) if error.is_timeout() => Err(format!("no answer within {} s", TIMEOUT.as_secs())),
        // reqwest's own text names the address.
        Err(error) => Err(vainu::innermost(&error).to_string()),
    }
}

/// A secret file is read anew for each message: operators replace it while the program runs.
fn key(webhook: &Webhook) -> Result<Vec<u8>, String> {
    let secret = webhook.secret.read().map_err(|error| match error {
        SecretError::Directory(path) => format!("webhook_secret_file: {} is a directory", path.display()),
        SecretError::Unreadable { path, reason } => {
            format!("webhook_secret_file: {} can't be read: {reason}", path.display())
        }
        SecretError::NotText { .. } => "webhook_secret_file is not UTF-8 text".to_owned(),
        SecretError::Empty { .. } => "webhook_secret_file is empty".to_owned(),
        SecretError::ManyLines { .. } => "webhook_secret_file has more than one line".to_owned(),
    })?;
    Webhook::key(&secret).map_err(|reason| format!("what webhook_secret_file holds {reason}"))
}

/// The same for each try, so that a receiver knows one that it has already taken. What follows the number is of the
/// file itself: another store may write a file of this number elsewhere.
fn id(feed: &Feed, file: &FeedFileState) -> String {
    let digest = file.sha256.get(..12).unwrap_or_default();
    format!("{}-{:08}-{digest}", feed.name, file.sequence)
}

fn body(feed: &Feed, file: &FeedFileState) -> String {
    let FeedFileState { sequence, file, sha256, rows, columns, written_at } = file;
    let columns: Option<&RawValue> = serde_json::from_str(columns).ok();
    json!({
        "type": TYPE,
        "timestamp": written_at,
        "data": {
            "feed": feed.name, "sequence": sequence, "file": file, "rows": rows, "columns": columns,
            "sha256": sha256, "written_at": written_at,
        },
    })
    .to_string()
}

/// Over the id, the time and the body.
fn signature(key: &[u8], id: &str, timestamp: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

async fn heed(mut answer: Response) -> Attempt {
    let status = answer.status();
    let ended = format!("status {}", status.as_u16());
    let mut said = Vec::new();
    while said.len() < KEPT
        && let Ok(Some(chunk)) = answer.chunk().await
    {
        said.extend_from_slice(&chunk[..chunk.len().min(KEPT - said.len())]);
    }
    let said = String::from_utf8_lossy(&said).replace('\0', "\u{FFFD}").trim().to_owned();
    let failure = (!status.is_success()).then(|| match (advice(status), last_line(&said)) {
        (Some(advice), _) => format!("{ended}: {advice}"),
        (None, Some(line)) => format!("{ended}: {line}"),
        (None, None) => ended.clone(),
    });
    let output = (!said.is_empty()).then_some(said);
    Attempt { ended: Some(ended), output, failure, is_stopped: false }
}

fn advice(status: StatusCode) -> Option<&'static str> {
    if status.is_redirection() {
        return Some("a redirect is not followed: set webhook_url to the address that it leads to");
    }
    (status == StatusCode::GONE).then_some("the receiver wants no more: take webhook_url out")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification and of its libraries.
    #[test]
    fn a_message_is_signed_as_the_specification_has_it() {
        let key = Webhook::key(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).unwrap();
        let told = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(told, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_base64_of_24_to_64_bytes() {
        for (text, is_one) in [
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", false),
            ("whsec_c2hvcnQ=", false),
            ("secret", false),
        ] {
            assert_eq!(Webhook::key(&text.into()).is_ok(), is_one, "{text}");
        }
    }
}
