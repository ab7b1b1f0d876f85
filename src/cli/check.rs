//! `check`: the settings, and what they mean, without asking the API.

use jiff::Timestamp;

use super::text::{grouped, local};
use super::{Exit, Failure, Surroundings, configured, not_yet};
use crate::config::settings::Query;
use crate::config::{Flags, Loaded};
use crate::observe::logging::Bars;
use crate::store::{Store, StoreError};

/// How many runs are foretold.
const RUNS: usize = 3;

/// Prints the settings with where each came from, the next runs, and what the store holds beside them.
///
/// # Errors
/// If the configuration is wrong or stdout can't be written.
pub async fn execute(flags: &Flags, around: &mut Surroundings<'_>) -> Result<Exit, Failure> {
    let loaded = configured(flags, &around.environment, Bars::Hidden)?;
    writeln!(around.output, "configuration: {}", loaded.path.display())?;
    for setting in &loaded.origins {
        writeln!(around.output, "  {} = {}  [{}]", setting.key, setting.value, setting.origin)?;
    }
    writeln!(around.output, "next runs:")?;
    for query in &loaded.settings.queries {
        writeln!(around.output, "  {} ({})", query.name, query.schedule)?;
        for run in next_runs(query, Timestamp::now()) {
            writeln!(around.output, "    {run}")?;
        }
    }
    for note in notes(&loaded).await? {
        writeln!(around.output, "note: {note}")?;
    }
    Ok(Exit::Done)
}

fn next_runs(query: &Query, now: Timestamp) -> impl Iterator<Item = String> {
    let ticks = std::iter::successors(query.schedule.next(now, &query.timezone), |tick| {
        query.schedule.next(*tick, &query.timezone)
    });
    ticks.take(RUNS).map(|tick| local(tick, &query.timezone, &query.timezone_name))
}

async fn notes(loaded: &Loaded) -> Result<Vec<String>, Failure> {
    let mut notes: Vec<String> = loaded.notes.iter().cloned().chain(not_yet::notes(loaded)).collect();
    if let Err(lacking) = loaded.settings.require_credential() {
        notes.push(lacking.to_string());
    }
    let path = &loaded.settings.store.path;
    let mut store = match Store::open_to_read(path).await {
        Err(error @ (StoreError::Absent(_) | StoreError::Older(_))) => {
            notes.push(error.to_string());
            return Ok(notes);
        }
        store => store?,
    };
    for known in store.queries().await? {
        if loaded.settings.queries.iter().all(|query| query.name != known.name) {
            let members = grouped(store.count_members(known.id).await?);
            notes.push(format!(
                "the store holds {members} members of \"{}\", which is not in the configuration: it runs no \
                 more, and its members stay",
                known.name
            ));
        }
    }
    Ok(notes)
}
