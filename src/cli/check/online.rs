//! `check --online`: what the API says of the configuration, and how it behaves.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::task::TaskTracker;

use super::asking::{Asking, ONE_ANSWER};
use super::sample::Sample;
use super::{account, paths};
use crate::cli::{Exit, Failure, Output, client};
use crate::config::settings::{Api, Credential, Settings};
use crate::text::grouped;
use crate::vainu::{self, Catalogue, Meter, NoCatalogue};

/// For how long a person is kept waiting by an API that gives nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks the API and prints what it says, a line each.
///
/// # Errors
/// If the credentials are refused, the API can't be reached, or stdout can't be written.
pub async fn ask(settings: &Settings, refreshes: &TaskTracker, output: &mut Output) -> Result<Exit, Failure> {
    let api = Api { retry_for: settings.api.retry_for.min(PATIENCE), ..settings.api.clone() };
    let client = client(&Settings { api, ..settings.clone() }, refreshes)?;
    let asking = Asking { client, api: &settings.api, meter: Meter::new() };
    credentials(&asking, settings, output).await?;
    let (catalogue, mut exit) = catalogue(&asking, output).await?;
    let mut samples = Vec::new();
    for query in &settings.queries {
        writeln!(output, "query {} ({}):", query.name, query.database)?;
        exit = exit.or(paths::tell(query, catalogue.as_ref(), output)?);
        let sample = Sample::take(&asking, query, output).await?;
        exit = exit.or(sample.exit);
        samples.push(sample);
    }
    exit = exit.or(account::tell(&asking, &samples, output).await?);
    writeln!(output, "requests: {}", grouped(asking.meter.snapshot().requests))?;
    Ok(exit)
}

async fn credentials(asking: &Asking<'_>, settings: &Settings, output: &mut Output) -> Result<(), Failure> {
    asking.client.authenticate(&asking.meter).await?;
    let kind = match settings.credential {
        Some(Credential::Client { .. }) => "client credentials",
        _ => "refresh token",
    };
    let left = match asking.client.days_left(Timestamp::now()) {
        Some(days) => format!(", {days} days left"),
        None => String::new(),
    };
    writeln!(output, "online: the API takes the {kind}{left}")?;
    Ok(())
}

/// The catalogue, and what its lack means for the exit code.
async fn catalogue(asking: &Asking<'_>, output: &mut Output) -> Result<(Option<Catalogue>, Exit), Failure> {
    let reason = match asking.client.catalogue(ONE_ANSWER, &asking.meter).await {
        Ok(catalogue) => {
            writeln!(output, "catalogue: {} fields", grouped(catalogue.len() as u64))?;
            return Ok((Some(catalogue), Exit::Done));
        }
        Err(reason) => reason,
    };
    writeln!(output, "catalogue: none to be had, so no path is checked: {reason}")?;
    let exit = match reason {
        // Not all accounts may read it.
        NoCatalogue::Refused(error) if error.kind() == vainu::Kind::Refused => Exit::Done,
        NoCatalogue::Refused(error) => Exit::of_api(&error),
        NoCatalogue::TooSlow(_) => Exit::Later,
    };
    Ok((None, exit))
}
