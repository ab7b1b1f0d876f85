//! What one command takes: its wall time, its processor time, its peak memory, what it writes.

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// What a command took.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// Seconds by the clock.
    pub wall: f64,
    /// Seconds of the processor, the system's among them.
    pub cpu: f64,
    /// MiB resident at most.
    pub memory: f64,
    /// MB of files, as Linux counts them when they are made dirty: none on a file system in memory.
    pub written: f64,
}

/// What several rounds took.
pub struct Spread {
    pub median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        Self { median: values[values.len() / 2], least: values[0], most: values[values.len() - 1] }
    }

    /// The median, and in brackets the least and the most.
    pub fn in_words(&self, digits: usize) -> String {
        let Self { median, least, most } = self;
        format!("{median:.digits$} ({least:.digits$}-{most:.digits$})")
    }
}

/// Runs `command` in a process that does nothing else, whose only child it is: the system tells of all children
/// of a process together.
pub fn taken(command: &mut Command) -> Taken {
    let mut measured = Command::new(std::env::current_exe().unwrap());
    measured.arg("measure").arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        measured.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        measured.env(name, value.unwrap_or_default());
    }
    let output = measured.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{command:?} ended with {}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
    let [wall, cpu, memory, written] = numbers[..] else { panic!("{text}") };
    Taken { wall, cpu, memory, written }
}

/// Runs the command, silently unless it fails, and prints what it took.
pub fn run(command: &[&str]) -> ExitCode {
    let began = Instant::now();
    let output = Command::new(command[0]).args(&command[1..]).stdin(Stdio::null()).output().unwrap();
    let wall = began.elapsed().as_secs_f64();
    if !output.status.success() {
        eprintln!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        return ExitCode::FAILURE;
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let cpu = duration(usage.user_time()) + duration(usage.system_time());
    let kibibytes = f64::from(i32::try_from(usage.max_rss()).unwrap());
    let blocks = f64::from(i32::try_from(usage.block_writes()).unwrap());
    println!("{wall} {} {} {}", cpu.as_secs_f64(), kibibytes / 1024.0, blocks * 512.0 / 1e6);
    ExitCode::SUCCESS
}

fn duration(time: TimeVal) -> Duration {
    let micros = i128::from(time.tv_sec()) * 1_000_000 + i128::from(time.tv_usec());
    Duration::from_micros(u64::try_from(micros).unwrap())
}
