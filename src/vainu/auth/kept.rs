//! The refresh token that the server gave in place of the configured one, kept in a file beside the store.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep};

use super::super::error::{Cause, Error};
use super::super::retry::{Failure, Trouble};
use crate::beside::{beside, open_or_make, sync_folder_of};

/// How often it is looked whether another process has let go of the file.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const OWNER_ONLY: u32 = 0o600;
/// More than a kept token takes.
const ROOM: usize = 16 * 1024;

/// A refresh token that the server gave in place of a configured one.
#[derive(Clone)]
pub(super) struct Kept {
    pub refresh: SecretString,
    /// SHA-256 of the configured one, in base64url. Another one there means that the user has replaced it.
    descends_from: String,
}

impl Kept {
    pub fn new(refresh: SecretString, configured: &SecretString) -> Self {
        Self { refresh, descends_from: digest(configured) }
    }

    pub fn descends_from(&self, configured: &SecretString) -> bool {
        self.descends_from == digest(configured)
    }
}

fn digest(token: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose_secret()))
}

/// Where a token is kept: `<store>.token`, and `<store>.token.lock` for whoever refreshes.
pub(super) struct TokenFile {
    store: PathBuf,
    patience: Duration,
}

impl TokenFile {
    /// `patience` is how long another process is waited for: no refresh takes longer than one request may.
    pub fn new(store: &Path, patience: Duration) -> Self {
        Self { store: store.to_owned(), patience }
    }

    /// Takes the file for this process alone, and makes sure that it can be written: the token that is spent
    /// next may be void afterwards, and its successor exist nowhere but here.
    pub async fn hold(&self) -> Result<Held, Failure> {
        let lock = self.lock().await?;
        let held = Held { path: beside(&self.store, ".token"), new: beside(&self.store, ".token.new"), lock };
        held.make_room().map_err(|error| held.failed(error))?;
        Ok(held)
    }

    async fn lock(&self) -> Result<File, Failure> {
        let path = beside(&self.store, ".token.lock");
        let failed = |error| Failure::Final(Error::TokenFile { path: path.clone(), reason: Arc::new(error) });
        let file = open_or_make(&path, OWNER_ONLY).map_err(failed)?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if began.elapsed() > self.patience => {
                    return Err(Trouble::new(Cause::Locked(path)).into());
                }
                Err(TryLockError::WouldBlock) => sleep(LOOK_EVERY).await,
            }
        }
    }
}

/// The file, while no other process reads or writes it.
pub(super) struct Held {
    path: PathBuf,
    new: PathBuf,
    lock: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.new);
        // Closing alone is not enough: a child between fork and exec has the file too.
        let _ = self.lock.unlock();
    }
}

#[derive(Deserialize)]
struct Text {
    refresh: SecretString,
    descends_from: String,
}

impl Held {
    /// The kept token, if there is one.
    pub fn read(&self) -> Result<Option<Kept>, Failure> {
        let bytes = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| self.failed(error))?,
        };
        let Ok(Text { refresh, descends_from }) = serde_json::from_slice(&bytes) else {
            let path = self.path.display();
            tracing::warn!(%path, "holds no kept refresh token: the configured one is used");
            return Ok(None);
        };
        Ok(Some(Kept { refresh, descends_from }))
    }

    /// Replaces the file, whole or not at all, and so that it outlasts a loss of power.
    pub fn write(&self, kept: &Kept) -> io::Result<()> {
        let text = serde_json::json!({
            "refresh": kept.refresh.expose_secret(),
            "descends_from": kept.descends_from,
        });
        let mut file = open_or_make(&self.new, OWNER_ONLY)?;
        let text = text.to_string();
        file.write_all(text.as_bytes())?;
        file.set_len(text.len() as u64)?;
        file.sync_all()?;
        fs::rename(&self.new, &self.path)?;
        sync_folder_of(&self.path)
    }

    /// Forgets the kept token: the configured one was accepted in its place.
    pub fn remove(&self) {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let path = self.path.display();
                tracing::warn!(%path, %error, "a refresh token that is no longer used can't be removed");
            }
            _ => {}
        }
    }

    /// Room for the next token.
    pub fn make_room(&self) -> io::Result<()> {
        match fs::remove_file(&self.new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = open_or_make(&self.new, OWNER_ONLY)?;
        file.write_all(&[b' '; ROOM])?;
        file.sync_all()
    }

    fn failed(&self, error: io::Error) -> Failure {
        Failure::Final(Error::TokenFile { path: self.path.clone(), reason: Arc::new(error) })
    }
}
