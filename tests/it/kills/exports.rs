//! Kills while an export is submitted, polled, downloaded, and taken up again.

use vainu_sync::sandbox::{Endpoint, World};
use vainu_sync::store::Status;

use super::pages::{assert_true, remove_store, settle};
use super::striker::{Phase, Striker};
use crate::bench::Bench;

const QUERY: &str = r#"
[[queries]]
name = "exported"
database = "FI"
query = '{"?ALL": []}'
fields = ["name", "staff_number", "website"]
schedule = "@daily"
max_departures = "100%"
fetch = "export"
"#;

pub struct Stage {
    bench: Bench,
}

impl Stage {
    pub async fn start() -> Self {
        Self { bench: Bench::start(World::Generated { size: 800 }, QUERY).await }
    }

    pub async fn round(&self, striker: &mut Striker) {
        let bench = &self.bench;
        remove_store(bench);
        self.polls(0);
        self.kill(striker, Phase::Submission, Endpoint::ExportSubmit).await;
        self.kill(striker, Phase::Download, Endpoint::Download).await;
        settle(bench).await;
        bench.control.set_day(bench.control.day() + 3);
        self.polls(1);
        if self.kill(striker, Phase::Polls, Endpoint::ExportPoll).await {
            self.assert_taken_up().await;
        }
        bench.control.set_day(bench.control.day() + 3);
        self.kill(striker, Phase::Polls, Endpoint::ExportPoll).await;
        self.polls(0);
        // The job that was polled is there to be taken up.
        self.kill(striker, Phase::Resumption, Endpoint::Download).await;
        self.kill(striker, Phase::Download, Endpoint::Download).await;
        settle(bench).await;
        bench.control.set_day(bench.control.day() + 3);
        self.kill(striker, Phase::Submission, Endpoint::ExportSubmit).await;
        settle(bench).await;
    }

    fn polls(&self, polls: u32) {
        self.bench.control.switch(|switches| switches.export_polls = polls);
    }

    async fn kill(&self, striker: &mut Striker, phase: Phase, endpoint: Endpoint) -> bool {
        let bench = &self.bench;
        let before = bench.control.hits(endpoint);
        let hit =
            striker.strike(bench, phase, &["sync"], async |_| bench.control.hits(endpoint) > before).await;
        assert_true(bench).await;
        hit
    }

    /// A job that was polled is not submitted again.
    async fn assert_taken_up(&self) {
        let bench = &self.bench;
        let submitted = bench.control.hits(Endpoint::ExportSubmit);
        let report = bench.sync_one().await;
        assert_eq!(report.status, Status::Succeeded, "{:?}", report.error);
        assert_eq!(bench.control.hits(Endpoint::ExportSubmit), submitted);
        assert_true(bench).await;
    }
}
