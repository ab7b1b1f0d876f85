use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use super::{BackupError, failed};
use crate::beside::{beside, folder_of, real_place};
use crate::store::{Header, Identity};

/// Read and write, for whomever.
const READ_AND_WRITE: u32 = 0o666;

/// What SQLite and we put beside a store.
const BESIDE_STORE: [&str; 8] =
    ["-wal", "-shm", "-journal", ".lock", ".daemon.lock", ".token", ".token.lock", ".dry-run"];

/// Where a backup goes.
pub(super) struct Place {
    pub path: PathBuf,
    /// Of a new file; the process's umask takes from it.
    pub mode: u32,
    /// What is there: an earlier backup, whose owner and mode the new one takes over.
    earlier: Option<Metadata>,
}

impl Place {
    /// The place that `file` names, if a backup may stand there.
    ///
    /// # Errors
    /// If it is the store itself, or anything but an earlier backup is there.
    pub fn find(store: &Path, file: &Path) -> Result<Self, BackupError> {
        let path = std::path::absolute(file).map(real_place).map_err(|error| failed(file, error))?;
        let refused = |reason| Err(BackupError::Place { path: path.clone(), reason });
        if !folder_of(&path).is_dir() {
            return refused("its folder does not exist: create it, or name another file");
        }
        if BESIDE_STORE.iter().any(|suffix| beside(store, suffix) == path) {
            return refused("the store keeps a file of its own under this name: name another file");
        }
        let earlier = match fs::metadata(&path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(&path, error)),
        };
        if let Some(reason) = earlier.as_ref().and_then(|there| obstacle(store, &path, there).transpose()) {
            return match reason {
                Ok(reason) => refused(reason),
                Err(error) => Err(failed(&path, error)),
            };
        }
        if ["-wal", "-journal"].iter().any(|suffix| is_filled(&beside(&path, suffix))) {
            return refused(
                "a -wal or -journal file of another database lies beside it, which SQLite would take for the \
                 backup's own: delete that, or name another file",
            );
        }
        let store = fs::metadata(store).map_err(|error| failed(store, error))?;
        Ok(Self { path, mode: store.mode() & READ_AND_WRITE, earlier })
    }

    /// Gives `file` the owner and the mode of the backup that it takes the place of. Who can't give it to the same
    /// group lets only its owner read it.
    pub fn give_away(&self, file: &Path) -> io::Result<()> {
        let Some(earlier) = &self.earlier else { return Ok(()) };
        let mode = match chown(file, Some(earlier.uid()), Some(earlier.gid())) {
            Err(_) if file.metadata()?.gid() != earlier.gid() => earlier.mode() & 0o600,
            _ => earlier.mode() & READ_AND_WRITE,
        };
        fs::set_permissions(file, Permissions::from_mode(mode))
    }
}

/// Why what is at `path` stays; `None`: an earlier backup, or an empty file.
fn obstacle(store: &Path, path: &Path, there: &Metadata) -> io::Result<Option<&'static str>> {
    if there.is_dir() {
        return Ok(Some("is a directory: name a file in it"));
    }
    if !there.is_file() {
        return Ok(Some("is no file: name one"));
    }
    if Identity::of(path)? == Identity::of(store)? {
        return Ok(Some("is the store itself: name another file"));
    }
    Ok(match Header::of(path)? {
        Header::Empty | Header::Backup => None,
        Header::Store => {
            Some("is a store that was worked with, and no backup: name another file, or remove it first")
        }
        Header::Foreign => {
            Some("is there and is no backup of a store: name another file, or remove it first")
        }
    })
}

fn is_filled(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() > 0)
}
