//! How a feed's files are handed over: a command, a web address.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::config::credential::note_if_open;
use crate::config::environment::Environment;
use crate::config::parse::{positive_duration, webhook_url};
use crate::config::report::Reported;
use crate::config::settings::{After, Secret, Webhook};
use crate::config::table::Table;
use crate::config::value::{Given, path};

/// What a command gets of the program's own environment: nothing that could be a secret.
const PASSED_ON: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// How long a command may take where the configuration does not say.
const TIMEOUT: Duration = Duration::from_mins(10);

/// The file with a webhook's secret, where systemd and container engines lay secrets out.
const SECRET_FILE: &str = "webhook-secret";

/// `after` and `after_timeout`.
pub(super) fn after(table: &mut Table<'_>, environment: &Environment) -> Result<Option<After>, Reported> {
    let command = table.optional("after", command);
    let timeout = table.optional("after_timeout", positive_duration);
    if matches!((&command, &timeout), (Ok(None), Ok(Some(_)))) {
        table
            .contradiction("after_timeout", "has no effect without after; leave it out, or set after".into());
        return Err(Reported);
    }
    let (Some(command), timeout) = (command?, timeout?) else { return Ok(None) };
    let passed_on = |name| Some((name, environment.variable(name)?.to_owned()));
    let timeout = timeout.unwrap_or(TIMEOUT);
    Ok(Some(After { command, timeout, environment: PASSED_ON.into_iter().filter_map(passed_on).collect() }))
}

/// A program, complete, and its arguments as they are.
fn command(given: &Given<'_>) -> Result<Vec<String>, String> {
    let example = r#"write the program and its arguments, as ["/usr/local/bin/import-crm"]"#;
    let mut command = given
        .texts()
        .map_err(|reason| reason.replace(r#"["name", "website"]"#, r#"["/usr/local/bin/import-crm"]"#))?;
    let Some(program) = command.first_mut().filter(|program| !program.trim().is_empty()) else {
        return Err(format!("names no program; {example}"));
    };
    if program.starts_with('~') {
        return Err("begins with ~, which only a shell knows; write the path in full".into());
    }
    if program.contains('/') {
        // A relative path is relative to the file, as all are.
        *program = given.base.join(&*program).to_string_lossy().into_owned();
    }
    if command.iter().any(|part| part.contains('\0')) {
        return Err("holds a NUL character, which no command may have".into());
    }
    Ok(command)
}

/// `webhook_url` with its secret.
pub(super) fn webhook(table: &mut Table<'_>, environment: &Environment) -> Result<Option<Webhook>, Reported> {
    let url = table.optional("webhook_url", webhook_url);
    let value = table.optional("webhook_secret", secret_value);
    let file = table.optional("webhook_secret_file", secret_file);
    let (url, value, file) = (url?, value?, file?);
    if value.is_some() && file.is_some() {
        let other = table.origin_of("webhook_secret_file");
        let message =
            format!("this and webhook_secret_file ({other}) are the same thing twice; keep one of them");
        table.contradiction("webhook_secret", message);
        return Err(Reported);
    }
    let Some(url) = url else { return refuse_lone_secret(table) };
    let secret = match (value, file) {
        (Some(value), _) => Secret::Value(value),
        (None, Some(path)) => Secret::File(path),
        (None, None) => match laid_out(environment) {
            Some(path) => Secret::File(path),
            None => return no_secret(table),
        },
    };
    if let Secret::File(path) = &secret {
        note_if_open(path, table.report());
    }
    Ok(Some(Webhook { url, secret }))
}

fn refuse_lone_secret(table: &mut Table<'_>) -> Result<Option<Webhook>, Reported> {
    for key in ["webhook_secret", "webhook_secret_file"] {
        if table.has(key) {
            table.contradiction(key, "has no effect without webhook_url; leave it out, or set that".into());
            return Err(Reported);
        }
    }
    Ok(None)
}

fn no_secret(table: &mut Table<'_>) -> Result<Option<Webhook>, Reported> {
    let message = format!(
        "has no secret to sign its messages with; set webhook_secret_file to a file that the receiver has too \
         (printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\" makes one), or put a file {SECRET_FILE} into \
         $CREDENTIALS_DIRECTORY or /run/secrets"
    );
    table.contradiction("webhook_url", message);
    Err(Reported)
}

fn laid_out(environment: &Environment) -> Option<PathBuf> {
    environment.secret_folders().map(|folder| folder.join(SECRET_FILE)).find(|file| file.exists())
}

fn secret_value(given: &Given<'_>) -> Result<SecretString, String> {
    let secret = SecretString::from(given.text()?.trim());
    Webhook::key(&secret).map(|_| secret)
}

fn secret_file(given: &Given<'_>) -> Result<PathBuf, String> {
    match given.text()? {
        text if text.contains(Webhook::PREFIX) => Err("is a secret, not a file; use webhook_secret".into()),
        _ => path(given),
    }
}
