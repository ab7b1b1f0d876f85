//! Figures as a table for docs/benchmarks.md.

use crate::measure::{Spread, Taken};

/// One contender's figures in one trial.
pub struct Line {
    pub name: String,
    pub taken: Vec<Taken>,
    /// Bytes of its store afterwards, where that is asked.
    pub size: Option<u64>,
}

/// Prints `lines`, of which the first is ours; ratios are ours to each.
pub fn print(title: &str, lines: &[Line]) {
    println!("\n## {title}\n");
    println!(
        "| | wall, s | CPU, s | peak memory, MiB | written, MB | file, MB | wall, ours to it | CPU, ours to it | file |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let ours = &lines[0];
    for line in lines {
        let [wall, cpu, memory, written] = columns(&line.taken);
        let size = line.size.map_or(String::new(), |size| format!("{:.0}", megabytes(size)));
        let file = match (ours.size, line.size) {
            (Some(ours), Some(theirs)) => format!("{:.2}", megabytes(ours) / megabytes(theirs)),
            _ => String::new(),
        };
        let ratio = |of: fn(&Taken) -> f64| median(&ours.taken, of) / median(&line.taken, of);
        println!(
            "| {} | {wall} | {cpu} | {memory} | {written} | {size} | {:.2} | {:.2} | {file} |",
            line.name,
            ratio(|taken| taken.wall),
            ratio(|taken| taken.cpu),
        );
    }
}

fn columns(taken: &[Taken]) -> [String; 4] {
    let column = |of: fn(&Taken) -> f64, digits| Spread::of(taken.iter().map(of)).in_words(digits);
    [
        column(|taken| taken.wall, 2),
        column(|taken| taken.cpu, 2),
        column(|taken| taken.memory, 1),
        column(|taken| taken.written, 0),
    ]
}

pub fn median(taken: &[Taken], of: fn(&Taken) -> f64) -> f64 {
    Spread::of(taken.iter().map(of)).median
}

#[allow(clippy::cast_precision_loss, reason = "a file has fewer bytes than a float has whole numbers")]
pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
