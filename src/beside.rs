//! Files that lie beside a store: its locks, a kept refresh token.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// The path of a file that belongs to a store: `vainu.db` → `vainu.db.lock`.
#[must_use]
pub fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// The folder that `path` lies in.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a name that was given to a file outlast a loss of power: its folder keeps it.
///
/// # Errors
/// If the folder can't be synced.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// The file that `path` leads to: whoever comes by a link must find the same files beside it. A file that is
/// not there yet is placed in the folder that is meant.
#[must_use]
pub fn real_place(path: PathBuf) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// Opens `path` to read and write, and makes it where it is missing, with these permissions.
///
/// # Errors
/// If it can't be opened or made.
pub fn open_or_make(path: &Path, mode: u32) -> io::Result<File> {
    match options(mode).create_new(true).open(path) {
        Ok(file) => {
            adopt(path);
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options(mode).open(path),
        Err(error) => Err(error),
    }
}

fn options(mode: u32) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    options
}

/// Gives a new file to the owner of its folder, where that is another: a service must be able to go on with
/// what an administrator's command has left.
#[cfg(unix)]
pub fn adopt(path: &Path) {
    use std::os::unix::fs::{MetadataExt, chown};
    let Ok(folder) = folder_of(path).metadata() else { return };
    if path.metadata().is_ok_and(|file| file.uid() != folder.uid()) {
        // Only root may; for anybody else the file stays their own.
        let _ = chown(path, Some(folder.uid()), Some(folder.gid()));
    }
}

#[cfg(not(unix))]
pub fn adopt(_path: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_and_a_way_around_lead_to_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap().join("vainu.db");
        std::fs::create_dir(folder.path().join("other")).unwrap();
        assert_eq!(real_place(folder.path().join("other/../vainu.db")), real, "not there yet");
        std::fs::write(&real, "").unwrap();
        let link = folder.path().join("other/link.db");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(real_place(link), real);
        assert_eq!(real_place("/no/such/folder/vainu.db".into()), Path::new("/no/such/folder/vainu.db"));
    }
}
