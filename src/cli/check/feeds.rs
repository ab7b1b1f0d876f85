//! What `check` notes of feeds.

use jiff::Timestamp;
use rustix::fs::{Access, access};

use crate::config::settings::{Feed, Settings};
use crate::feed::{Standing, standings, warehouse_fault};
use crate::store::{Store, StoreError};

/// Addresses of databases that can't be used as they are.
pub fn addresses(settings: &Settings) -> impl Iterator<Item = String> {
    settings.warehouses.iter().filter_map(|feed| {
        let reason = warehouse_fault(feed)?;
        Some(format!("feed \"{}\" can't be written: {reason}", feed.name))
    })
}

/// Directories that can't be written as they are.
pub fn directories(settings: &Settings) -> impl Iterator<Item = String> {
    settings.feeds.iter().filter_map(|feed| {
        let reason = fault(feed)?;
        Some(format!("feed \"{}\" can't be written: {} {reason}", feed.name, feed.directory.display()))
    })
}

/// Commands that can't be run as they are.
pub fn commands(settings: &Settings) -> impl Iterator<Item = String> {
    settings.feeds.iter().filter_map(|feed| {
        let program = feed.after.as_ref()?.command.first()?;
        let is_path = program.contains('/');
        (is_path && access(program.as_str(), Access::EXEC_OK).is_err()).then(|| {
            format!(
                "feed \"{}\" can't be handed over: {program} (after) is not there, or may not be run by this user",
                feed.name
            )
        })
    })
}

fn fault(feed: &Feed) -> Option<&'static str> {
    match feed.directory.metadata() {
        Err(_) => {
            Some("does not exist, or this user may not look at it: create it, or set directory to another")
        }
        Ok(metadata) if !metadata.is_dir() => Some("is no directory: set directory to one"),
        Ok(_) => access(&feed.directory, Access::WRITE_OK | Access::EXEC_OK)
            .is_err()
            .then_some("may not be written by this user: give the directory to the one that writes the feed"),
    }
}

/// What the store remembers of feeds that somebody should know.
pub async fn stored(settings: &Settings, store: &mut Store) -> Result<Vec<String>, StoreError> {
    let standings = standings(settings, Some(store), Timestamp::now()).await?;
    Ok(standings.iter().filter_map(note).collect())
}

fn note(standing: &Standing) -> Option<String> {
    let Standing { feed, configured, error, waits_for, handing, .. } = standing;
    if !configured {
        return Some(format!(
            "the store remembers a feed \"{feed}\", which is not in the configuration: its files stay as they are, \
             and should it come back, it goes on after them"
        ));
    }
    if let Some(error) = error {
        return Some(format!("feed \"{feed}\" was not written last time: {error}"));
    }
    if let Some((way, error)) =
        handing.iter().find_map(|handing| Some((&handing.way, handing.error.as_ref()?)))
    {
        return Some(format!("feed \"{feed}\" was not handed over ({way}) last time: {error}"));
    }
    (!waits_for.is_empty()).then(|| {
        format!(
            "feed \"{feed}\" removes nobody until each of its queries has succeeded once: {}",
            waits_for.join(", ")
        )
    })
}
