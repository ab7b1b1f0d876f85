//! What a SQLite file says in its first bytes, read without SQLite, which might write to files beside it.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// How every SQLite file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// <https://www.sqlite.org/fileformat.html#the_database_header>
const LENGTH: usize = 100;
const VERSIONS: std::ops::Range<usize> = 18..20;
const APPLICATION: std::ops::Range<usize> = 68..72;
const NO_LOG: &[u8] = &[1, 1];

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
        let mut bytes = [0; LENGTH];
        let mut file = File::open(path)?;
        match file.read_exact(&mut bytes) {
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
