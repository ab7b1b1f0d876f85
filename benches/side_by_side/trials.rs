//! The trials: what is listed, who takes part, in which turns.

mod beside;
mod scale;

use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::contender::{Contender, VAINU_SYNC, store};
use crate::listing;
use crate::measure::{Taken, taken};
use crate::peers::{self, Peer};
use crate::server::Server;
use crate::table::{Line, print};

/// What is asked for on the command line.
struct Wanted {
    names: Vec<String>,
    rows: usize,
    rounds: usize,
    build: Option<&'static Path>,
    python: &'static Path,
}

type Trial = fn(&Bench);

const TRIALS: [(&str, Trial); 8] = [
    ("floor", |bench| {
        let build = bench.build.map(Contender::Build);
        let contenders: Vec<_> = [VAINU_SYNC, Contender::Floor].into_iter().chain(build).collect();
        bench.three_nights(&contenders);
    }),
    ("export", |bench| bench.three_nights(&[Contender::Export, VAINU_SYNC])),
    ("latency", Bench::latency),
    ("requests", |bench| bench.beside(Peer::Script)),
    ("vainu-cli", |bench| bench.beside(Peer::Commands)),
    ("dlt", |bench| bench.beside(Peer::Dlt)),
    ("ceiling", Bench::ceiling),
    ("scale", Bench::scale),
];

/// A listing on a server, and how it is looked at.
struct Bench {
    server: Server,
    rows: Vec<String>,
    rounds: usize,
    build: Option<&'static Path>,
    python: &'static Path,
}

/// What two nights took, and what they left.
struct Nights {
    /// A store of each contender.
    stores: Vec<TempDir>,
    first: Vec<Line>,
    again: Vec<Line>,
}

/// Does the trials that are named, or all.
pub fn run(words: &[&str]) {
    let wanted = wanted(words);
    let server = Server::start();
    let rows = server.runtime.block_on(listing::rows(wanted.rows));
    let bytes: usize = rows.iter().map(String::len).sum();
    println!(
        "{} organizations of {} bytes on average, {} rounds",
        rows.len(),
        bytes / rows.len(),
        wanted.rounds
    );
    let bench = Bench { server, rows, rounds: wanted.rounds, build: wanted.build, python: wanted.python };
    for (name, trial) in TRIALS {
        if wanted.names.is_empty() || wanted.names.iter().any(|wanted| wanted == name) {
            trial(&bench);
        }
    }
}

/// Serves so many rows until the process is stopped.
pub fn serve(rows: usize) {
    let server = Server::start();
    server.serve(server.runtime.block_on(listing::rows(rows)));
    println!("VAINU_SYNC_API__BASE_URL={} VAINU_SYNC_AUTH__REFRESH_TOKEN={}", server.base_url, server.token);
    server.runtime.block_on(std::future::pending::<()>());
}

fn wanted(words: &[&str]) -> Wanted {
    let python = Path::new(peers::PYTHON);
    let mut wanted = Wanted { names: Vec::new(), rows: 100_000, rounds: 5, build: None, python };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || *words.next().expect("a value after the option");
        match *word {
            "--rows" => wanted.rows = value().parse().unwrap(),
            "--rounds" => wanted.rounds = value().parse().unwrap(),
            "--build" => wanted.build = Some(Path::new(value().to_owned().leak())),
            "--python" => wanted.python = std::path::absolute(value()).unwrap().leak(),
            name if TRIALS.iter().any(|(known, _)| *known == name) => wanted.names.push(name.to_owned()),
            other => panic!("there is no trial {other:?}; there are {:?}", TRIALS.map(|(name, _)| name)),
        }
    }
    wanted
}

impl Bench {
    /// A first load, the same again, and a listing that is a little different.
    fn three_nights(&self, contenders: &[Contender]) {
        let stores = self.two_nights(&self.rows, contenders).stores;
        let turns = || contenders.iter().zip(&stores);
        self.server.serve(listing::later(&self.rows));
        for (who, folder) in turns() {
            self.once_on_a_copy(*who, folder.path());
        }
        let kept = |who: Contender| turns().find(|(other, _)| **other == who).unwrap().1.path();
        self.in_turns("Again, 1 % changed and 0.1 % gone", contenders, |who| {
            (self.once_on_a_copy(who, kept(who)), None)
        });
    }

    /// A first load of `rows`, and the same again.
    fn two_nights(&self, rows: &[String], contenders: &[Contender]) -> Nights {
        let stores: Vec<TempDir> = contenders.iter().map(|_| TempDir::new().unwrap()).collect();
        let turns = || contenders.iter().zip(&stores);
        self.server.serve(rows.to_vec());
        // The pages are made, before the clock starts.
        for (who, folder) in turns() {
            self.once(*who, folder.path());
        }
        let first = self.in_turns("First load", contenders, |who| {
            let fresh = TempDir::new().unwrap();
            let taken = self.once(who, fresh.path());
            (taken, Some(size(&store(fresh.path()))))
        });
        let kept = |who: Contender| turns().find(|(other, _)| **other == who).unwrap().1.path();
        let again =
            self.in_turns("Again, nothing changed", contenders, |who| (self.once(who, kept(who)), None));
        Nights { stores, first, again }
    }

    /// Pages that are a long way off.
    fn latency(&self) {
        self.server.serve(self.rows.clone());
        let contenders = [VAINU_SYNC, Contender::Pages { concurrency: 1 }];
        for who in contenders {
            self.once(who, TempDir::new().unwrap().path());
        }
        self.server.wait(Duration::from_millis(300));
        self.in_turns("First load, 300 ms a page", &contenders, |who| {
            (self.once(who, TempDir::new().unwrap().path()), None)
        });
        self.server.wait(Duration::ZERO);
    }

    fn in_turns(
        &self,
        title: &str,
        contenders: &[Contender],
        trial: impl Fn(Contender) -> (Taken, Option<u64>),
    ) -> Vec<Line> {
        let line = |who: &Contender| Line { name: who.name().to_owned(), taken: Vec::new(), size: None };
        let mut lines: Vec<Line> = contenders.iter().map(line).collect();
        for _ in 0..self.rounds {
            for (who, line) in contenders.iter().zip(&mut lines) {
                let (taken, size) = trial(*who);
                line.taken.push(taken);
                line.size = size;
            }
        }
        print(title, &lines);
        lines
    }

    fn once(&self, who: Contender, folder: &Path) -> Taken {
        taken(&mut who.command(folder, &self.server))
    }

    /// On a copy of the store that is kept in `folder`, which stays as it is.
    fn once_on_a_copy(&self, who: Contender, folder: &Path) -> Taken {
        let copy = TempDir::new().unwrap();
        for file in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if file.file_type().unwrap().is_file() {
                let to = copy.path().join(file.file_name());
                fs::copy(file.path(), &to).unwrap();
                // On the disk before the clock starts: who syncs would wait for it.
                fs::File::open(to).unwrap().sync_all().unwrap();
            }
        }
        self.once(who, copy.path())
    }
}

/// Bytes of a store, its log left aside.
fn size(store: &Path) -> u64 {
    fs::metadata(store).unwrap().len()
}
