//! `init`: from a token and a database to a configuration that works.

mod answers;
mod echo;
mod error;
mod plan;
mod template;
mod told;
mod trial;

use std::io::{self, IsTerminal, Write};

use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::task::TaskTracker;

pub use error::InitError;

use self::plan::Plan;
use self::trial::{Trial, trial};
use super::files::{OWNER_ONLY, READABLE, write_new};
use super::{Exit, Failure, Surroundings};
use crate::config::settings::{Credential, Secret};
use crate::config::{Environment, Flags, load_text};
use crate::observe::logging::{self, Bars};
use crate::organization::Database;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Vainu's database: FI, SE, NO, DK or NL [default: asked for on a terminal]
    #[arg(long, value_name = "CODE")]
    database: Option<String>,
    /// Use OAuth client credentials with this id; then the client's secret is asked for, not a refresh token
    #[arg(long, value_name = "ID", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    client_id: Option<String>,
}

/// What has been tried and found to work.
struct Tried {
    database: Database,
    /// The configuration.
    text: String,
    credential: Credential,
    trial: Trial,
}

/// Asks for what it lacks, tries it, writes the files and tells the next commands.
///
/// # Errors
/// If anything can't be had, is refused, or would be overwritten; then nothing has been written.
pub async fn execute(args: &Args, flags: &Flags, around: &mut Surroundings<'_>) -> Result<Exit, Failure> {
    let database = args.database.as_deref().map(answers::database_of_flag).transpose()?;
    let plan = Plan::make(args.client_id.as_deref(), flags, &around.environment)?;
    logging::init(&plan.log, Bars::Hidden, around.environment.journal_stream())?;
    let trying = tried(&plan, database, flags, &around.environment, &around.refreshes);
    let Some(tried) = around.stop.run_until_cancelled(trying).await else {
        if io::stdin().is_terminal() {
            say("");
        }
        return Err(InitError::Stopped.into());
    };
    let tried = tried?;
    write(&plan, &tried)?;
    told::all(around.output, &plan, &tried, flags)?;
    Ok(Exit::Done)
}

async fn tried(
    plan: &Plan,
    database: Option<Database>,
    flags: &Flags,
    environment: &Environment,
    refreshes: &TaskTracker,
) -> Result<Tried, Failure> {
    let secret = answers::secret(plan, database.is_some()).await?;
    let database = match database {
        Some(database) => database,
        None => answers::database().await?,
    };
    let text = plan.text(database);
    let settings = load_text(&plan.path, &text, flags, environment)?.settings;
    let credential = in_memory(settings.require_credential()?, secret);
    say(&format!("asking {} for a few companies of {database} …", settings.api.base_url));
    let trial = trial(&settings, &credential, database, refreshes).await;
    let trial = trial.inspect_err(|_| say("no configuration and no secret file were written"))?;
    Ok(Tried { database, text, credential, trial })
}

/// The credential that the configuration will name, before its file is there.
fn in_memory(credential: &Credential, secret: Option<SecretString>) -> Credential {
    let Some(secret) = secret.map(Secret::Value) else { return credential.clone() };
    match credential {
        Credential::RefreshToken(_) => Credential::RefreshToken(secret),
        Credential::Client { id, .. } => Credential::Client { id: id.clone(), secret },
    }
}

/// Both files or neither; the secret first, so that no configuration ever names a file that is not there.
fn write(plan: &Plan, tried: &Tried) -> Result<(), Failure> {
    let (Credential::RefreshToken(secret) | Credential::Client { secret, .. }) = &tried.credential;
    let mut written = None;
    if plan.found().is_none() {
        let line = format!("{}\n", secret.read()?.expose_secret());
        let path = plan.secret_file();
        write_new(&path, &line, OWNER_ONLY).map_err(|error| InitError::unwritten(&path, error))?;
        written = Some(path);
    }
    write_new(&plan.path, &tried.text, READABLE).map_err(|error| {
        if let Some(secret) = written {
            let _ = std::fs::remove_file(secret);
        }
        InitError::unwritten(&plan.path, error).into()
    })
}

/// A line for the person at work: stdout is for what was done.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn where_the_configuration_can_not_be_written_no_secret_stays_behind() {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment::in_directory(folder.path()).with_root(folder.path());
        let plan = Plan::make(None, &Flags::default(), &environment).unwrap();
        let credential = Credential::RefreshToken(Secret::Value("token".into()));
        let trial = Trial { rows: 2, days_left: None };
        let tried = Tried { database: Database::Fi, text: String::new(), credential, trial };
        fs::write(&plan.path, "made meanwhile").unwrap();
        let failure = write(&plan, &tried).unwrap_err();
        assert!(failure.to_string().contains("config.toml is there already"), "{failure}");
        assert!(!plan.secret_file().exists());
        assert_eq!(fs::read_to_string(&plan.path).unwrap(), "made meanwhile");
    }
}
