//! Parses, calls, and turns the result into an exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vainu_sync::cli::{Cli, Exit, Surroundings};
use vainu_sync::config::Environment;
use vainu_sync::observe::logging::writes_to_journal;
use vainu_sync::shutdown::{Signals, overdue, settled};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("no runtime: {error}"), ExitCode::FAILURE),
    };
    let code = runtime.block_on(run(cli));
    // What still waits (a hung name look-up) must not keep the process.
    runtime.shutdown_background();
    code
}

async fn run(cli: Cli) -> ExitCode {
    let stop = CancellationToken::new();
    let signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return fail(&format!("signals can't be heard: {error}"), ExitCode::FAILURE),
    };
    let (done, overdue) = (CancellationToken::new(), overdue(stop.clone()));
    let hang = Hang { done: done.clone(), overdue: overdue.clone(), stopped: cli.exit_when_stopped() };
    tokio::spawn(hang.leave_when_told(signals, stop.clone()));
    let refreshes = TaskTracker::new();
    let mut output = io::stdout();
    let around = Surroundings {
        environment: Environment::from_process(),
        output: &mut output,
        stop,
        refreshes: refreshes.clone(),
    };
    let result = cli.execute(around).await;
    done.cancel();
    if !settled(&refreshes, &overdue).await {
        let _ = writeln!(
            io::stderr(),
            "vainu-sync: the token endpoint does not answer: a refresh token that it may have renewed is lost"
        );
    }
    match result {
        Ok(exit) => exit.into(),
        Err(failure) if failure.is_closed_output() => ExitCode::SUCCESS,
        Err(failure) => fail(&failure.to_string(), failure.exit().into()),
    }
}

/// A main task that may hang in a read or a write that nothing interrupts.
struct Hang {
    /// It has ended by itself.
    done: CancellationToken,
    /// It had its time to end.
    overdue: CancellationToken,
    stopped: Exit,
}

impl Hang {
    /// Ends the process where the main task does not.
    #[allow(clippy::exit, clippy::disallowed_methods, reason = "nothing else ends a thread that hangs")]
    async fn leave_when_told(self, signals: Signals, stop: CancellationToken) {
        let code = tokio::select! {
            () = signals.second(stop) => Exit::NotDone,
            () = self.is_overdue() => self.stopped,
        };
        std::process::exit(code.code().into())
    }

    async fn is_overdue(&self) {
        self.overdue.cancelled().await;
        if self.done.is_cancelled() {
            // What is still waited for has words of its own.
            return std::future::pending().await;
        }
        tracing::warn!(
            "what was under way could not end in time and is left as it is: the next run marks it as interrupted"
        );
    }
}

fn fail(message: &str, code: ExitCode) -> ExitCode {
    // systemd takes each line's level from its front, sd-daemon(3); without one it would not count as an error.
    let level = if writes_to_journal(Environment::from_process().journal_stream()) { "<3>" } else { "" };
    let lines = format!("vainu-sync: {message}").replace('\n', &format!("\n{level}"));
    let _ = writeln!(io::stderr(), "{level}{lines}");
    code
}
