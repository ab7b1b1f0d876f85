//! Who kills: once a process has reached a phase, at a random moment of it.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::bench::Bench;
use crate::chance::Random;
use crate::program::program;

/// What a process is at when it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    FirstLoad,
    Update,
    Departures,
    EditedQuery,
    Submission,
    Polls,
    Download,
    /// The download of an export that an earlier process submitted.
    Resumption,
    Migration,
    Prune,
    Rename,
    Retention,
}

impl Phase {
    pub const ALL: [Self; 12] = [
        Self::FirstLoad,
        Self::Update,
        Self::Departures,
        Self::EditedQuery,
        Self::Submission,
        Self::Polls,
        Self::Download,
        Self::Resumption,
        Self::Migration,
        Self::Prune,
        Self::Rename,
        Self::Retention,
    ];

    /// How long it takes at least, in microseconds.
    const fn first_span(self) -> usize {
        match self {
            Self::Migration | Self::Rename | Self::Departures => 5000,
            Self::Download | Self::Resumption | Self::Retention => 20_000,
            _ => 100_000,
        }
    }
}

/// What has become of the processes in one phase.
#[derive(Debug, Clone, Copy)]
struct Tally {
    hits: u32,
    misses: u32,
    /// Within so many microseconds the phase is over, as far as it is known.
    span: usize,
}

const SHORTEST_SPAN: usize = 1000;
const LONGEST_SPAN: usize = 1_000_000;

pub struct Striker {
    pub random: Random,
    tallies: BTreeMap<Phase, Tally>,
}

impl Striker {
    pub fn new() -> Self {
        Self { random: Random::seeded("VAINU_SYNC_KILLS_SEED"), tallies: BTreeMap::new() }
    }

    /// Starts the program and kills it in `phase`, which it has come to once `reached` says so. Whether it was
    /// killed there: it may have ended before.
    pub async fn strike(
        &mut self,
        bench: &Bench,
        phase: Phase,
        args: &[&str],
        mut reached: impl AsyncFnMut(&Child) -> bool,
    ) -> bool {
        let mut command = program(bench.folder.path());
        let mut child = command.args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut is_reached = false;
        while !is_reached && child.try_wait().unwrap().is_none() {
            is_reached = reached(&child).await;
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        let new = Tally { hits: 0, misses: 0, span: phase.first_span() };
        let tally = self.tallies.entry(phase).or_insert(new);
        let moment = u64::try_from(self.random.below(tally.span)).unwrap();
        tokio::time::sleep(Duration::from_micros(moment)).await;
        child.kill().unwrap();
        let is_killed = child.wait().unwrap().code().is_none();
        tally.note(is_reached && is_killed);
        is_reached && is_killed
    }

    /// Kills that met a process at work.
    pub fn kills(&self) -> u32 {
        self.tallies.values().map(|tally| tally.hits).sum()
    }

    pub fn hits(&self) -> BTreeMap<Phase, u32> {
        self.tallies.iter().map(|(phase, tally)| (*phase, tally.hits)).collect()
    }

    pub fn summary(&self) -> String {
        let told = |(phase, tally): (&Phase, &Tally)| {
            format!("{phase:?} {} (and {} too late)", tally.hits, tally.misses)
        };
        self.tallies.iter().map(told).collect::<Vec<_>>().join(", ")
    }
}

impl Tally {
    /// Goes for the whole of the phase, and not far beyond.
    fn note(&mut self, hit: bool) {
        if hit {
            self.hits += 1;
            self.span = (self.span + self.span / 8).min(LONGEST_SPAN);
        } else {
            self.misses += 1;
            self.span = (self.span - self.span / 4).max(SHORTEST_SPAN);
        }
    }
}

/// Whether the process holds the store's lock.
pub fn holds_lock(bench: &Bench, child: &Child) -> bool {
    let lock = std::fs::read_to_string(bench.folder.path().join("vainu.db.lock"));
    lock.is_ok_and(|holder| holder.contains(&format!("(process {},", child.id())))
}
