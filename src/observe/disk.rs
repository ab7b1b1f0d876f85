//! What the store takes up, and what room is left for it.

use std::path::Path;

use crate::beside::{beside, folder_of};

/// Sizes in bytes; `None` where one can't be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Disk {
    pub store: Option<u64>,
    /// The write-ahead log.
    pub wal: Option<u64>,
    /// What this user may still write on the store's file system.
    pub free: Option<u64>,
    pub size: Option<u64>,
}

impl Disk {
    /// Of the store at `path`. Waits for the disk.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let bytes = |path: &Path| path.metadata().ok().map(|metadata| metadata.len());
        let system = rustix::fs::statvfs(folder_of(path)).ok();
        let blocks = |blocks: u64| system.as_ref().map(|system| blocks.saturating_mul(system.f_frsize));
        Self {
            store: bytes(path),
            wal: bytes(&beside(path, "-wal")),
            free: system.as_ref().and_then(|system| blocks(system.f_bavail)),
            size: system.as_ref().and_then(|system| blocks(system.f_blocks)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_are_those_of_the_files_and_of_their_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vainu.db");
        assert_eq!((Disk::of(&path).store, Disk::of(&path).wal), (None, None));
        std::fs::write(&path, "12345").unwrap();
        std::fs::write(folder.path().join("vainu.db-wal"), "123").unwrap();
        let disk = Disk::of(&path);
        assert_eq!((disk.store, disk.wal), (Some(5), Some(3)));
        assert!(disk.free.unwrap() <= disk.size.unwrap() && disk.size.unwrap() > 0, "{disk:?}");
        assert_eq!(Disk::of(Path::new("/nowhere/vainu.db")), Disk::default());
    }
}
