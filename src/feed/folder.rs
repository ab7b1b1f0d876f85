//! The folder that a feed's files lie in.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{FeedError, names};
use crate::beside::sync_folder_of;

/// The folder of one feed.
#[derive(Debug, Clone, Copy)]
pub struct Folder<'a> {
    pub directory: &'a Path,
    pub feed: &'a str,
}

/// What lies in it.
#[derive(Debug, Default)]
pub struct Seen {
    /// The numbered files.
    pub files: BTreeMap<i64, String>,
    /// Names of files that were being written.
    pub temporary: Vec<String>,
    /// There is a manifest, whatever it tells.
    pub has_manifest: bool,
    /// The number of which it tells.
    pub manifest: Option<i64>,
}

#[derive(Deserialize)]
struct Told {
    sequence: i64,
}

impl Seen {
    /// The highest number that was ever given, as far as the folder shows.
    pub fn highest(&self) -> i64 {
        self.files.keys().next_back().copied().max(self.manifest).unwrap_or(0)
    }

    /// Whether nothing of the feed is there.
    pub fn is_blank(&self) -> bool {
        self.files.is_empty() && self.temporary.is_empty() && !self.has_manifest
    }
}

impl Folder<'_> {
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub fn look(&self) -> Result<Seen, FeedError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => FeedError::NoDirectory(self.directory.to_owned()),
            io::ErrorKind::NotADirectory => FeedError::NotADirectory(self.directory.to_owned()),
            _ => FeedError::of(self.directory, &error),
        };
        let mut seen = Seen::default();
        for entry in fs::read_dir(self.directory).map_err(failed)? {
            let Ok(name) = entry.map_err(failed)?.file_name().into_string() else { continue };
            match names::sequence_of(self.feed, &name) {
                Some(sequence) => {
                    seen.files.insert(sequence, name);
                }
                None if names::is_temporary(self.feed, &name) => seen.temporary.push(name),
                None if name == names::manifest(self.feed) => seen.has_manifest = true,
                None => {}
            }
        }
        if seen.has_manifest {
            seen.manifest = self.manifest();
        }
        Ok(seen)
    }

    /// The number in the manifest. The next pass writes it anew, so that one that a hand has spoilt holds nothing up.
    fn manifest(&self) -> Option<i64> {
        let path = self.path(&names::manifest(self.feed));
        let told = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let number = told.map(|told: Told| told.sequence).filter(|number| names::is_sequence(*number));
        if number.is_none() {
            tracing::warn!(file = %path.display(), "tells of no file: the numbers of the files and of the store count");
        }
        number
    }

    /// Gives a file its name, for good.
    pub fn place(&self, file: &str) -> Result<(), FeedError> {
        let path = self.path(file);
        // A name never has two contents: whatever stands there stays.
        if path.symlink_metadata().is_ok() {
            return Err(FeedError::Taken(path));
        }
        self.replace(file)
    }

    /// Gives a file its name in the place of an earlier one.
    pub fn replace(&self, file: &str) -> Result<(), FeedError> {
        let path = self.path(file);
        fs::rename(self.path(&names::temporary(file)), &path)
            .and_then(|()| sync_folder_of(&path))
            .map_err(|error| FeedError::of(&path, &error))
    }

    /// Removes what nothing needs any more; what can't be removed is tried again next time.
    pub fn remove(&self, name: &str) {
        if let Err(error) = fs::remove_file(self.path(name))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(file = %self.path(name).display(), %error, "could not be removed: tried again next time");
        }
    }

    /// Whether there is a file of this name with this SHA-256.
    pub fn holds(&self, name: &str, sha256: &str) -> bool {
        sha256_of(&self.path(name)).is_ok_and(|found| found == sha256)
    }
}

fn sha256_of(path: &Path) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize())),
            read => digest.update(&buffer[..read]),
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text grows without failing");
        text
    })
}
