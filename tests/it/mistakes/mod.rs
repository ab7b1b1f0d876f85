//! Mistakes as people make them. Each is told alone, in one line, with its place, what is wrong and what would
//! be right; nothing is written, nothing goes to stdout, no secret is told, and the exit code is 78.

mod auth;
mod feeds;
mod files;
mod names;
mod notes;
mod queries;
mod several;
mod syntax;
mod tables;
mod types;
mod variables;
mod warehouses;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;

use tempfile::TempDir;

use crate::program::{Ended, ended, program};

/// The shortest query that is right.
const QUERY: &str = "[[queries]]\nname = 'all'\ndatabase = 'FI'\nquery = '{\"?ALL\": []}'\nfields = ['name']\nschedule = '@daily'\n";

/// Spawned at once.
const THREADS: usize = 4;

/// Words that must be among those told.
type Words = &'static [&'static str];

struct Mistake {
    text: Vec<u8>,
    variables: Vec<(OsString, OsString)>,
    args: Vec<OsString>,
    /// What the line begins with; `{folder}` is the folder's path.
    place: String,
    words: Words,
}

impl Mistake {
    fn in_file(text: impl Into<Vec<u8>>, place: impl Into<String>, words: Words) -> Self {
        Self { text: text.into(), variables: vec![], args: vec!["check".into()], place: place.into(), words }
    }

    /// `text` stands above a query that is right.
    fn above(text: &str, place: impl Into<String>, words: Words) -> Self {
        Self::in_file(format!("{text}\n{QUERY}"), place, words)
    }

    /// A query that is right but for one line.
    fn within(right: &str, wrong: &str, place: impl Into<String>, words: Words) -> Self {
        assert!(QUERY.contains(right), "{right}");
        Self::in_file(QUERY.replace(right, wrong), place, words)
    }

    fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    fn told_by(self, args: &[&str]) -> Self {
        Self { args: args.iter().map(Into::into).collect(), ..self }
    }

    /// What is not as it should be when the program meets the mistake.
    fn fault(&self) -> Option<String> {
        let folder = folder(&self.text);
        let before = names(folder.path());
        let ended = run(folder.path(), &self.args, &self.variables);
        let told = ended.err.strip_prefix("vainu-sync: ").and_then(|told| told.strip_suffix('\n'));
        let place = self.place.replace("{folder}", &folder.path().display().to_string());
        let after = told.and_then(|told| told.strip_prefix(&place));
        let lacking = self.words.iter().find(|word| !ended.err.contains(*word));
        let fault = match () {
            () if ended.code != Some(78) => format!("exit code {:?}", ended.code),
            () if !ended.out.is_empty() => format!("on stdout: {}", ended.out),
            () if ended.err.lines().count() != 1 => "not one line".to_owned(),
            () if !after.is_some_and(|after| after.starts_with([':', ' '])) => format!("not told of {place}"),
            () if lacking.is_some() => format!("told without {:?}", lacking?),
            () if ended.err.contains("s3cr") => "a secret is told".to_owned(),
            () if names(folder.path()) != before => format!("left {:?} behind", names(folder.path())),
            () => return None,
        };
        let (text, variables) = (String::from_utf8_lossy(&self.text), &self.variables);
        Some(format!("{fault}\n  {text:?} {variables:?}\n  {}", ended.err))
    }
}

/// Runs the program on each and tells of all that are not told as they should be.
fn assert_told(mistakes: impl IntoIterator<Item = Mistake>) {
    let left: Mutex<Vec<Mistake>> = Mutex::new(mistakes.into_iter().collect());
    let faults = Mutex::new(Vec::new());
    let work = || {
        while let Some(mistake) = { left.lock().unwrap().pop() } {
            faults.lock().unwrap().extend(mistake.fault());
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(work);
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{} mistakes:\n{}", faults.len(), faults.join("\n"));
}

/// A folder with this `config.toml`, and files that mistakes name.
fn folder(config: impl AsRef<[u8]>) -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("config.toml", config.as_ref());
    for (name, bytes) in [
        ("broken.json", &b"{\n \"?ALL\": [],\n}"[..]),
        ("latin.json", b"{\"?EQ\": {\"name\": \"\xe4\"}}"),
        ("empty", b""),
        ("newline", b"\xef\xbb\xbf\r\n"),
        ("two-lines", b"s3cr\n3t\n"),
        ("latin", b"s3cr\xff"),
    ] {
        write(name, bytes);
    }
    fs::create_dir(folder.path().join("folder")).unwrap();
    for name in ["config.toml", "empty", "newline", "two-lines", "latin"] {
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(folder.path().join(name), mode).unwrap();
    }
    folder
}

fn names(folder: &Path) -> BTreeSet<OsString> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

fn run(folder: &Path, args: &[OsString], variables: &[(OsString, OsString)]) -> Ended {
    let variables = variables.iter().map(|(name, value)| (name, value));
    ended(program(folder).args(args).envs(variables).output().unwrap())
}

/// What `check` tells of a configuration that is right.
fn checked(config: &str, variables: &[(&str, &str)]) -> String {
    let folder = folder(config);
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let ended = run(folder.path(), &["check".into()], &variables);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{config}");
    assert!(!ended.out.contains("s3cr"), "{}", ended.out);
    ended.out
}
