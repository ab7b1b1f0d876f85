//! One line for each run: what `sync` prints.

use serde_json::{Value, json};

use crate::run::Report;
use crate::store::Status;
use crate::text::grouped;

/// For people.
#[must_use]
pub fn line(report: &Report) -> String {
    let n = &report.numbers;
    let mut parts = vec![format!("{} companies", grouped(n.fetched))];
    let named = [
        (n.created, "created"),
        (n.entered, "entered"),
        (n.updated, "updated"),
        (n.left, "left"),
        (n.rejected, "set aside"),
    ];
    parts.extend(named.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", grouped(*n))));
    if report.status == Status::Succeeded && n.created + n.entered + n.updated + n.left == 0 {
        parts.push("nothing new".to_owned());
    }
    if report.status == Status::Succeeded && n.candidates > n.left {
        parts.push(format!("{} to be confirmed", grouped(n.candidates - n.left)));
    }
    let seconds = report.took.as_secs_f64();
    let kind = if report.dry_run { "dry run " } else { "" };
    let line = format!("{}: {kind}{}: {} ({seconds:.1} s)", report.query, report.status, parts.join(", "));
    match &report.error {
        Some(error) => format!("{line}: {error}"),
        None => line,
    }
}

/// For programs: one JSON object.
#[must_use]
pub fn json(report: &Report) -> Value {
    let n = &report.numbers;
    json!({
        "query": report.query, "dry_run": report.dry_run, "status": report.status.as_str(), "expected": n.expected,
        "fetched": n.fetched, "created": n.created, "updated": n.updated, "unchanged": n.unchanged,
        "entered": n.entered, "left": n.left, "candidates": n.candidates, "rejected": n.rejected,
        "requests": n.requests, "retries": n.retries, "bytes": n.bytes,
        "seconds": report.took.as_secs_f64(), "error": report.error,
    })
}
