//! The end of what a command says.

use std::collections::VecDeque;

use tokio::io::{AsyncRead, AsyncReadExt};

/// How much of it is kept, in bytes.
const KEPT: usize = 4 * 1024;

/// Reads to the end, and gives the last bytes as text, whole lines only where more was said.
pub async fn tail(mut source: impl AsyncRead + Unpin) -> String {
    let (mut kept, mut buffer, mut is_cut) = (VecDeque::with_capacity(2 * KEPT), vec![0; KEPT], false);
    while let Ok(read @ 1..) = source.read(&mut buffer).await {
        kept.extend(&buffer[..read]);
        let surplus = kept.len().saturating_sub(KEPT);
        is_cut |= surplus > 0;
        kept.drain(..surplus);
    }
    text(kept.make_contiguous(), is_cut)
}

fn text(bytes: &[u8], is_cut: bool) -> String {
    let text = String::from_utf8_lossy(bytes).replace('\0', "\u{FFFD}");
    let whole = match text.split_once('\n') {
        Some((_, rest)) if is_cut && !rest.trim().is_empty() => format!("…\n{rest}"),
        _ if is_cut => format!("…{text}"),
        _ => text,
    };
    whole.trim_end().to_owned()
}

/// The last line that says something, as much of it as a message can bear.
pub fn last_line(text: &str) -> Option<String> {
    const MOST: usize = 200;
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    let line: String = line.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    Some(match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_much_the_last_lines_are_kept() {
        assert_eq!(tail(&b"one\ntwo\n"[..]).await, "one\ntwo");
        assert_eq!(tail(&b"\xff\0"[..]).await, "\u{FFFD}\u{FFFD}");
        let much = (0..10_000).map(|line| format!("line {line}")).collect::<Vec<_>>().join("\n");
        let kept = tail(much.as_bytes()).await;
        assert!(kept.starts_with("…\nline 9") && kept.ends_with("\nline 9999"), "{kept}");
        assert!(kept.len() <= KEPT + 4);
        let long = tail("ä".repeat(KEPT).as_bytes()).await;
        assert!(long.starts_with('…') && long.ends_with('ä'), "a line alone is cut");
        assert_eq!(last_line("one\n two\u{1b}[0m \n\n").as_deref(), Some("two [0m"));
        assert_eq!(last_line(" \n"), None);
    }
}
