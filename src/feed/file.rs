//! A file while it is written, under a temporary name.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::folder::{Folder, hex};
use super::{FeedError, names};
use crate::beside::adopt;
use crate::config::settings::Limits;

/// A file that is being written. Dropped before its end, it goes.
pub struct NewFile {
    path: PathBuf,
    out: Option<BufWriter<File>>,
    digest: Sha256,
    bytes: u64,
    pub rows: u64,
}

impl NewFile {
    /// Begins the file that will be called `name`, with what stands above its rows.
    pub fn begin(folder: Folder<'_>, name: &str, head: &str) -> Result<Self, FeedError> {
        let path = folder.path(&names::temporary(name));
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(|error| FeedError::of(&path, &error))?;
        adopt(&path);
        let out = Some(BufWriter::with_capacity(256 * 1024, file));
        let mut new = Self { path, out, digest: Sha256::new(), bytes: 0, rows: 0 };
        new.put(head)?;
        Ok(new)
    }

    pub fn row(&mut self, line: &str) -> Result<(), FeedError> {
        self.rows += 1;
        self.put(line)
    }

    /// Whether `line` would make it larger than these limits allow. One row it has in any case.
    pub fn is_full(&self, limits: Limits, line: &str) -> bool {
        let bytes = self.bytes + line.len() as u64;
        self.rows > 0
            && (limits.rows.is_some_and(|most| self.rows >= u64::from(most))
                || limits.bytes.is_some_and(|most| bytes > most))
    }

    /// Returns once the file is on the disk; its SHA-256.
    pub fn finish(mut self) -> Result<String, FeedError> {
        let out = self.out.take().expect("only the end takes it");
        let synced =
            out.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|file| file.sync_all());
        if let Err(error) = synced {
            let _ = std::fs::remove_file(&self.path);
            return Err(FeedError::of(&self.path, &error));
        }
        Ok(hex(&std::mem::take(&mut self.digest).finalize()))
    }

    fn put(&mut self, text: &str) -> Result<(), FeedError> {
        self.digest.update(text.as_bytes());
        self.bytes += text.len() as u64;
        let out = self.out.as_mut().expect("only the end takes it");
        out.write_all(text.as_bytes()).map_err(|error| FeedError::of(&self.path, &error))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(out) = self.out.take() {
            // What is still buffered is not wanted any more.
            let _ = out.into_parts();
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
