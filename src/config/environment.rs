use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

/// What all our variables begin with.
pub(super) const PREFIX: &str = "VAINU_SYNC_";

/// What the command line says of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--store`
    pub store: Option<PathBuf>,
    /// `--log`
    pub log: Option<String>,
}

/// The surroundings that a configuration is read in: a snapshot, so that nothing else looks at the process.
#[derive(Clone)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    directory: PathBuf,
    root: PathBuf,
}

impl Environment {
    /// The variables and the current directory of this process.
    #[must_use]
    pub fn from_process() -> Self {
        let directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Self { variables: std::env::vars_os().collect(), directory, root: PathBuf::from("/") }
    }

    /// An environment without variables, in `directory`.
    #[must_use]
    pub fn in_directory(directory: impl Into<PathBuf>) -> Self {
        Self { variables: BTreeMap::new(), directory: directory.into(), root: PathBuf::from("/") }
    }

    /// The same with one more variable.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// The same with `/etc` and `/run` looked for below `root`.
    #[must_use]
    pub fn with_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = root.into();
        self
    }

    /// What systemd says of the stream that it has connected to its journal (`JOURNAL_STREAM`).
    #[must_use]
    pub fn journal_stream(&self) -> Option<&str> {
        self.variable("JOURNAL_STREAM")?.to_str()
    }

    /// The directory that relative paths of flags and variables start from.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where secrets are laid out: by systemd, then by container engines.
    pub(super) fn secret_folders(&self) -> impl Iterator<Item = PathBuf> {
        let systemd = self.variable("CREDENTIALS_DIRECTORY").filter(|path| !path.is_empty());
        let systemd = systemd.map(|path| self.directory().join(path));
        systemd.into_iter().chain([self.system_path("run/secrets")])
    }

    pub(super) fn system_path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(super) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

impl fmt::Debug for Environment {
    /// Names only: a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys())
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// The variable that sets a key: `["api", "timeout"]` is `VAINU_SYNC_API__TIMEOUT`.
pub(super) fn variable_name(keys: &[&str]) -> String {
    format!("{PREFIX}{}", keys.join("__").to_uppercase())
}
