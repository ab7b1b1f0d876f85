use std::time::Duration;

use jiff::Timestamp;
use tokio_util::task::TaskTracker;

use super::InitError;
use crate::cli::Failure;
use crate::config::Settings;
use crate::config::settings::{Api, Ask, Credential};
use crate::organization::Database;
use crate::vainu::{self, Client, Meter, PageRequest, Selection};

/// A person is waiting: an API that is down is told soon.
const PATIENCE: Duration = Duration::from_secs(10);
const ROWS: u32 = 2;

/// What the API gave.
pub struct Trial {
    /// Of the two rows that were asked for.
    pub rows: usize,
    /// Until the refresh token ends, where it tells.
    pub days_left: Option<i64>,
}

/// Asks the API for two companies of `database` with this credential.
///
/// # Errors
/// If it refuses the credential or the database, or gives nothing usable for ten seconds.
pub async fn trial(
    settings: &Settings,
    credential: &Credential,
    database: Database,
    refreshes: &TaskTracker,
) -> Result<Trial, Failure> {
    let api = Api { retry_for: settings.api.retry_for.min(PATIENCE), ..settings.api.clone() };
    let client = Client::tracked(&api, credential, &settings.store.path, refreshes.clone())?;
    let meter = Meter::new();
    client.authenticate(&meter).await?;
    let everything = Ask::Query(r#"{"?ALL": []}"#.to_owned());
    let selection = Selection::new(database, everything, vec!["business_id".into(), "name".into()]);
    let request = PageRequest { selection: &selection, limit: ROWS, offset: 0, ordered: false };
    let page = client.organizations(&request, &meter).await.map_err(|error| match error {
        vainu::Error::Forbidden { detail, .. } => InitError::Forbidden { database, detail }.into(),
        error => Failure::from(error),
    })?;
    Ok(Trial { rows: page.rows.len(), days_left: client.days_left(Timestamp::now()) })
}
