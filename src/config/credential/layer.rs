//! What one layer says of the credential.

use std::path::Path;

use figment::value::{Dict, Value};

use super::secret::tidy;
use crate::config::environment::{Environment, variable_name};
use crate::config::layers::Layers;
use crate::config::problem::{Origin, Problem};
use crate::config::report::{Report, Reported, Setting};
use crate::config::settings::Secret;
use crate::config::value::{Given, path};

pub(super) const REFRESH: [&str; 2] = ["refresh_token", "refresh_token_file"];
pub(super) const CLIENT: [&str; 2] = ["client_secret", "client_secret_file"];

/// The two kinds, while the client's id is still to be found.
pub(super) enum Kind {
    Refresh(Secret),
    Client(Secret),
}

/// What one layer says.
#[derive(Default)]
pub(super) struct Said {
    pub chosen: Option<(Kind, Setting)>,
    pub client_id: Option<(String, Origin)>,
}

/// What our own variables say.
pub(super) fn variables(layers: &Layers, report: &mut Report) -> Result<Said, Reported> {
    let keys = layers.in_variables("auth").map(without_empty).unwrap_or_default();
    let origin = |key: &str| Origin::Variable(variable_name(&["auth", key]));
    Reader { keys: &keys, origin: &origin, layers }.read(report)
}

/// What the file says.
pub(super) fn file(layers: &Layers, report: &mut Report) -> Result<Said, Reported> {
    let keys = layers.in_file("auth").cloned().unwrap_or_default();
    let origin = |key: &str| layers.in_file_at(&format!("auth.{key}"));
    let said = Reader { keys: &keys, origin: &origin, layers }.read(report)?;
    if REFRESH[..1].iter().chain(&CLIENT[..1]).any(|key| keys.contains_key(*key)) {
        note_if_open(layers.path(), report);
    }
    Ok(said)
}

/// What the variables of Vainu's own client say. It tolerates an id beside a refresh token, so we do.
pub(super) fn vainu(
    layers: &Layers,
    environment: &Environment,
    report: &mut Report,
) -> Result<Said, Reported> {
    const KEYS: [&str; 3] = ["refresh_token", "client_secret", "client_id"];
    let strange =
        |key: &&str| environment.variable(vainu_name(key)).is_some_and(|value| value.to_str().is_none());
    if let Some(key) = KEYS.into_iter().find(strange) {
        let origin = Some(Origin::Variable(vainu_name(key).into()));
        let message = "the value is not UTF-8 text".into();
        report.problem(Problem { key: Some(format!("auth.{key}")), message, origin });
        return Err(Reported);
    }
    let keys = vainu_variables(environment, &KEYS);
    let origin = |key: &str| Origin::Variable(vainu_name(key).into());
    Reader { keys: &keys, origin: &origin, layers }.read(report)
}

/// The client's id as Vainu's own client has it.
pub(super) fn vainu_client_id(environment: &Environment) -> Option<(String, Origin)> {
    let keys = vainu_variables(environment, &["client_id"]);
    let id = keys.get("client_id")?.as_str()?;
    Some((id.to_owned(), Origin::Variable(vainu_name("client_id").into())))
}

/// An empty variable counts as not set: compose files and shells leave such behind.
fn without_empty(keys: &Dict) -> Dict {
    let set = keys.iter().filter(|(_, value)| value.as_str() != Some(""));
    set.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn vainu_name(key: &str) -> &'static str {
    match key {
        "refresh_token" => "VAINU_JWT_REFRESH_TOKEN",
        "client_secret" => "VAINU_CLIENT_SECRET",
        _ => "VAINU_CLIENT_ID",
    }
}

fn vainu_variables(environment: &Environment, names: &[&str]) -> Dict {
    let mut keys = Dict::new();
    for key in names {
        let value = environment.variable(vainu_name(key)).filter(|value| !value.is_empty());
        if let Some(value) = value {
            keys.insert((*key).into(), Value::from(value.to_string_lossy().as_ref()));
        }
    }
    if keys.contains_key("refresh_token") && !keys.contains_key("client_secret") {
        keys.remove("client_id");
    }
    keys
}

/// One layer's `[auth]`.
struct Reader<'a> {
    keys: &'a Dict,
    origin: &'a dyn Fn(&str) -> Origin,
    layers: &'a Layers,
}

impl Reader<'_> {
    fn read(&self, report: &mut Report) -> Result<Said, Reported> {
        self.refuse_two(report)?;
        let mut said = Said::default();
        if self.keys.contains_key("client_id") {
            said.client_id = Some((self.text("client_id", report)?, (self.origin)("client_id")));
        }
        for key in REFRESH.into_iter().chain(CLIENT) {
            if self.keys.contains_key(key) {
                let secret = self.secret(key, report)?;
                let kind = if REFRESH.contains(&key) { Kind::Refresh(secret) } else { Kind::Client(secret) };
                said.chosen = Some((kind, self.setting(key)));
            }
        }
        Ok(said)
    }

    fn refuse_two(&self, report: &mut Report) -> Result<(), Reported> {
        let set = |key: &&&str| self.keys.contains_key(**key);
        let refresh: Vec<_> = REFRESH.iter().filter(set).collect();
        let client: Vec<_> = CLIENT.iter().chain(&["client_id"]).filter(set).collect();
        let both = |keys: [&str; 2]| keys.iter().all(|key| self.keys.contains_key(*key));
        let (key, other, why) = match (refresh.first(), client.first()) {
            (Some(key), Some(other)) => (key, other, "are two kinds of credential"),
            _ if both(REFRESH) => (&&REFRESH[0], &&REFRESH[1], "are the same thing twice"),
            _ if both(CLIENT) => (&&CLIENT[0], &&CLIENT[1], "are the same thing twice"),
            _ => return Ok(()),
        };
        let message = format!("this and {other} ({}) {why}; keep one of them", (self.origin)(other));
        Err(self.wrong(key, message, report))
    }

    fn secret(&self, key: &str, report: &mut Report) -> Result<Secret, Reported> {
        if key.ends_with("_file") {
            let origin = (self.origin)(key);
            let given = self.given(key, &origin);
            if given.text().is_ok_and(looks_like_token) {
                let message =
                    format!("the value is a token, not a file; use {}", key.trim_end_matches("_file"));
                return Err(self.wrong(key, message, report));
            }
            let path =
                path(&given).map_err(|reason| self.wrong(key, format!("the value {reason}"), report))?;
            note_if_open(&path, report);
            return Ok(Secret::File(path));
        }
        let text = self.text(key, report)?;
        let tidied = tidy(&text, || "the value".into());
        tidied.map(Secret::Value).map_err(|error| self.wrong(key, error.to_string(), report))
    }

    fn text(&self, key: &str, report: &mut Report) -> Result<String, Reported> {
        let origin = (self.origin)(key);
        let text = self.given(key, &origin).text().map(str::trim).and_then(|text| match text {
            "" => Err("is empty; give it a value, or leave it out".into()),
            text => Ok(text.to_owned()),
        });
        text.map_err(|reason| self.wrong(key, format!("the value {reason}"), report))
    }

    fn given<'a>(&'a self, key: &str, origin: &'a Origin) -> Given<'a> {
        Given { value: &self.keys[key], origin, base: self.layers.base(origin) }
    }

    fn setting(&self, key: &str) -> Setting {
        let value = match self.keys[key].as_str() {
            Some(path) if key.ends_with("_file") => format!("{path:?}"),
            _ => "(hidden)".into(),
        };
        Setting { key: format!("auth.{key}"), value, origin: (self.origin)(key) }
    }

    fn wrong(&self, key: &str, message: String, report: &mut Report) -> Reported {
        let origin = Some((self.origin)(key));
        report.problem(Problem { key: Some(format!("auth.{key}")), message, origin });
        Reported
    }
}

/// A JWT is quoted nowhere, not even as the path that it was taken for.
fn looks_like_token(text: &str) -> bool {
    text.trim().starts_with("eyJ") && text.matches('.').count() == 2
}

#[cfg(unix)]
pub(in crate::config) fn note_if_open(path: &Path, report: &mut Report) {
    use std::fs::Metadata;
    use std::os::unix::fs::PermissionsExt;
    let is_open = |file: Metadata| file.is_file() && file.permissions().mode() & 0o004 != 0;
    if path.metadata().is_ok_and(is_open) {
        report.notes.push(format!(
            "every user of this machine can read the secret in {0}; run: chmod o= {0}",
            path.display()
        ));
    }
}

#[cfg(not(unix))]
pub(in crate::config) fn note_if_open(_path: &Path, _report: &mut Report) {}
