use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::environment::{Environment, Flags};
use super::problem::{ConfigError, Origin, Problem};

/// The configuration file and its text.
pub(super) struct Found {
    /// Complete, as far as the current directory is known.
    pub path: PathBuf,
    /// As its user named it.
    pub shown: PathBuf,
    /// Whether a flag or a variable names it.
    pub is_named: bool,
    /// Without a byte order mark.
    pub text: String,
    /// Since when it is as it is, where that can be told.
    pub unchanged_since: Option<Timestamp>,
}

impl Found {
    /// What relative paths in the file start from.
    pub fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }
}

const HERE: &str = "config.toml";
const SYSTEM_FILE: &str = "etc/vainu-sync/config.toml";

/// Finds and reads the file: `--config`, else `VAINU_SYNC_CONFIG`, else `./config.toml`, else
/// `/etc/vainu-sync/config.toml`.
pub(super) fn file(flags: &Flags, environment: &Environment) -> Result<Found, Problem> {
    if let Some((path, origin)) = named(flags, environment)? {
        let found = read(environment.directory().join(path), path.to_owned()).map_err(|problem| Problem {
            message: format!("{} (named by {origin})", problem.message),
            ..problem
        })?;
        return Ok(Found { is_named: true, ..found });
    }
    let here = environment.directory().join(HERE);
    if present(&here) {
        return read(here, PathBuf::from(HERE));
    }
    let system = environment.system_path(SYSTEM_FILE);
    if present(&system) {
        return read(system.clone(), system);
    }
    Err(nowhere(&here, &system))
}

/// Where a configuration that is still to be written belongs: `--config`, else `VAINU_SYNC_CONFIG`, else
/// `./config.toml`. Complete, as far as the current directory is known.
///
/// # Errors
/// If the flag or the variable is empty.
pub fn place(flags: &Flags, environment: &Environment) -> Result<PathBuf, ConfigError> {
    let path = named(flags, environment)?.map_or(Path::new(HERE), |(path, _)| path);
    Ok(environment.directory().join(path))
}

/// The file that the flag or the variable names.
fn named<'a>(flags: &'a Flags, environment: &'a Environment) -> Result<Option<(&'a Path, Origin)>, Problem> {
    let flag = flags.config.as_deref().map(|path| (path, "--config", Origin::Flag("--config".into())));
    let variable = || {
        let path = environment.variable("VAINU_SYNC_CONFIG")?;
        Some((Path::new(path), "configuration file", Origin::Variable("VAINU_SYNC_CONFIG".into())))
    };
    match flag.or_else(variable) {
        Some((path, key, origin)) if path.as_os_str().is_empty() => Err(Problem {
            key: Some(key.into()),
            message: "is empty; name a file, or leave it out to use ./config.toml".into(),
            origin: Some(origin),
        }),
        named => Ok(named.map(|(path, _, origin)| (path, origin))),
    }
}

/// True for what can't be looked at, too: better to say so than to pass it over.
fn present(path: &Path) -> bool {
    !matches!(path.metadata(), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

fn read(path: PathBuf, shown: PathBuf) -> Result<Found, Problem> {
    let at = |line, message: String| Problem {
        key: None,
        message,
        origin: Some(Origin::File { path: shown.clone(), line }),
    };
    let unchanged_since = unchanged_since(&path);
    let bytes = std::fs::read(&path).map_err(|error| at(None, unreadable(&error)))?;
    match String::from_utf8(bytes) {
        Ok(text) => {
            let text = without_mark(&text).to_owned();
            Ok(Found { path, text, shown, is_named: false, unchanged_since })
        }
        Err(error) => {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = valid.split(|byte| *byte == b'\n').count();
            Err(at(Some(line), "is not UTF-8 text; save the file as UTF-8".into()))
        }
    }
}

/// Since when a file has had its text and its place: a copy that keeps the time of its text is younger than that.
fn unchanged_since(path: &Path) -> Option<Timestamp> {
    use std::os::unix::fs::MetadataExt;
    Timestamp::from_second(path.metadata().ok()?.ctime()).ok()
}

fn nowhere(here: &Path, system: &Path) -> Problem {
    Problem {
        key: None,
        message: format!(
            "no configuration file: looked for {} and {}. `vainu-sync init` writes one (config.example.toml shows \
             every key), or name another file with --config or VAINU_SYNC_CONFIG; `vainu-sync demo` shows the \
             program without any",
            here.display(),
            system.display()
        ),
        origin: None,
    }
}

/// Why a file can't be read, and what to do.
pub(super) fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::IsADirectory => "is a directory, not a file".into(),
        io::ErrorKind::PermissionDenied => "may not be read by this user; check its owner and mode".into(),
        _ => format!("can't be read: {error}"),
    }
}

/// The text of another file that the configuration names, or why there is none.
pub(super) fn read_text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => "is not UTF-8 text".into(),
        _ => unreadable(&error),
    })
}

/// `text` without the byte order mark that some editors put in front.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
