//! What `init` says when it is done.

use super::plan::Plan;
use super::{Tried, template};
use crate::cli::{Failure, Output, program};
use crate::config::Flags;
use crate::config::settings::Credential;
use crate::text::shell_word;

/// Prints what works, what was written and what to do next.
///
/// # Errors
/// If stdout can't be written.
pub fn all(out: &mut Output, plan: &Plan, tried: &Tried, flags: &Flags) -> Result<(), Failure> {
    let database = tried.database;
    let credential = match tried.credential {
        Credential::RefreshToken(_) => "refresh token",
        Credential::Client { .. } => "client credentials",
    };
    writeln!(out, "The API accepts the {credential} and answers for database {database}.")?;
    if tried.trial.rows == 0 {
        writeln!(
            out,
            "But it gave no company at all: ask Vainu whether this account has database {database}."
        )?;
    }
    if let Some(days) = tried.trial.days_left {
        writeln!(out, "Days left of the token: {days}.")?;
    }
    if plan.found().is_none() {
        writeln!(out, "Wrote {}, which only its owner can read.", plan.secret_file().display())?;
    }
    writeln!(
        out,
        "Wrote {} with an example query, {}.\nNext:\n",
        plan.path.display(),
        template::query_name(database)
    )?;
    let command = command(flags);
    writeln!(out, "  {command} check    # the settings, and when the query runs")?;
    writeln!(out, "  {command} sync     # run it now")?;
    Ok(())
}

/// The program as it was called, told where the configuration is unless it looks there by itself.
fn command(flags: &Flags) -> String {
    let program = shell_word(&program());
    match flags.config.as_deref().and_then(|path| path.to_str()) {
        None | Some("config.toml" | "./config.toml") => program,
        Some(path) => format!("{program} --config {}", shell_word(path)),
    }
}
