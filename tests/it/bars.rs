//! Log lines and progress bars on one terminal.

use vainu_sync::sandbox::{Endpoint, Fault};

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::terminal::Terminal;

/// The lines that a terminal shows in the end, of output that moves up, clears lines and colours.
fn shown(output: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let (mut row, mut column) = (0, 0);
    let mut rest = output.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '\r' => column = 0,
            '\n' => {
                row += 1;
                lines.resize(lines.len().max(row + 1), String::new());
            }
            '\u{1b}' if rest.next_if_eq(&'[').is_some() => {
                let mut number = String::new();
                while let Some(digit) = rest.next_if(|next| !next.is_ascii_alphabetic()) {
                    number.push(digit);
                }
                match rest.next() {
                    Some('A') => row = row.saturating_sub(number.parse().unwrap_or(1)),
                    Some('B') => row = (row + number.parse().unwrap_or(1)).min(lines.len() - 1),
                    Some('K') if number == "2" => lines[row].clear(),
                    Some('K') => lines[row] = lines[row].chars().take(column).collect(),
                    Some('G') => column = number.parse().unwrap_or(1) - 1,
                    _ => {}
                }
            }
            letter => {
                let mut line: Vec<char> = lines[row].chars().collect();
                line.resize(line.len().max(column + 1), ' ');
                line[column] = letter;
                lines[row] = line.into_iter().collect();
                column += 1;
            }
        }
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_stay_whole_beside_a_progress_bar() {
    let bench = Bench::with_rows(numbered(950), ALL_OF_FI).await;
    bench.control.switch(|switches| {
        switches.page_cap = Some(100);
        switches.latency = std::time::Duration::from_millis(100);
    });
    bench.control.fail_every(Endpoint::Organizations, 4, Fault::status(503));
    let line = format!("stty cols 400; {} sync", env!("CARGO_BIN_EXE_vainu-sync"));
    let terminal = [("TERM", "xterm"), ("NO_COLOR", "1")];
    let Some(mut terminal) = Terminal::run(&line, bench.folder.path(), &terminal) else { return };
    assert_eq!(terminal.code().await, Some(0), "{}", terminal.screen());
    terminal.shows("succeeded: 950 companies", 1).await;
    let screen = terminal.screen();
    assert!(screen.contains("/950"), "a bar is shown: {screen}");
    let lines = shown(&screen);
    let retries: Vec<&String> = lines.iter().filter(|line| line.contains("trying again")).collect();
    assert!(retries.len() > 1, "{lines:#?}");
    for line in retries {
        assert!(line.trim_start().starts_with("20") && line.contains("wait_ms="), "{line:?} in {lines:#?}");
    }
    let whole = |line: &&String| line.starts_with("all: succeeded: 950 companies, 950 created (");
    assert_eq!(lines.iter().filter(whole).count(), 1, "{lines:#?}");
}
