//! `sandbox`: the stand-in API as a process of its own.

use super::{Exit, Failure, Surroundings};
use crate::sandbox::{Options, Sandbox, World};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The port on 127.0.0.1; 0 takes any that is free
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// How many companies each database has
    #[arg(long, default_value_t = 1000)]
    size: u32,
    /// Decides every made-up company
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

/// Serves until it is told to stop.
///
/// # Errors
/// If the port is taken or stdout can't be written.
pub async fn execute(args: &Args, around: &mut Surroundings<'_>) -> Result<Exit, Failure> {
    let world = World::Generated { size: args.size };
    let options = Options { port: args.port, seed: args.seed, world, ..Options::default() };
    let sandbox = Sandbox::start(options).await.map_err(|source| Failure::System {
        what: format!("the sandbox can't listen on port {}; choose another with --port", args.port),
        source,
    })?;
    let base = sandbox.base_url();
    let root = base.trim_end_matches("/api");
    writeln!(
        around.output,
        "A made-up Vainu API is at {base} until you press Ctrl-C. In another terminal:\n\
         \n  export VAINU_SYNC_API__BASE_URL={base}\n  export VAINU_SYNC_AUTH__REFRESH_TOKEN={token}\n\
         \nVainu's own client takes the same as VAINU_BASE_URL and VAINU_JWT_REFRESH_TOKEN.\n\
         Let a day pass:  curl -X POST {root}/sandbox/day",
        token = sandbox.refresh_token(),
    )?;
    around.output.flush()?;
    around.stop.cancelled().await;
    sandbox.stop().await;
    Ok(Exit::Done)
}
