//! The command line: one file per command.

mod backup;
mod changes;
mod check;
mod completions;
mod demo;
mod exit;
mod feed;
mod handover;
mod files;
mod init;
mod man;
mod opened;
mod progress;
mod prune;
mod rename;
mod run;
mod sandbox;
mod status;
mod summary;
mod sync;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, Subcommand};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use exit::{Exit, Failure};

use crate::config::{ConfigError, Environment, Flags, Loaded, Origin, Problem, Settings, load};
use crate::file_system;
use crate::observe::logging::{self, Bars};
use crate::store::{Lock, Store, StoreError, time};
use crate::vainu::Client;

/// Where a command writes its data.
pub type Output = dyn Write + Send;

const EXIT_CODES: &str = "Exit codes: 0 done; 1 something asked for did not succeed; 2 usage; 75 try again later \
    (the API is down, the store is in use); 77 the credentials are refused; 78 the configuration is wrong, or the \
    store unusable.";

/// Keeps a local SQLite copy of the companies that your saved Vainu queries select, with a log of every
/// change.
#[derive(Debug, Parser)]
#[command(name = "vainu-sync", version, propagate_version = true, after_long_help = EXIT_CODES)]
pub struct Cli {
    /// The configuration file [default: ./config.toml, then /etc/vainu-sync/config.toml]
    #[arg(long, short, global = true, help_heading = "Global options", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The store, instead of store.path
    #[arg(long, global = true, help_heading = "Global options", value_name = "FILE")]
    store: Option<PathBuf>,
    /// What to log, instead of log.level: a level, or directives as in `vainu_sync=debug`
    #[arg(long, global = true, help_heading = "Global options", value_name = "LEVEL")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask for a token and a database, try them, and write a first configuration
    Init(init::Args),
    /// Run as a daemon: every query on its schedule, until it is told to stop
    Run,
    /// Run queries now
    Sync(sync::Args),
    /// Show the settings, where each came from, and when each query runs next
    Check(check::Args),
    /// Show how each query stands; exit code 1 if any is late
    Status(status::Args),
    /// Show the change log
    Changes(changes::Args),
    /// Copy the store to a file, while others work on it
    Backup(backup::Args),
    /// Write feeds now
    Feed(feed::Args),
    /// Give a query's members and history another name
    Rename(rename::Args),
    /// Forget a query that the configuration no longer has: its members leave
    Prune(prune::Args),
    /// Serve a stand-in Vainu API with made-up companies on loopback
    Sandbox(sandbox::Args),
    /// Show the whole job in a fresh folder, against a sandbox of its own
    Demo(demo::Args),
    /// Print shell completions
    Completions(completions::Args),
    /// Write manual pages
    #[command(hide = true)]
    Man(man::Args),
}

/// What a command finds around it.
pub struct Surroundings<'a> {
    pub environment: Environment,
    pub output: &'a mut Output,
    /// Cancelled by the first signal.
    pub stop: CancellationToken,
    /// Refreshes of access tokens that are under way; the process does not end before them.
    pub refreshes: TaskTracker,
}

impl Cli {
    /// What the program says where it had to be left in the middle: a daemon has done what it was told.
    #[must_use]
    pub fn exit_when_stopped(&self) -> Exit {
        match self.command {
            Command::Run => Exit::Done,
            _ => Exit::NotDone,
        }
    }

    /// Does what was asked for.
    ///
    /// # Errors
    /// What kept the command from its end.
    pub async fn execute(self, mut around: Surroundings<'_>) -> Result<Exit, Failure> {
        let flags = Flags { config: self.config, store: self.store, log: self.log };
        match self.command {
            Command::Init(args) => init::execute(&args, &flags, &mut around).await,
            Command::Run => run::execute(&flags, &around).await,
            Command::Sync(args) => sync::execute(&args, &flags, &mut around).await,
            Command::Check(args) => check::execute(&args, &flags, &mut around).await,
            Command::Status(args) => status::execute(&args, &flags, &mut around).await,
            Command::Changes(args) => changes::execute(&args, &flags, &mut around).await,
            Command::Backup(args) => backup::execute(&args, &flags, &mut around).await,
            Command::Feed(args) => feed::execute(&args, &flags, &mut around).await,
            Command::Rename(args) => rename::execute(&args, &flags, &mut around).await,
            Command::Prune(args) => prune::execute(&args, &flags, &mut around).await,
            Command::Sandbox(args) => sandbox::execute(&args, &mut around).await,
            Command::Demo(args) => demo::execute(&args, &mut around).await,
            Command::Completions(args) => completions::execute(&args, around.output),
            Command::Man(args) => man::execute(&args),
        }
    }
}

/// The configuration, with logging set up as it says.
fn configured(flags: &Flags, environment: &Environment, bars: Bars) -> Result<Loaded, Failure> {
    let loaded = load(flags, environment)?;
    logging::init(&loaded.settings.log, bars, environment.journal_stream())?;
    Ok(loaded)
}

/// The settings for what runs queries: there are some, and what should be known is logged.
fn to_run(loaded: Loaded) -> Result<Settings, Failure> {
    if loaded.settings.queries.is_empty() {
        let problem = Problem {
            key: Some("queries".to_owned()),
            message: "there are none; add a [[queries]] table, as in config.example.toml".to_owned(),
            origin: Some(Origin::File { path: loaded.path, line: None }),
        };
        return Err(ConfigError::from(problem).into());
    }
    for note in notes(&loaded) {
        tracing::warn!("{note}");
    }
    Ok(loaded.settings)
}

/// What somebody should know who runs queries: of the settings, and of where the store lies.
fn notes(loaded: &Loaded) -> Vec<String> {
    let place = file_system::note(&loaded.settings.store.path);
    loaded.notes.iter().cloned().chain(place).collect()
}

/// A client, once it is sure that there is a secret to be had: before anything is written.
fn client(settings: &Settings, refreshes: &TaskTracker) -> Result<Client, Failure> {
    let credential = settings.require_credential()?;
    credential.secret().read()?;
    Ok(Client::tracked(&settings.api, credential, &settings.store.path, refreshes.clone())?)
}

/// Takes the store's lock, for which it waits up to `patience`, and opens it; runs whose process has died are
/// marked. What is no store of ours is left without even a lock beside it.
async fn open_store(path: &Path, command: &str, patience: Duration) -> Result<(Lock, Store), StoreError> {
    Store::inspect(path).await?;
    let lock = Lock::take_within(path, &holder(command), patience).await?;
    opened::remove_leftovers(path);
    let mut store = Store::open(path, &lock).await?;
    let interrupted = store.mark_interrupted(&time::to_text(Timestamp::now())).await?;
    if interrupted > 0 {
        tracing::warn!(runs = interrupted, "runs of a process that died were marked as interrupted");
    }
    Ok((lock, store))
}

/// As [`open_store`], but makes none where there is none.
async fn open_existing(path: &Path, command: &str, patience: Duration) -> Result<(Lock, Store), StoreError> {
    if path.exists() {
        open_store(path, command, patience).await
    } else {
        Err(StoreError::Absent(path.to_owned()))
    }
}

/// This program, as it was called.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "vainu-sync".to_owned())
}

fn holder(command: &str) -> String {
    format!(
        "`vainu-sync {command}` (process {}, since {})",
        std::process::id(),
        time::to_text(Timestamp::now())
    )
}
