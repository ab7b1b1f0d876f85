//! Figures as a table for docs/benchmarks.md.

use crate::measure::{Spread, Taken};

/// One contender's figures in one trial.
pub struct Line {
    pub name: String,
    pub taken: Vec<Taken>,
    /// Bytes of its store afterwards, where that is asked.
    pub size: Option<u64>,
}

/// Prints `lines`; ratios are to the second one, the first being ours.
pub fn print(title: &str, lines: &[Line]) {
    println!("\n## {title}\n");
    println!(
        "| | wall, s | CPU, s | peak memory, MiB | file, MB | wall, ours to it | CPU, ours to it | file |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let ours = &lines[0];
    for line in lines {
        let [wall, cpu, memory] = columns(&line.taken);
        let size = line.size.map_or(String::new(), |size| format!("{:.0}", megabytes(size)));
        let file = match (ours.size, line.size) {
            (Some(ours), Some(theirs)) => format!("{:.2}", megabytes(ours) / megabytes(theirs)),
            _ => String::new(),
        };
        let ratio = |of: fn(&Taken) -> f64| median(&ours.taken, of) / median(&line.taken, of);
        println!(
            "| {} | {wall} | {cpu} | {memory} | {size} | {:.2} | {:.2} | {file} |",
            line.name,
            ratio(|taken| taken.wall),
            ratio(|taken| taken.cpu),
        );
    }
}

fn columns(taken: &[Taken]) -> [String; 3] {
    let of: [fn(&Taken) -> f64; 3] = [|taken| taken.wall, |taken| taken.cpu, |taken| taken.memory];
    of.map(|of| Spread::of(taken.iter().map(of)).in_words(2))
}

pub fn median(taken: &[Taken], of: fn(&Taken) -> f64) -> f64 {
    Spread::of(taken.iter().map(of)).median
}

#[allow(clippy::cast_precision_loss, reason = "a file has fewer bytes than a float has whole numbers")]
pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
