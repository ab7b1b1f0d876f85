//! What only the user knows: asked for on a terminal, else read from stdin or required as a flag.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use secrecy::SecretString;
use tokio::task::spawn_blocking;

use super::echo::Hidden;
use super::plan::Plan;
use super::{InitError, say};
use crate::cli::Failure;
use crate::config::database_called;
use crate::config::settings::Secret;
use crate::organization::Database;

/// No secret comes near it; what never ends is cut off here.
const LONGEST: u64 = 1 << 20;

/// The secret that the plan lacks: typed without being shown, or all that stdin holds.
///
/// # Errors
/// Without a terminal, if no database is named, since it can't be asked for afterwards; and if what comes is
/// no secret.
pub async fn secret(plan: &Plan, database_is_named: bool) -> Result<Option<SecretString>, Failure> {
    let terminal = io::stdin().is_terminal();
    if !terminal && !database_is_named {
        return Err(no_database());
    }
    if let Some(place) = plan.found() {
        say(&format!("using the credential in {place}"));
        return Ok(None);
    }
    let name = plan.secret_name();
    let bytes = if terminal {
        let _hidden = Hidden::on(io::stdin()).map_err(InitError::Echo)?;
        prompt(&format!("{} (not shown while you type or paste it): ", plan.asked_for()));
        blocking(|| line(&mut io::stdin().lock())).await?
    } else {
        say(&format!("reading the {name} from stdin"));
        blocking(|| all(&mut io::stdin().lock())).await?
    };
    Ok(Some(Secret::within(bytes, &format!("the {name} on stdin"))?))
}

/// The database, asked for until the answer is one.
///
/// # Errors
/// If stdin ends first.
pub async fn database() -> Result<Database, Failure> {
    loop {
        prompt("Database (FI, SE, NO, DK or NL): ");
        let answer = blocking(|| line(&mut io::stdin().lock())).await?;
        if answer.is_empty() {
            return Err(no_database());
        }
        match named(String::from_utf8_lossy(&answer).trim()) {
            Ok(database) => return Ok(database),
            Err(reason) => say(&reason),
        }
    }
}

/// The database that `--database` names.
///
/// # Errors
/// If there is none of that code.
pub fn database_of_flag(code: &str) -> Result<Database, Failure> {
    named(code).map_err(|reason| Failure::Usage(format!("--database: {reason}")))
}

fn named(code: &str) -> Result<Database, String> {
    database_called(code).map_err(|reason| format!("{code:?} {reason}"))
}

fn no_database() -> Failure {
    Failure::Usage("name the database with --database: FI, SE, NO, DK or NL".to_owned())
}

fn prompt(text: &str) {
    let mut stderr = io::stderr();
    let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
}

/// Reads in a thread that nobody waits for: a signal ends the command while it still reads.
async fn blocking(read: impl FnOnce() -> io::Result<Vec<u8>> + Send + 'static) -> Result<Vec<u8>, InitError> {
    let read = spawn_blocking(read).await.expect("reading does not panic, and is not cancelled");
    read.map_err(InitError::Unreadable)
}

fn line(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(LONGEST).read_until(b'\n', &mut bytes)?;
    Ok(bytes)
}

fn all(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}
