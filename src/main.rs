//! Parses, calls, and turns the result into an exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use tokio_util::sync::CancellationToken;
use vainu_sync::cli::{Cli, Surroundings};
use vainu_sync::config::Environment;
use vainu_sync::shutdown::{Signals, overdue};

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
    let mut output = io::stdout();
    let around =
        Surroundings { environment: Environment::from_process(), output: &mut output, stop: stop.clone() };
    let stopped = cli.exit_when_stopped();
    tokio::select! {
        result = cli.execute(around) => match result {
            Ok(exit) => exit.into(),
            Err(failure) if failure.is_closed_output() => ExitCode::SUCCESS,
            Err(failure) => fail(&failure.to_string(), failure.exit().into()),
        },
        () = signals.second(stop.clone()) => ExitCode::FAILURE,
        () = overdue(stop) => stopped.into(),
    }
}

fn fail(message: &str, code: ExitCode) -> ExitCode {
    let _ = writeln!(io::stderr(), "vainu-sync: {message}");
    code
}
