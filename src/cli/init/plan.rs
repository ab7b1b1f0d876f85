//! What is to be written and where, before anything is asked.

use std::path::{Path, PathBuf};

use super::InitError;
use super::template::{self, Contents};
use crate::cli::Failure;
use crate::config::settings::{Credential, Log, Secret};
use crate::config::{Environment, Flags, Loaded, Origin, Setting, load_text, place};
use crate::organization::Database;

pub struct Plan {
    /// The configuration.
    pub path: PathBuf,
    pub log: Log,
    auth: Auth,
    /// What differs from the defaults now and should so for later commands.
    base_url: Option<String>,
    ca_file: Option<String>,
    store: Option<String>,
}

/// What `[auth]` is to say.
pub struct Auth {
    /// With OAuth client credentials.
    pub client_id: Option<String>,
    /// Where the secret was found; `None` where it is asked for and kept in a file beside the configuration.
    pub found: Option<String>,
}

impl Plan {
    /// # Errors
    /// If a file is in the way or a folder missing, or flags and environment are wrong or contradict each
    /// other.
    pub fn make(client_id: Option<&str>, flags: &Flags, environment: &Environment) -> Result<Self, Failure> {
        let path = place(flags, environment)?;
        let found = load_text(&path, &template::bare(client_id), flags, environment)?;
        let settings = &found.settings;
        let differs =
            |key: &str| setting(&found, key).is_some_and(|setting| setting.origin != Origin::Default);
        let plan = Self {
            auth: Auth { client_id: client_id.map(str::to_owned), found: credential_in(&found, client_id) },
            base_url: differs("api.base_url").then(|| settings.api.base_url.clone()),
            ca_file: settings.api.ca_file.as_deref().map(text_of).transpose()?,
            store: differs("store.path").then(|| text_of(&settings.store.path)).transpose()?,
            log: settings.log.clone(),
            path,
        };
        plan.refuse_what_is_there()?;
        plan.require_folders(&settings.store.path)?;
        plan.refuse_covered(flags, environment)?;
        Ok(plan)
    }

    /// Where the credential was found, so that none is asked for.
    pub fn found(&self) -> Option<&str> {
        self.auth.found.as_deref()
    }

    /// The secret that is asked for, in a sentence.
    pub fn secret_name(&self) -> &'static str {
        if self.auth.client_id.is_some() { "client secret" } else { "refresh token" }
    }

    /// The secret that is asked for, at a prompt.
    pub fn asked_for(&self) -> &'static str {
        if self.auth.client_id.is_some() { "Client secret" } else { "Refresh token from Vainu" }
    }

    pub fn secret_file(&self) -> PathBuf {
        self.path.with_file_name(self.auth.secret_file())
    }

    /// The configuration.
    pub fn text(&self, database: Database) -> String {
        let api = [("base_url", &self.base_url), ("ca_file", &self.ca_file)];
        let api = api.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?))).collect();
        template::configuration(&Contents {
            auth: &self.auth,
            api,
            store: self.store.as_deref().unwrap_or("vainu.db"),
            database,
        })
    }

    fn refuse_what_is_there(&self) -> Result<(), InitError> {
        let secret = self.auth.found.is_none().then(|| self.secret_file());
        // A link that leads nowhere is in the way as well.
        let there = |path: &PathBuf| path.symlink_metadata().is_ok();
        if there(&self.path) {
            return Err(InitError::Exists(self.path.clone()));
        }
        secret.filter(there).map_or(Ok(()), |path| Err(InitError::SecretExists(path)))
    }

    fn require_folders(&self, store: &Path) -> Result<(), InitError> {
        let folders = [self.path.parent(), store.parent()];
        match folders.into_iter().flatten().find(|folder| !folder.is_dir()) {
            Some(folder) => Err(InitError::NoFolder(folder.to_owned())),
            None => Ok(()),
        }
    }

    /// A variable of ours wins over the file: what is asked for would never be used.
    fn refuse_covered(&self, flags: &Flags, environment: &Environment) -> Result<(), Failure> {
        let planned = load_text(&self.path, &self.text(Database::Fi), flags, environment)?;
        let in_force = match (&planned.settings.credential, &self.auth.client_id) {
            (Some(Credential::Client { id, secret }), Some(wanted)) => id == wanted && self.has(secret),
            (Some(Credential::RefreshToken(secret)), None) => self.has(secret),
            (Some(Credential::Client { .. }), None) => self.auth.found.is_some(),
            _ => false,
        };
        if in_force {
            return Ok(());
        }
        let variables = planned.origins.iter().filter(|setting| setting.key.starts_with("auth"));
        let variables = variables.filter_map(|setting| match &setting.origin {
            Origin::Variable(name) => Some(name.as_str()),
            _ => None,
        });
        Err(Failure::Usage(format!(
            "{} would win over --client-id; unset it, or leave --client-id out",
            variables.collect::<Vec<_>>().join(", ")
        )))
    }

    fn has(&self, secret: &Secret) -> bool {
        self.auth.found.is_some() || matches!(secret, Secret::File(path) if *path == self.secret_file())
    }
}

impl Auth {
    /// The name of the file beside the configuration.
    pub fn secret_file(&self) -> &'static str {
        if self.client_id.is_some() { "client-secret" } else { "refresh-token" }
    }
}

/// The place of a credential that environment or folders give, unless it is not of the kind that is wanted.
fn credential_in(found: &Loaded, client_id: Option<&str>) -> Option<String> {
    if client_id.is_some() && matches!(found.settings.credential, Some(Credential::RefreshToken(_))) {
        return None;
    }
    let keys = ["refresh_token", "refresh_token_file", "client_secret", "client_secret_file"];
    let secret = keys.iter().find_map(|key| setting(found, &format!("auth.{key}")))?;
    let id = setting(found, "auth.client_id").map(|id| &id.origin);
    Some(match (&secret.origin, id) {
        (Origin::Variable(name), Some(Origin::Variable(id))) => format!("the variables {id} and {name}"),
        (Origin::Variable(name), _) => format!("the variable {name}"),
        _ => format!("the file {}", secret.value),
    })
}

fn setting<'a>(loaded: &'a Loaded, key: &str) -> Option<&'a Setting> {
    loaded.origins.iter().find(|setting| setting.key == key)
}

fn text_of(path: &Path) -> Result<String, InitError> {
    path.to_str().map(str::to_owned).ok_or_else(|| InitError::PathNotText { path: path.to_owned() })
}
