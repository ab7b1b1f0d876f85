use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

use super::{BackupError, failed};
use crate::beside::{beside, folder_of, open_or_make};

/// A backup that is not whole yet is called so.
const PARTIAL: &str = ".vainu-partial";
/// Locked for as long as somebody writes it: SQLite has locks of its own on the copy itself.
const LOCK: &str = ".lock";

/// Somebody who looks whether a lock is held holds it for a moment.
const LOOKS: u32 = 10;
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A backup while it is written. It goes when this is dropped; one whose process died goes at the next backup
/// into its folder.
pub(super) struct Partial {
    pub path: PathBuf,
    _lock: File,
}

impl Partial {
    /// Makes the empty file that is to become `target`.
    ///
    /// # Errors
    /// If another process writes a backup to `target`, or the folder can't be written.
    pub async fn begin(target: &Path, mode: u32) -> Result<Self, BackupError> {
        let path = beside(target, PARTIAL);
        let lock = lock(&path, target).await?;
        let partial = Self { path, _lock: lock };
        remove(&partial.path);
        remove_dead(folder_of(target), &partial.path);
        let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(&partial.path);
        opened.map_err(|error| failed(target, error))?;
        Ok(partial)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        remove(&self.path);
        let _ = fs::remove_file(beside(&self.path, LOCK));
    }
}

async fn lock(partial: &Path, target: &Path) -> Result<File, BackupError> {
    let path = beside(partial, LOCK);
    for _ in 0..LOOKS {
        let file = open_or_make(&path, 0o600).map_err(|error| failed(target, error))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => sleep(LOOK_EVERY).await,
            // Whoever held it has removed it since it was opened.
            Ok(()) if !is_at(&file, &path) => {}
            // A file system without locks has nothing better.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
    Err(BackupError::UnderWay(target.to_owned()))
}

fn is_at(file: &File, path: &Path) -> bool {
    let same =
        |one: &fs::Metadata, other: &fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
    file.metadata().is_ok_and(|file| path.metadata().is_ok_and(|there| same(&file, &there)))
}

/// Removes what backups under other names have left that were killed.
fn remove_dead(folder: &Path, own: &Path) {
    let ending = format!("{PARTIAL}{LOCK}");
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let partial = path.with_extension("");
        let is_lock = path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.ends_with(&ending));
        if is_lock && partial != own && is_dead(&path).unwrap_or(false) {
            remove(&partial);
            let _ = fs::remove_file(path);
        }
    }
}

/// Whether nobody holds this lock any more.
fn is_dead(lock: &Path) -> io::Result<bool> {
    let file = OpenOptions::new().read(true).write(true).open(lock)?;
    Ok(file.try_lock().is_ok())
}

fn remove(partial: &Path) {
    for suffix in ["", "-journal"] {
        let _ = fs::remove_file(beside(partial, suffix));
    }
}
