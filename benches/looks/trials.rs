//! The looks, each at a shorter and at a longer history.

use crate::Wanted;
use crate::daemon::Daemon;
use crate::large::Large;
use crate::measure::{Spread, Taken, taken};

/// Organizations that change before a feed.
const CHANGED: u32 = 1000;

/// What is called, and how; `LATEST` is a hundred entries before the end of the log.
const COMMANDS: [(&str, &str); 6] = [
    ("`status`", "status"),
    ("`status --json`", "status --json"),
    ("`check`", "check"),
    ("`changes`, the last hundred", "changes --since LATEST"),
    ("`changes`, a hundred of a query", "changes --query others --limit 100"),
    ("`changes`, of one organization", "changes --business-id FI0000777"),
];

/// Measures and prints all.
pub fn run(wanted: &Wanted) {
    let histories = [wanted.changes / 10, wanted.changes];
    let stores = histories.map(|changes| Large::make(wanted.organizations, changes));
    println!("{} organizations, two queries, {} rounds\n", wanted.organizations, wanted.rounds);
    println!("| ms | {} changes | {} changes | ratio |", histories[0], histories[1]);
    println!("|---|---|---|---|");
    let latest = histories.map(|changes| (changes - 100).to_string());
    let [shorter, longer] = &latest;
    for (name, words) in COMMANDS {
        let words = [shorter, longer].map(|since| words.replace("LATEST", since));
        line(name, wanted.rounds, |at| {
            let words: Vec<&str> = words[at].split(' ').collect();
            1000.0 * taken(&mut stores[at].command(&words)).wall
        });
    }
    line("start to ready", wanted.rounds, |at| 1000.0 * Daemon::start(&stores[at]).ready_after);
    line("`/`, the first look", wanted.rounds, |at| 1000.0 * Daemon::first_look(&stores[at]));
    let daemons = stores.each_ref().map(Daemon::start);
    for path in ["/", "/queries/all", "/metrics"] {
        line(&format!("`{path}`"), wanted.rounds, |at| 1000.0 * daemons[at].look(path));
    }
    drop(daemons);
    feeds(&stores[1], wanted.rounds);
}

/// Prints the medians of `look` at both stores, which are looked at in turns.
fn line(name: &str, rounds: usize, look: impl Fn(usize) -> f64) {
    let mut taken = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (at, taken) in taken.iter_mut().enumerate() {
            taken.push(look(at));
        }
    }
    let [shorter, longer] = taken.map(|taken| Spread::of(taken.into_iter()));
    let ratio = longer.median / shorter.median;
    println!("| {name} | {} | {} | {ratio:.2} |", shorter.in_words(0), longer.in_words(0));
}

/// What a feed takes on top of a sync: it looks at what has changed.
fn feeds(store: &Large, rounds: usize) {
    store.add_feed();
    let feed = || taken(&mut store.command(&["feed"]));
    println!(
        "\n| `feed`, a member with four columns | wall, s | CPU, s | peak memory, MiB | written, MB |\n\
         |---|---|---|---|---|"
    );
    let Taken { wall, cpu, memory, written } = feed();
    println!("| every member, first file | {wall:.2} | {cpu:.2} | {memory:.0} | {written:.0} |");
    for (name, changed) in [("nothing changed", 0), ("a thousand changes", CHANGED)] {
        let mut taken = Vec::new();
        for round in 0..rounds {
            change(store, changed, round);
            taken.push(feed());
        }
        let of = |what: fn(&Taken) -> f64| Spread::of(taken.iter().map(what)).in_words(2);
        println!(
            "| {name} | {} | {} | {} | {} |",
            of(|taken| taken.wall),
            of(|taken| taken.cpu),
            of(|taken| taken.memory),
            of(|taken| taken.written)
        );
    }
}

/// Changes so many organizations as a run would, all over the store.
fn change(store: &Large, organizations: u32, round: usize) {
    let store = store.connection();
    store
        .execute_batch(&format!(
            "BEGIN; CREATE TEMP TABLE picked AS SELECT id FROM organizations WHERE id % \
               (SELECT max(1, count(*) / max(1, {organizations})) FROM organizations) = 0 LIMIT {organizations}; \
             UPDATE organizations SET document = json_set(document, '$.name', 'Renamed {round} ' || id), \
               name = 'Renamed {round} ' || id WHERE id IN (SELECT id FROM picked); \
             INSERT INTO _changes (query, organization, kind, at, before, after) \
               SELECT 1, id, 'updated', '2026-01-01T00:00:00.000Z', '{{}}', '{{}}' FROM picked; \
             DROP TABLE picked; COMMIT;"
        ))
        .unwrap();
}
