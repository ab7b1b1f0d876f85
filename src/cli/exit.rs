//! From what went wrong to the exit code.

use std::io;
use std::process::ExitCode;

use super::init::InitError;
use crate::config::{ConfigError, NoCredential, SecretError};
use crate::daemon::DaemonError;
use crate::feed::{self, FeedError};
use crate::handover::{self, HandoverError};
use crate::observe::logging::LoggingError;
use crate::run::{Report, RunError};
use crate::store::{Status, StoreError};
use crate::upkeep::{BackupError, UpkeepError};
use crate::vainu;

/// The exit codes (`sysexits.h` from 75 on).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    /// Something asked for did not succeed.
    NotDone,
    Usage,
    /// Try again later.
    Later,
    /// The credentials are refused.
    Credentials,
    /// The configuration is wrong, or the store unusable.
    Configuration,
}

impl Exit {
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::NotDone => 1,
            Self::Usage => 2,
            Self::Later => 75,
            Self::Credentials => 77,
            Self::Configuration => 78,
        }
    }

    /// Of several outcomes the one that wants a person first.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Self::Done => 0,
            Self::Later => 1,
            Self::NotDone => 2,
            Self::Usage => 3,
            Self::Configuration => 4,
            Self::Credentials => 5,
        };
        if rank(other) > rank(self) { other } else { self }
    }

    /// What the end of a run means for the exit code.
    #[must_use]
    pub fn of_run(report: &Report) -> Self {
        match (&report.cause, report.status) {
            (Some(cause), _) => Self::of_cause(cause),
            (None, Status::Succeeded) => Self::Done,
            (None, _) => Self::NotDone,
        }
    }

    /// What came of handing a feed's files over means this for the exit code.
    #[must_use]
    pub fn of_handover(report: &handover::Report) -> Self {
        match &report.error {
            None => Self::Done,
            Some(HandoverError::Store(error)) => Self::of_store(error),
            Some(_) => Self::NotDone,
        }
    }

    fn of_cause(cause: &RunError) -> Self {
        match cause {
            RunError::Api(error) => Self::of_api(error),
            RunError::Store(error) => Self::of_store(error),
            RunError::Stopped => Self::NotDone,
        }
    }

    /// What an error of the API means for the exit code.
    #[must_use]
    pub fn of_api(error: &vainu::Error) -> Self {
        match error.kind() {
            vainu::Kind::Setup => Self::Configuration,
            vainu::Kind::Credentials => Self::Credentials,
            vainu::Kind::NoToken
            | vainu::Kind::Refused
            | vainu::Kind::Malformed
            | vainu::Kind::Export
            | vainu::Kind::Disk => Self::NotDone,
            vainu::Kind::Unavailable => Self::Later,
        }
    }

    /// What came of a feed means this for the exit code.
    #[must_use]
    pub fn of_feed(report: &feed::Report) -> Self {
        match &report.outcome {
            Ok(outcome) if outcome.waits_for.is_empty() => Self::Done,
            Err(FeedError::Store(error)) => Self::of_store(error),
            Ok(_) | Err(_) => Self::NotDone,
        }
    }

    fn of_store(error: &StoreError) -> Self {
        match error {
            _ if error.is_temporary() => Self::Later,
            _ if error.is_unusable() => Self::Configuration,
            _ => Self::NotDone,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    NoCredential(#[from] NoCredential),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Api(#[from] vainu::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Logging(#[from] LoggingError),
    /// stdout could not be written, or a file or socket of the command's own.
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    #[error(transparent)]
    Upkeep(#[from] UpkeepError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A name that belongs to a failure of the operating system.
    #[error("{what}: {source}")]
    System { what: String, source: io::Error },
}

impl Failure {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Backup(BackupError::Place { .. }) => Exit::Usage,
            Self::Config(_)
            | Self::NoCredential(_)
            | Self::Secret(_)
            | Self::Logging(LoggingError::Level(_) | LoggingError::NoJournal(_)) => Exit::Configuration,
            Self::Api(error) | Self::Daemon(DaemonError::Api(error)) => Exit::of_api(error),
            Self::Store(error)
            | Self::Daemon(DaemonError::Store(error))
            | Self::Upkeep(UpkeepError::Store(error))
            | Self::Backup(BackupError::Store(error)) => Exit::of_store(error),
            Self::Backup(BackupError::UnderWay(_)) => Exit::Later,
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Daemon(DaemonError::Scheduler(_))
            | Self::Init(_)
            | Self::Upkeep(_)
            | Self::Backup(_)
            | Self::Logging(LoggingError::Again(_))
            | Self::Io(_)
            | Self::System { .. } => Exit::NotDone,
        }
    }

    /// What went wrong, a message for each thing.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        match self {
            Self::Config(error) => error.problems.iter().map(ToString::to_string).collect(),
            failure => vec![failure.to_string()],
        }
    }

    /// Whether there is nobody left to read the output: no failure of ours, and nothing to say.
    #[must_use]
    pub fn is_closed_output(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_credentials_come_before_a_failure_and_that_before_a_later_try() {
        let all = |exits: &[Exit]| exits.iter().copied().fold(Exit::Done, Exit::or).code();
        assert_eq!(all(&[Exit::Later, Exit::NotDone, Exit::Credentials, Exit::NotDone]), 77);
        assert_eq!(all(&[Exit::Later, Exit::Done, Exit::NotDone]), 1);
        assert_eq!(all(&[Exit::Done, Exit::Later]), 75);
        assert_eq!(all(&[]), 0);
    }
}
