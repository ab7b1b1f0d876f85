use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// Which file a path names: another one of the same name is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    place: (u64, u64),
    /// The numbers of a file that was removed are soon given to another.
    created: Option<SystemTime>,
}

impl Identity {
    /// Of the file at `path`.
    ///
    /// # Errors
    /// If there is none, or it can't be looked at.
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self::from_metadata(&path.metadata()?))
    }

    /// Of an open file.
    ///
    /// # Errors
    /// If it can't be looked at.
    pub fn of_file(file: &File) -> io::Result<Self> {
        Ok(Self::from_metadata(&file.metadata()?))
    }

    fn from_metadata(metadata: &Metadata) -> Self {
        Self { place: place(metadata), created: metadata.created().ok() }
    }
}

#[cfg(unix)]
fn place(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn place(_metadata: &Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_put_in_the_place_of_another_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vainu.db");
        std::fs::write(&path, "x").unwrap();
        let first = Identity::of(&path).unwrap();
        std::fs::write(&path, "written to").unwrap();
        assert_eq!(Identity::of(&path).unwrap(), first);
        std::fs::rename(&path, folder.path().join("aside")).unwrap();
        assert!(Identity::of(&path).is_err());
        std::fs::write(&path, "x").unwrap();
        assert_ne!(Identity::of(&path).unwrap(), first);
        std::fs::rename(folder.path().join("aside"), &path).unwrap();
        assert_eq!(Identity::of(&path).unwrap(), first);
    }
}
