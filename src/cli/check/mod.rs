//! `check`: the settings, and what they mean.

mod asking;
mod paths;
mod sample;
mod order;
mod account;
mod feeds;
mod online;

use jiff::Timestamp;

use super::{Exit, Failure, Surroundings, configured};
use crate::agenda;
use crate::config::settings::{Api, Query};
use crate::config::{Flags, Loaded};
use crate::observe::logging::Bars;
use crate::run::definition;
use crate::store::{Remembered, Store, StoreError};
use crate::text::{grouped, local};

/// How many runs are foretold.
const RUNS: usize = 3;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ask the API too: about the credentials, every path and count, and how it behaves for this account
    #[arg(long)]
    online: bool,
}

/// Prints the settings with where each came from, the next runs, and what store and file disagree on.
///
/// # Errors
/// If the configuration is wrong or stdout can't be written; online, if the API refuses the credentials or
/// can't be reached.
pub async fn execute(args: &Args, flags: &Flags, around: &mut Surroundings<'_>) -> Result<Exit, Failure> {
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
    if !args.online {
        return Ok(Exit::Done);
    }
    let stop = around.stop.clone();
    let asking = online::ask(&loaded.settings, &around.refreshes, around.output);
    stop.run_until_cancelled(asking).await.unwrap_or(Ok(Exit::NotDone))
}

fn next_runs(query: &Query, now: Timestamp) -> impl Iterator<Item = String> {
    let ticks = std::iter::successors(query.schedule.next(now, &query.timezone), |tick| {
        query.schedule.next(*tick, &query.timezone)
    });
    ticks.take(RUNS).map(|tick| local(tick, &query.timezone, &query.timezone_name))
}

async fn notes(loaded: &Loaded) -> Result<Vec<String>, Failure> {
    let mut notes = super::notes(loaded);
    match loaded.settings.require_credential() {
        Err(lacking) => notes.push(lacking.to_string()),
        Ok(credential) => notes.extend(credential.secret().fault().map(|fault| fault.to_string())),
    }
    notes.extend(open_to_others(loaded));
    notes.extend(feeds::directories(&loaded.settings));
    notes.extend(feeds::commands(&loaded.settings));
    notes.extend(feeds::addresses(&loaded.settings));
    let path = &loaded.settings.store.path;
    let mut store = match Store::open_to_read(path).await {
        Err(error @ (StoreError::Absent(_) | StoreError::Older(_))) => {
            notes.push(error.to_string());
            return Ok(notes);
        }
        store => store?,
    };
    let remembered = store.queries().await?;
    for query in &loaded.settings.queries {
        if let Some(wait) = agenda::wait(query, &loaded.settings, &remembered) {
            notes.push(format!("\"{}\" is not run: {wait}", query.name));
        }
    }
    for known in remembered {
        match loaded.settings.queries.iter().find(|query| query.name == known.name) {
            None if known.is_pruned() => {}
            None => {
                let members = grouped(store.number_of_members(known.id).await?);
                notes.push(format!(
                    "the store holds {members} members of \"{0}\", which is not in the configuration: it runs \
                     no more, and its members stay; `{1}` lets them go, `{2}` gives them to a query of another name",
                    known.name,
                    loaded.settings.command(&format!("prune {}", known.name)),
                    loaded.settings.command(&format!("rename {} NEW", known.name)),
                ));
            }
            Some(query) => notes.extend(edited(query, &known, &loaded.settings.api)),
        }
    }
    notes.extend(feeds::stored(&loaded.settings, &mut store).await?);
    Ok(notes)
}

/// That others than this machine may reach the listener, which asks for no password.
fn open_to_others(loaded: &Loaded) -> Option<String> {
    let listen = loaded.settings.http.listen.filter(|listen| !listen.ip().to_canonical().is_loopback())?;
    let origin = &loaded.origins.iter().find(|setting| setting.key == "http.listen")?.origin;
    Some(format!(
        "{origin}: http.listen is {listen}: whoever reaches that address sees the names of queries, numbers and errors, \
         without a password; in a container publish the port to loopback only, elsewhere listen on 127.0.0.1 or put \
         a proxy that asks who is there before it"
    ))
}

/// That a query is no longer what the store's members of it were proved for.
fn edited(query: &Query, known: &Remembered, api: &Api) -> Option<String> {
    let proved = known.definition.as_deref()?;
    (proved != definition(query, api)).then(|| {
        format!(
            "\"{}\" was edited since its last success: until it succeeds again, the store holds the members of \
             the old one",
            query.name
        )
    })
}
