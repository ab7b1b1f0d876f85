//! A Debian system in a folder: the original, which stays clean, and copies of it to spoil.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::shell::{ended, has};

/// Names the folder.
const VARIABLE: &str = "VAINU_SYNC_DEBIAN";

/// The original, if it and all of `programs` are there; else what is lacking is said.
pub fn original(programs: &[&str]) -> Option<PathBuf> {
    let lacking = programs.iter().find(|program| !has(program));
    let folder = std::env::var_os(VARIABLE).map(PathBuf::from);
    let reason = match (&folder, lacking) {
        _ if !is_root() => "only root can do this".to_owned(),
        (None, _) => format!("{VARIABLE} names no folder with a Debian system; .ci/run makes one"),
        (Some(folder), _) if !folder.join("etc/debian_version").exists() => {
            format!("{} holds no Debian system; .ci/run makes one", folder.display())
        }
        (_, Some(program)) => format!("there is no {program}"),
        _ => return folder,
    };
    eprintln!("skipped: {reason}");
    None
}

/// A copy of the original, with the deployment tests of all processes kept out while it is used: the systemd in
/// each machine would take the others' processes for its own.
pub struct Copy {
    folder: TempDir,
    _alone: File,
}

impl Copy {
    pub fn of(original: &Path) -> Self {
        let lock = File::create(original.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        // Beside the original: /tmp may be small, or in memory.
        let folder = tempfile::Builder::new()
            .prefix("debian-")
            .tempdir_in(original.parent().expect("a folder that holds files has a parent"))
            .unwrap();
        let contents = original.join(".");
        ended(Command::new("cp").args(["-a", "--reflink=auto"]).arg(contents).arg(folder.path())).ok();
        Self { folder, _alone: lock }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts a file into it, with the folders that it needs.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Adds to a file of it.
    pub fn append(&self, path: &str, text: &str) {
        let before = std::fs::read_to_string(self.folder.path().join(path)).unwrap();
        self.write(path, &(before + text));
    }

    /// Copies a file or a folder of ours into it.
    pub fn take(&self, ours: &Path, path: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        ended(Command::new("cp").arg("-rT").arg(ours).arg(path)).ok();
    }
}

pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
