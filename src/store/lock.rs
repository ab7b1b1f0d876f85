//! Who may write: `<store>.lock`, held for as long as a process has something under way.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::StoreError;
use crate::beside::{beside, folder_of, open_or_make};

/// How often a lock is looked at that another process holds.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Who only looks whether a lock is held ([`Lock::is_held`]) has let go of it by the next try.
const TRIES: u32 = 3;

/// The lock on a store. The operating system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone is not enough: a child between fork and exec has the file too.
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// Takes `<store>.lock` and writes into it who holds it.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another process holds it, with what that one wrote.
    pub fn take(store: &Path, holder: &str) -> Result<Self, StoreError> {
        Self::take_file(store, ".lock", holder)
    }

    /// As [`Lock::take`], but waits for up to `patience` until whoever holds it lets go.
    ///
    /// # Errors
    /// As [`Lock::take`], once `patience` is over.
    pub async fn take_within(store: &Path, holder: &str, patience: Duration) -> Result<Self, StoreError> {
        let began = Instant::now();
        let mut told = false;
        loop {
            match Self::take(store, holder) {
                Err(StoreError::InUse { holder, .. }) if began.elapsed() < patience => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::info!(%holder, "the store is in use: waiting");
                    }
                }
                taken => return taken,
            }
            sleep(LOOK_EVERY.min(patience.saturating_sub(began.elapsed()))).await;
        }
    }

    /// Takes `<store>.daemon.lock`, for a daemon's life.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another daemon holds it.
    pub fn take_for_daemon(store: &Path, holder: &str) -> Result<Self, StoreError> {
        Self::take_file(store, ".daemon.lock", holder)
    }

    /// Takes `<store>.FEED.handover.lock`, for as long as files of `feed` are handed over.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another process holds it.
    pub fn take_for_handover(store: &Path, feed: &str, holder: &str) -> Result<Self, StoreError> {
        Self::take_file(store, &format!(".{feed}.handover.lock"), holder)
    }

    /// Whether some process, this one too, has something under way on the store.
    #[must_use]
    pub fn is_held(store: &Path) -> bool {
        let Ok(file) = File::open(beside(store, ".lock")) else { return false };
        // Shared, and let go of at once: who takes the lock just now tries again.
        match file.try_lock_shared() {
            Ok(()) => file.unlock().is_err(),
            Err(_) => true,
        }
    }

    /// Since when the program is at work on this store, also where the store itself is gone: its locks stay.
    #[must_use]
    pub fn first_taken(store: &Path) -> Option<Timestamp> {
        let made = |suffix| {
            let lock = beside(store, suffix).metadata().ok()?;
            Timestamp::try_from(lock.created().or_else(|_| lock.modified()).ok()?).ok()
        };
        [".lock", ".daemon.lock"].into_iter().filter_map(made).min()
    }

    /// The lock's file: a child that has it too holds the lock, should this process die before it.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    fn take_file(store: &Path, suffix: &str, holder: &str) -> Result<Self, StoreError> {
        let path = beside(store, suffix);
        let failed = |error: std::io::Error| not_writable(store, &path, &error);
        let mut file = open_or_make(&path, 0o644).map_err(failed)?;
        let mut tries = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    let holder = holder_of(&mut file);
                    tries += 1;
                    if tries == TRIES {
                        return Err(StoreError::InUse { path: store.to_owned(), holder });
                    }
                    std::thread::yield_now();
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        // Only for people to read: a full disk must not keep a run from starting.
        let _ = write_holder(&mut file, holder);
        Ok(Self { file })
    }
}

fn not_writable(store: &Path, path: &Path, error: &std::io::Error) -> StoreError {
    match folder_of(store) {
        folder if !folder.exists() => StoreError::NoFolder(folder.to_owned()),
        _ => StoreError::from_io(store, path, error),
    }
}

fn write_holder(file: &mut File, holder: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{holder}")
}

fn holder_of(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(200).read_to_string(&mut text));
    match read {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "another process".to_owned(),
    }
}
