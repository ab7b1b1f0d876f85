//! `after`: a command that is run for a file.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::group::Group;
use super::outbox::Attempt;
use super::tail::{last_line, tail};
use crate::config::settings::{After, Feed};
use crate::feed::manifest_name;
use crate::store::FeedFileState;

/// How long is waited for the rest of what was said, once nobody is left of the command's group.
const REST: Duration = Duration::from_secs(1);

/// Runs the command for `file` and says how it ended. Whoever it starts has `lock` open.
pub async fn run(
    after: &After,
    feed: &Feed,
    file: &FeedFileState,
    lock: &File,
    stop: &CancellationToken,
) -> Attempt {
    let (mut group, said) = match Group::start(command(after, feed, file), lock) {
        Ok(started) => started,
        Err(error) => {
            return Attempt::failed(format!("{} can't be started: {error}", after.command[0]));
        }
    };
    let said = tokio::spawn(tail(said));
    let status = tokio::select! {
        biased;
        status = group.ended() => Some(status),
        () = stop.cancelled() => {
            group.end().await;
            return Attempt::stopped();
        }
        () = sleep(after.timeout) => {
            group.end().await;
            None
        }
    };
    let output = timeout(REST, said).await.ok().and_then(Result::ok).unwrap_or_default();
    let (ended, is_good) = match status {
        Some(Ok(status)) => (words(status), status.success()),
        Some(Err(error)) => (error.to_string(), false),
        None => {
            let limit = humantime::format_duration(after.timeout);
            (format!("not done within {limit} and ended (after_timeout)"), false)
        }
    };
    let failure = (!is_good).then(|| match last_line(&output) {
        Some(line) => format!("{ended}: {line}"),
        None => ended.clone(),
    });
    let output = (!output.is_empty()).then_some(output);
    Attempt { ended: Some(ended), output, failure, is_stopped: false }
}

fn command(after: &After, feed: &Feed, file: &FeedFileState) -> Command {
    let manifest = feed.directory.join(manifest_name(&feed.name));
    let mut command = Command::new(&after.command[0]);
    command
        .args(&after.command[1..])
        .arg(&manifest)
        .current_dir(&feed.directory)
        .env_clear()
        .envs(after.environment.iter().cloned())
        .env("VAINU_SYNC_FEED", &feed.name)
        .env("VAINU_SYNC_SEQUENCE", file.sequence.to_string())
        .env("VAINU_SYNC_FILE", feed.directory.join(&file.file))
        .env("VAINU_SYNC_SHA256", &file.sha256)
        .env("VAINU_SYNC_MANIFEST", &manifest);
    command
}

fn words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}
