//! What a run says, in short, and without what is another each time.

use super::cell::Outcome;
use super::heard::Warning;
use super::kinds::Kind;

/// Why a run failed, else what it warned of, as code in Markdown.
pub fn by(kind: Kind, outcome: &Outcome) -> String {
    let said = match &outcome.error {
        Some(error) => short(error),
        None => outcome.warnings.iter().map(warned).collect::<Vec<_>>().join("; "),
    };
    let said = match kind {
        Kind::Status(status) => said.replace(&format!("status {status}"), "status N"),
        _ => said,
    };
    if said.is_empty() { String::new() } else { format!("`{}`", said.replace('`', "'")) }
}

fn warned(Warning { message, reason }: &Warning) -> String {
    format!("{message} ({})", short(reason))
}

/// Up to what is to be done, without hosts, numbers of tries and the system's own words.
fn short(text: &str) -> String {
    let said = text.split("; ").next().unwrap_or_default();
    let said = without_tries(&without_hosts(said));
    let said = said.replace(&"0".repeat(24), "JOB").replace(" 1s (api.timeout)", " api.timeout");
    let said = said.replace(": the server's words", ": (the server's words)");
    for end in ["came damaged", "no HTTP answer came"] {
        if let Some(at) = said.find(end) {
            return said[..at + end.len()].to_owned();
        }
    }
    said
}

/// `/v3/…` for a URL of the API, and HOST for another.
fn without_hosts(text: &str) -> String {
    let mut parts = text.split("http://127.0.0.1:");
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        said += &rest.strip_prefix("/api").map_or_else(|| format!("HOST{rest}"), str::to_owned);
    }
    said
}

fn without_tries(text: &str) -> String {
    match text.split_once(" usable in ") {
        Some((before, after)) => {
            let cause = after.split_once(": ").map_or("", |(_, cause)| cause);
            format!("{before} usable: {cause}")
        }
        None => text.to_owned(),
    }
}
