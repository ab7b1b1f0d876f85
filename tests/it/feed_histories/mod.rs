//! Random histories of feeds against a small model: whoever has taken all files in knows exactly the members.
//!
//! More of them: `PROPTEST_CASES=1000 cargo test --test it feed_histories`. A failure prints its history.

mod model;
mod program;

use proptest::prelude::*;
use proptest_state_machine::{StateMachineTest, prop_state_machine};

use self::model::{Model, Step};
use self::program::Program;
use crate::bench::Bench;
use crate::consumer::{Consumer, folder};

struct Histories;

impl StateMachineTest for Histories {
    type SystemUnderTest = Program;
    type Reference = Model;

    fn init_test(model: &Model) -> Program {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut bench = runtime.block_on(Bench::with_rows(model.rows(), &model.config()));
        bench.configure("retry_for = \"20ms\"", &model.config());
        folder(&bench);
        let mut program = Program { runtime, bench, crm: Consumer::default(), lake: Consumer::default() };
        let handle = program.runtime.handle().clone();
        handle.block_on(async {
            program.sync().await;
            program.feed_to_the_end(model, false).await;
            program.back_up().await;
        });
        program
    }

    fn apply(mut program: Program, model: &Model, step: Step) -> Program {
        let handle = program.runtime.handle().clone();
        handle.block_on(program.take(model, &step));
        program
    }

    fn check_invariants(program: &Program, _: &Model) {
        // Files that were seen have not changed; what has come since is taken in by the next step.
        let folder = program.bench.folder.path().join("feeds");
        program.crm.clone().take(&folder, "crm");
        program.lake.clone().take(&folder, "lake");
    }

    fn teardown(program: Program, _: Model) {
        program.runtime.shutdown_background();
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20),
        max_shrink_iters: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn who_took_all_files_in_knows_the_members(sequential 4..30 => Histories);
}
