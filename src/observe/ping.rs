//! Pings: a monitor that a query names in `ping_url` is told of the start and the end of each run, by the protocol
//! of healthchecks.io. The address is a secret: nothing shows more of it than its host.

mod delivery;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use self::delivery::{Signal, Trouble, deliver};
use crate::config::settings::{Api, Query};
use crate::run::Report;
use crate::store::Status;
use crate::vainu::unquoted;

/// How long is waited after each failed try but the last.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// How long a command waits at its end for what is not delivered yet.
const AT_END: Duration = Duration::from_secs(20);

/// How long it does once it was told to stop: well below [`crate::shutdown::GRACE`].
const AT_STOP: Duration = Duration::from_secs(2);

/// The longest text that is sent, in bytes: more than a monitor shows.
const LONGEST: usize = 10_000;

/// What a run's end is told as. One that was stopped says nothing about the data: it is made up for after the next
/// start, and where there is none the start that is not followed by an end tells.
fn signal_of(report: &Report) -> Signal {
    let words = || match &report.error {
        Some(error) => shortened(format!("{}: {}", report.status, unquoted(error))),
        None => report.status.to_string(),
    };
    match report.status {
        Status::Succeeded => Signal::Success,
        Status::Interrupted => Signal::Log(words()),
        _ => Signal::Fail(words()),
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST - "…".len()));
        text.push('…');
    }
    text
}

/// A signal on its way.
struct Ping {
    query: String,
    /// Says what is trusted beside the system's certificates.
    api: Api,
    address: SecretString,
    signal: Signal,
}

/// Delivers pings beside the runs, which never wait for one. Those to one address come in order.
#[derive(Debug, Default)]
pub struct Pings {
    tracker: TaskTracker,
    ways: Mutex<HashMap<String, UnboundedSender<Ping>>>,
}

impl Pings {
    /// A run of `query` begins.
    pub fn started(&self, query: &Query, api: &Api) {
        self.send(query, api, Signal::Start);
    }

    /// It has ended.
    pub fn ended(&self, query: &Query, api: &Api, report: &Report) {
        self.send(query, api, signal_of(report));
    }

    fn send(&self, query: &Query, api: &Api, signal: Signal) {
        let Some(address) = query.ping_url.clone() else { return };
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        let way = ways.entry(address.expose_secret().to_owned()).or_insert_with(|| {
            let (way, pings) = unbounded_channel();
            self.tracker.spawn(work(pings));
            way
        });
        let ping = Ping { query: query.name.clone(), api: api.clone(), address, signal };
        // Its other end waits for as long as this one is there.
        let _ = way.send(ping);
    }

    /// Waits a while for what is not delivered yet, a shorter one once `stop` is cancelled. Nothing more can be sent.
    pub async fn settle(&self, stop: &CancellationToken) {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.tracker.close();
        let told_to_stop = async {
            stop.cancelled().await;
            sleep(AT_STOP).await;
        };
        tokio::select! {
            biased;
            () = self.tracker.wait() => return,
            () = sleep(AT_END) => {}
            () = told_to_stop => {}
        }
        warn!("pings that were under way could not be delivered before the end");
    }
}

/// Delivers the pings to one address, one after another.
async fn work(mut pings: UnboundedReceiver<Ping>) {
    let mut overtook = None;
    loop {
        let next = match overtook.take() {
            Some(ping) => Some(ping),
            None => pings.recv().await,
        };
        let Some(ping) = next else { return };
        overtook = try_hard(&ping, &mut pings).await;
    }
}

/// Tries to deliver a ping. A start is given up for the end that comes after it, which is returned.
async fn try_hard(ping: &Ping, pings: &mut UnboundedReceiver<Ping>) -> Option<Ping> {
    let mut pauses = PAUSES.iter();
    loop {
        let Err(trouble) = once(ping).await else { return None };
        let Some(pause) = pauses.next().filter(|_| trouble.may_pass) else {
            let host = host(&ping.address);
            warn!(query = %ping.query, host, reason = %trouble.reason, "a ping could not be delivered");
            return None;
        };
        if ping.signal != Signal::Start || pings.is_closed() {
            sleep(*pause).await;
        } else if let Ok(Some(end)) = timeout(*pause, pings.recv()).await {
            return Some(end);
        }
    }
}

async fn once(ping: &Ping) -> Result<(), Trouble> {
    let url = Url::parse(ping.address.expose_secret()).map_err(|_| Trouble::lasting("it is no address"))?;
    deliver(&ping.api, url, &ping.signal).await
}

fn host(address: &SecretString) -> String {
    let url = Url::parse(address.expose_secret()).ok();
    url.and_then(|url| Some(url.host_str()?.to_owned())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Numbers;

    fn report(status: Status, error: Option<&str>) -> Report {
        Report {
            query: "all".into(),
            status,
            numbers: Numbers::default(),
            error: error.map(ToOwned::to_owned),
            cause: None,
            took: Duration::ZERO,
            dry_run: false,
        }
    }

    #[test]
    fn only_a_success_is_told_as_one_and_a_stop_changes_nothing() {
        assert_eq!(signal_of(&report(Status::Succeeded, None)), Signal::Success);
        for status in [Status::Failed, Status::Incomplete, Status::Held] {
            let told = Signal::Fail(format!("{status}: why"));
            assert_eq!(signal_of(&report(status, Some("why"))), told);
        }
        let told = Signal::Log("interrupted: stopped".into());
        assert_eq!(signal_of(&report(Status::Interrupted, Some("stopped"))), told);
    }

    #[test]
    fn nobody_elsewhere_is_told_what_an_answer_holds() {
        let error = r#"the page is not JSON at byte 9, near `{"name":"Oy"`; the run is tried again"#;
        let told = signal_of(&report(Status::Failed, Some(error)));
        assert_eq!(
            told,
            Signal::Fail("failed: the page is not JSON at byte 9; the run is tried again".into())
        );
    }

    #[test]
    fn a_long_reason_is_cut_between_two_characters() {
        let text = shortened("ä".repeat(LONGEST));
        assert!(text.len() <= LONGEST && text.ends_with("ä…"), "{}", text.len());
    }
}
