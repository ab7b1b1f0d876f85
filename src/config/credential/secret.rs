use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::config::find::unreadable;
use crate::config::problem::Origin;
use crate::config::settings::{Credential, Secret, Settings};

/// Where credentials come from, for whoever has none.
pub(super) const WHERE_FROM: &str = "a refresh token is copied by hand from Vainu's user interface and lives for about 30 days in a trial; client credentials come from Vainu";

/// A secret can't be had. Somebody has to put it right: repeating does not help.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SecretError {
    /// Container engines make a folder where the file to be mounted is missing on the host.
    #[error("the secret file {} is a directory; put the secret in a file of that name; {WHERE_FROM}", .0.display())]
    Directory(PathBuf),
    #[error("the secret file {}: {}; {WHERE_FROM}", .path.display(), unreadable(.reason))]
    Unreadable { path: PathBuf, reason: Arc<io::Error> },
    #[error("{place} is not UTF-8 text")]
    NotText { place: String },
    #[error("{place} is empty; {WHERE_FROM}")]
    Empty { place: String },
    #[error("{place} has a line break or another control character in it; a secret is one line")]
    ManyLines { place: String },
}

/// No layer gives a credential, and something needs one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCredential {
    #[error(
        "no credential: set refresh_token_file, or client_id and client_secret_file, in [auth], or the variable \
         VAINU_SYNC_AUTH__REFRESH_TOKEN, or put a file refresh-token into $CREDENTIALS_DIRECTORY or /run/secrets \
         ({WHERE_FROM})"
    )]
    Nowhere,
    /// It is systemd's, which hands it to the service alone.
    #[error(
        "no credential here: it is in /etc/credstore, and systemd hands it to the service alone. `systemctl start \
         vainu-sync-accept@NAME` lets a held query through, `systemctl start vainu-sync-once` runs all queries; for \
         anything else `systemd-run --pty --uid=vainu-sync --property=LoadCredential=refresh-token:vainu-sync.refresh-token \
         vainu-sync …` lends this shell what the service has"
    )]
    OfService,
    /// Half of one.
    #[error(
        "no credential: client_id is set ({0}), but its secret is not: set client_secret_file in [auth], or the \
         variable VAINU_SYNC_AUTH__CLIENT_SECRET, or put a file client-secret into $CREDENTIALS_DIRECTORY or \
         /run/secrets"
    )]
    NoSecret(Origin),
}

impl Settings {
    /// The credential, for what asks the API.
    ///
    /// # Errors
    /// If no layer gives one.
    pub fn require_credential(&self) -> Result<&Credential, NoCredential> {
        self.credential.as_ref().ok_or_else(|| match &self.lone_client_id {
            _ if self.service_has_credential => NoCredential::OfService,
            Some(origin) => NoCredential::NoSecret(origin.clone()),
            None => NoCredential::Nowhere,
        })
    }
}

impl Credential {
    /// The part of it that is secret.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        match self {
            Self::RefreshToken(secret) | Self::Client { secret, .. } => secret,
        }
    }
}

impl Secret {
    /// What is wrong with the secret as far as it can be told without reading it.
    #[must_use]
    pub fn fault(&self) -> Option<SecretError> {
        let Self::File(path) = self else { return None };
        match path.metadata() {
            Err(error) => Some(SecretError::Unreadable { path: path.clone(), reason: Arc::new(error) }),
            Ok(file) if file.is_dir() => Some(SecretError::Directory(path.clone())),
            Ok(file) if file.is_file() && file.len() == 0 => {
                Some(SecretError::Empty { place: format!("the secret file {}", path.display()) })
            }
            Ok(_) => None,
        }
    }

    /// The secret as it is now: a file is read anew, since operators replace it while the program runs.
    /// White space and a byte order mark around it are dropped.
    ///
    /// # Errors
    /// If the file can't be read, or holds nothing or more than one line.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        match self {
            Self::Value(secret) => tidy(secret.expose_secret(), || "the secret".into()),
            Self::File(path) => {
                Self::within(read_file(path)?, &format!("the secret file {}", path.display()))
            }
        }
    }

    /// The secret within `bytes`, which came from `place`, by the same rules.
    ///
    /// # Errors
    /// If they are no text, or hold nothing or more than one line.
    pub fn within(bytes: Vec<u8>, place: &str) -> Result<SecretString, SecretError> {
        let text = String::from_utf8(bytes).map_err(|_| SecretError::NotText { place: place.to_owned() })?;
        tidy(&text, || place.to_owned())
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, SecretError> {
    std::fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::IsADirectory => SecretError::Directory(path.to_owned()),
        _ => SecretError::Unreadable { path: path.to_owned(), reason: Arc::new(error) },
    })
}

/// The secret within `text`, which stands at `place`.
pub(super) fn tidy(text: &str, place: impl FnOnce() -> String) -> Result<SecretString, SecretError> {
    let secret = text.trim_start_matches('\u{feff}').trim();
    if secret.is_empty() {
        return Err(SecretError::Empty { place: place() });
    }
    if secret.contains(char::is_control) {
        return Err(SecretError::ManyLines { place: place() });
    }
    Ok(SecretString::from(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_with(bytes: &[u8]) -> (tempfile::TempDir, Secret) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("refresh-token");
        std::fs::write(&path, bytes).unwrap();
        (folder, Secret::File(path))
    }

    #[test]
    fn a_mark_and_line_ends_around_a_secret_are_dropped() {
        let (_folder, secret) = file_with(b"\xef\xbb\xbf token \r\n");
        assert_eq!(secret.read().unwrap().expose_secret(), "token");
    }

    #[test]
    fn a_replaced_file_gives_the_new_secret() {
        let (folder, secret) = file_with(b"old");
        secret.read().unwrap();
        std::fs::write(folder.path().join("new"), "new").unwrap();
        std::fs::rename(folder.path().join("new"), folder.path().join("refresh-token")).unwrap();
        assert_eq!(secret.read().unwrap().expose_secret(), "new");
    }

    #[test]
    fn what_is_no_secret_file_says_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let cases = [
            (Secret::File(folder.path().into()), "is a directory"),
            (Secret::File(folder.path().join("none")), "there is no such file"),
        ];
        for (secret, words) in cases {
            let message = secret.read().unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
        for (bytes, words) in [
            (&b""[..], "is empty"),
            (b"\xef\xbb\xbf\n", "is empty"),
            (b"s3cr\net", "line break"),
            (b"\xff\xfe", "not UTF-8"),
        ] {
            let (_folder, secret) = file_with(bytes);
            let message = secret.read().unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
            assert!(!message.contains("s3cr"), "{message}");
        }
    }
}
