//! A backup: a copy beside its place, proved, on the disk, and only then under its name.

mod partial;
mod place;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use self::partial::Partial;
use self::place::Place;
use crate::beside::sync_folder_of;
use crate::store::{Store, StoreError};

/// Why there is no new backup. An earlier one of that name is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// What stands at the backup's place must not be overwritten, or can't be.
    #[error("{}: {reason}", path.display())]
    Place { path: PathBuf, reason: &'static str },
    #[error("another backup to {} is under way: wait until it has ended", .0.display())]
    UnderWay(PathBuf),
    #[error("the disk is full, no backup was written to {}: make room there", .0.display())]
    Full(PathBuf),
    #[error("no backup was written to {}: {reason}", path.display())]
    Io { path: PathBuf, reason: io::Error },
    #[error("stopped by a signal: no backup was written to {}", .0.display())]
    Stopped(PathBuf),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    pub organizations: u64,
    pub bytes: u64,
}

/// Writes a backup of the store at `store` to `file`, whoever else works on the store. It takes the place of an
/// earlier backup at once and whole.
///
/// # Errors
/// If something else is at `file`, the store is damaged, there is no room, or `stop` is cancelled.
pub async fn backup(store: &Path, file: &Path, stop: &CancellationToken) -> Result<Backup, BackupError> {
    if !Store::inspect(store).await? {
        return Err(StoreError::Absent(store.to_owned()).into());
    }
    let place = Place::find(store, file)?;
    let failed = |error: io::Error| failed(&place.path, error);
    let partial = Partial::begin(&place.path, place.mode).await?;
    let copied = Store::copy_to(store, &partial.path, stop).await;
    let organizations = copied.map_err(|error| of_store(&place.path, &partial, error))?;
    let bytes = finish(&partial, &place).map_err(failed)?;
    Ok(Backup { organizations, bytes })
}

/// Gives the copy its name once it is on the disk; how large it is.
fn finish(partial: &Partial, place: &Place) -> io::Result<u64> {
    place.give_away(&partial.path)?;
    let copy = File::open(&partial.path)?;
    copy.sync_all()?;
    fs::rename(&partial.path, &place.path)?;
    sync_folder_of(&place.path)?;
    Ok(copy.metadata()?.len())
}

fn of_store(file: &Path, partial: &Partial, error: StoreError) -> BackupError {
    match error {
        StoreError::Full(path) if path == partial.path => BackupError::Full(file.to_owned()),
        StoreError::Stopped => BackupError::Stopped(file.to_owned()),
        error => error.into(),
    }
}

fn failed(file: &Path, error: io::Error) -> BackupError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => BackupError::Full(file.to_owned()),
        _ => BackupError::Io { path: file.to_owned(), reason: error },
    }
}
