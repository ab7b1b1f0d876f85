use std::io;
use std::path::{Path, PathBuf};

use crate::organization::Database;

/// Why `init` wrote nothing, beside what the configuration or the API have to say. Repeating alone does not
/// help.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    #[error(
        "{} is there already, and init overwrites nothing: `vainu-sync check` shows a configuration that is \
         there; for another one, name another place with --config FILE", .0.display()
    )]
    Exists(PathBuf),
    #[error(
        "the secret file {} is there already, and init overwrites nothing: move it away if it is no longer used, or \
         name another place with --config FILE", .0.display()
    )]
    SecretExists(PathBuf),
    #[error("there is no folder {}; make it first, or name another place with --config or --store", .0.display())]
    NoFolder(PathBuf),
    #[error(
        "{} can't be written: {source}; {}name another place with --config FILE", .path.display(),
        if .source.kind() == io::ErrorKind::StorageFull { "make room, or " } else { "" }
    )]
    Unwritable { path: PathBuf, source: io::Error },
    /// TOML is UTF-8.
    #[error("the path {path:?} is not UTF-8 text, so a configuration can't name it; take another")]
    PathNotText { path: PathBuf },
    #[error(
        "this account may not use database {database}{}; ask Vainu for access, or take another database",
        .detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default()
    )]
    Forbidden { database: Database, detail: Option<String> },
    #[error("the terminal can't be told to hide what is typed: {0}; give the secret by stdin: init < FILE")]
    Echo(io::Error),
    #[error("stdin can't be read: {0}")]
    Unreadable(io::Error),
    #[error("stopped; no configuration and no secret file were written")]
    Stopped,
}

impl InitError {
    /// That `path` could not be made.
    pub(super) fn unwritten(path: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists(path.to_owned()),
            _ => Self::Unwritable { path: path.to_owned(), source: error },
        }
    }
}
