//! Random histories against a small model: worlds that change, also while they are read; accounts that behave in
//! every way that Vainu's documentation leaves open; counts that lie, jobs that fail; queries that are edited,
//! taken out, put back, renamed and forgotten; windows, guards, what is old; two processes, a death or a signal at
//! any await.
//!
//! | file | has |
//! |---|---|
//! | `world`, `asked`, `account` | the companies, the configuration, the API's behaviour |
//! | `model`, `step` | the three together, and what can happen to them |
//! | `program`, `ran`, `ends`, `walk` | the program, its runs, what ends them, and each step done to it |
//! | `oracle`, `checks`, `log` | how a run may end, and what has to be true after each step |
//!
//! Many of them: `PROPTEST_CASES=10000 cargo test --release --test it histories`. Each has a seed of its own, and
//! they are run on as many threads as there are cores (`HISTORIES_THREADS` says otherwise). One that fails is made
//! as small as it goes and printed with its seed; `HISTORIES_SEED=… PROPTEST_CASES=1` runs it again. When a death
//! or a request falls is not in the seed, so that a failure may take a few tries to come again.

mod account;
mod asked;
mod checks;
mod ends;
mod log;
mod model;
mod oracle;
mod program;
mod ran;
mod step;
mod walk;
mod world;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use proptest::test_runner::{Config, RngSeed, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use tokio::runtime::{Builder, Runtime};

use self::model::Model;
use self::program::Program;
use self::step::Step;
use self::walk::take_step;

pub use self::ends::until_death;

/// Histories in a plain run of all tests.
const CASES: u64 = 40;

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_all().build().unwrap();
}

struct Histories;

impl StateMachineTest for Histories {
    type SystemUnderTest = Program;
    type Reference = Model;

    fn init_test(model: &Model) -> Program {
        RUNTIME.with(|runtime| runtime.block_on(Program::start(model)))
    }

    fn apply(mut program: Program, model: &Model, step: Step) -> Program {
        RUNTIME.with(|runtime| runtime.block_on(take_step(&mut program, model, &step)));
        program
    }

    fn teardown(program: Program, _: Model) {
        // Within the runtime, where the sandbox's connections end.
        RUNTIME.with(|runtime| runtime.block_on(async { drop(program) }));
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn the_store_is_true_after_every_step() {
    let cases = variable("PROPTEST_CASES").unwrap_or(CASES);
    let by_clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let first = variable("HISTORIES_SEED").unwrap_or(u64::try_from(by_clock).unwrap());
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let threads = variable("HISTORIES_THREADS").unwrap_or(cores).clamp(1, cases.max(1));
    let (next, failed) = (AtomicU64::new(0), AtomicBool::new(false));
    let work = || {
        loop {
            let case = next.fetch_add(1, Ordering::Relaxed);
            if case >= cases || failed.load(Ordering::Relaxed) {
                break;
            }
            if let Err(failure) = history(first + case) {
                failed.store(true, Ordering::Relaxed);
                let seed = first + case;
                panic!(
                    "{failure}\nagain: HISTORIES_SEED={seed} PROPTEST_CASES=1 cargo test --test it histories"
                );
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
}

/// The history of this seed.
fn history(seed: u64) -> Result<(), String> {
    let config = Config {
        cases: 1,
        rng_seed: RngSeed::Fixed(seed),
        max_shrink_iters: 400,
        failure_persistence: None,
        ..Config::default()
    };
    let steps = Model::sequential_strategy(1..20);
    let outcome = TestRunner::new(config.clone()).run(&steps, |(model, steps, seen)| {
        Histories::test_sequential(config.clone(), model, steps, seen);
        Ok(())
    });
    outcome.map_err(|failure| failure.to_string())
}
