//! What a SQLite file says in its first bytes, read without SQLite, which might write to files beside it.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::Identity;

/// How every SQLite file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// <https://www.sqlite.org/fileformat.html#the_database_header>
const LENGTH: usize = 100;
const VERSIONS: std::ops::Range<usize> = 18..20;
const APPLICATION: std::ops::Range<usize> = 68..72;
const NO_LOG: &[u8] = &[1, 1];

/// Files that were looked at. None is closed while it is there: that would let go of the locks that SQLite holds on
/// it in this process, and another program would take itself for the last user and remove the log
/// (<https://www.sqlite.org/howtocorrupt.html>, on locks that are cancelled by a close).
static OPENED: Mutex<Vec<(Identity, File)>> = Mutex::new(Vec::new());

/// What a file is, by its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    Empty,
    /// A store that has no write-ahead log: as `backup` leaves it.
    Backup,
    /// A store that was opened as one: it has, or had, a write-ahead log.
    Store,
    /// Anything else.
    Foreign,
}

impl Header {
    /// Of the file at `path`.
    ///
    /// # Errors
    /// If there is none, or it can't be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        // What was removed nobody opens any more.
        opened.retain(|(_, file)| file.metadata().is_ok_and(|file| file.nlink() > 0));
        let identity = Identity::of(path)?;
        if let Some((_, file)) = opened.iter().find(|(known, _)| *known == identity) {
            return Self::read(file);
        }
        let file = File::open(path)?;
        let read = Self::read(&file);
        opened.push((Identity::of_file(&file)?, file));
        read
    }

    fn read(file: &File) -> io::Result<Self> {
        let mut bytes = [0; LENGTH];
        match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => Ok(Self::from_bytes(&bytes)),
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error),
            Err(_) if file.metadata()?.len() == 0 => Ok(Self::Empty),
            Err(_) => Ok(Self::Foreign),
        }
    }

    fn from_bytes(bytes: &[u8; LENGTH]) -> Self {
        if !bytes.starts_with(MAGIC) || bytes[APPLICATION] != super::open::APPLICATION_ID.to_be_bytes() {
            Self::Foreign
        } else if &bytes[VERSIONS] == NO_LOG {
            Self::Backup
        } else {
            Self::Store
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Store, fresh};
    use super::*;

    /// The locks on a file, as the kernel lists them: device and inode stand in their sixth column.
    /// `None` where it does not.
    fn locks_on(path: &Path) -> Option<usize> {
        let inode = format!(":{}", path.metadata().unwrap().ino());
        let locks = std::fs::read_to_string("/proc/locks").ok()?;
        let file = |line: &str| line.split_whitespace().nth(5).map(str::to_owned);
        Some(locks.lines().filter_map(file).filter(|file| file.ends_with(&inode)).count())
    }

    #[tokio::test]
    async fn a_look_at_a_store_leaves_sqlite_its_locks_on_it() {
        let (mut writer, _place) = fresh::store().await;
        let path = writer.path().to_owned();
        writer.mark_interrupted("2026-01-01T00:00:00.000Z").await.unwrap();
        let before = locks_on(&path);
        assert_ne!(before, Some(0), "a connection holds one for as long as it is open");
        for _ in 0..2 {
            Header::of(&path).unwrap();
            Store::open_to_read(&path).await.unwrap().close().await.unwrap();
        }
        assert_eq!(locks_on(&path), before, "without it another program takes itself for the last user");
        writer.close().await.unwrap();
    }
}
