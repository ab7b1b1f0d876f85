//! Handing a feed's files over, for the commands that write feeds.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Failure, holder};
use crate::config::settings::{Feed, Settings};
use crate::handover::{self, HandoverError, Report, Tools};
use crate::store::{Handover, StoreError, time};
use crate::text::{ago, grouped};

/// How often it is looked whether another process still hands files of the feed over.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(200);

/// Hands over what these feeds have written, one after another. Where another process does so, it is waited for: what
/// that one looked at may have been written before.
///
/// # Errors
/// If a feed's lock can't be taken.
pub async fn hand_over(
    settings: &Settings,
    feeds: &[&Feed],
    without_lost: bool,
    stop: &CancellationToken,
) -> Result<Vec<Report>, Failure> {
    let holder = holder("handover");
    let tools = Tools { settings, stop, clock: &Timestamp::now, holder: &holder, without_lost };
    let mut reports = Vec::new();
    for feed in feeds {
        let mut told = false;
        loop {
            match handover::hand_over(feed, tools).await {
                Ok(done) => break reports.extend(done),
                Err(HandoverError::Store(StoreError::InUse { holder, .. })) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::info!(feed = %feed.name, %holder, "files of the feed are being handed over: waiting");
                    }
                    if stop.run_until_cancelled(tokio::time::sleep(LOOK_AGAIN)).await.is_none() {
                        return Ok(reports);
                    }
                }
                Err(HandoverError::Store(error)) => return Err(error.into()),
                Err(_) => break,
            }
        }
    }
    Ok(reports)
}

/// What came of it, for people; `None`: there was nothing to do.
pub fn line(report: &Report) -> Option<String> {
    let Report { feed, way, files, last, error, .. } = report;
    let done = last.as_ref().map(|last| format!("{} handed over, up to {last}", counted(*files, "file")));
    let told = match (done, error) {
        (None, None) => return None,
        (Some(done), None) => done,
        (None, Some(error)) => format!("not handed over: {error}"),
        (Some(done), Some(error)) => format!("{done}; then not: {error}"),
    };
    Some(format!("feed {feed}: {way}: {told}"))
}

/// What came of it, for programs.
pub fn json(report: &Report) -> Value {
    let Report { feed, way, files, last, error, failures } = report;
    let error = error.as_ref().map(ToString::to_string);
    json!({ "feed": feed, "way": way, "files": files, "last": last, "failures": failures, "error": error })
}

/// How far one way has got, for people.
pub fn standing_text(handing: &Handover, now: Timestamp) -> Vec<String> {
    let Handover { way, sequence, waiting, handed_at, tried_at, failures, error, .. } = handing;
    let moment = |at: &Option<String>| {
        let at = at.as_deref().and_then(time::from_text)?;
        Some(format!("{} ({})", time::to_text(at), ago(at, now)))
    };
    let done = match (sequence, moment(handed_at)) {
        (_, Some(at)) => format!("file {sequence} handed over {at}"),
        (0, None) => "no file handed over yet".to_owned(),
        (_, None) => format!("begins after file {sequence}"),
    };
    let waiting = match waiting {
        0 => String::new(),
        waiting => format!("; {} waiting", counted(waiting.unsigned_abs(), "file")),
    };
    let mut lines = vec![format!("  {way:<13}{done}{waiting}")];
    if let Some(error) = error {
        let at = moment(tried_at).map(|at| format!(", last {at}")).unwrap_or_default();
        lines
            .push(format!("               failed {}{at}: {error}", counted(failures.unsigned_abs(), "time")));
    }
    lines
}

fn counted(number: u64, thing: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {thing}{ending}", grouped(number))
}
