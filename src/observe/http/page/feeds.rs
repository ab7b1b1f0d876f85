//! How the feeds stand, in one table.

use jiff::Timestamp;
use maud::{Markup, html};

use super::state::badge;
use super::words::{error, number, tame, utc};
use crate::feed::Standing;
use crate::store::{Handover, time};
use crate::text::ago;

/// Nothing, where there is no feed.
pub fn feeds(feeds: &[Standing], at: Timestamp) -> Markup {
    if feeds.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="feeds" {
            h2 #feeds { "Feeds" }
            div.wide tabindex="0" role="region" aria-labelledby="feeds" {
                table {
                    caption { "The last file of each or the table that it writes, and when that was last compared with the store and right" }
                    thead {
                        tr {
                            th scope="col" { "Feed" }
                            th scope="col" { "State" }
                            th scope="col" { "Last file or table" }
                            th.number scope="col" { "Rows" }
                            th scope="col" { "Written" }
                            th scope="col" { "Right" }
                        }
                    }
                    tbody { @for feed in feeds { (row(feed, at)) } }
                }
            }
        }
    }
}

/// How many of the configured feeds can't be written, or handed over, in words; `None`: all can.
pub fn failing(feeds: &[Standing]) -> Option<String> {
    let configured = feeds.iter().filter(|feed| feed.configured);
    let all = configured.clone().count();
    let failing = configured.clone().filter(|feed| feed.error.is_some()).count();
    let waiting = configured.filter(|feed| is_not_taken(feed)).count();
    match (failing, waiting, all) {
        (0, 0, _) => None,
        (0, 1, 1) => Some("the feed's files can't be handed over".to_owned()),
        (0, ..) => Some(format!("the files of {waiting} of {all} feeds can't be handed over")),
        (1, _, 1) => Some("the feed can't be written".to_owned()),
        _ => Some(format!("{failing} of {all} feeds can't be written")),
    }
}

/// Whether the last try to hand its files over has failed.
fn is_not_taken(feed: &Standing) -> bool {
    feed.handing.iter().any(|way| way.error.is_some())
}

fn row(feed: &Standing, at: Timestamp) -> Markup {
    let waits = feed.configured && !feed.waits_for.is_empty();
    html! {
        tr {
            td { (tame(&feed.feed)) }
            td { (state(feed)) }
            td { (feed.table.as_deref().or(feed.file.as_deref()).map_or_else(|| "none yet".to_owned(), tame)) }
            td.number { (feed.rows.map_or_else(|| "–".to_owned(), number)) }
            td { (moment(feed.written_at.as_deref(), at)) }
            td { (moment(feed.checked_at.as_deref(), at)) }
        }
        @if let Some(directory) = &feed.directory {
            tr.why { td colspan="6" { "In " (tame(directory)) } }
        }
        @if let Some(reason) = &feed.error {
            tr.why { td colspan="6" { "Held back: " (error(reason)) } }
        }
        @if waits {
            tr.why {
                td colspan="6" { "Removes nobody until these have succeeded once: " (tame(&feed.waits_for.join(", "))) }
            }
        }
        @for way in &feed.handing { tr.why { td colspan="6" { (handing(way, at)) } } }
    }
}

/// How far one way of handing over has got.
fn handing(handing: &Handover, at: Timestamp) -> Markup {
    let Handover { way, sequence, waiting, handed_at, tried_at, failures, error: reason, .. } = handing;
    html! {
        (tame(way)) ": "
        @match (handed_at, sequence) {
            (Some(handed_at), _) => { "file " (sequence) " handed over " (moment(Some(handed_at), at)) }
            (None, 0) => "no file handed over yet",
            (None, _) => { "begins after file " (sequence) }
        }
        @if *waiting > 0 { "; " (number(*waiting)) @if *waiting == 1 { " file waits" } @else { " files wait" } }
        @if let Some(reason) = reason {
            "; failed " (number(*failures)) @if *failures == 1 { " time" } @else { " times" } ", last "
            (moment(tried_at.as_deref(), at)) ": " (error(reason))
        }
    }
}

fn state(feed: &Standing) -> Markup {
    match feed {
        Standing { configured: false, .. } => badge("quiet", "–", "Removed"),
        Standing { error: Some(_), .. } => badge("bad", "✕", "Not written"),
        Standing { waits_for, .. } if !waits_for.is_empty() => badge("warn", "‖", "Waits"),
        Standing { checked_at: None, .. } => badge("quiet", "…", "Not written yet"),
        _ if is_not_taken(feed) => badge("warn", "!", "Not taken"),
        _ => badge("good", "✓", "Right"),
    }
}

fn moment(text: Option<&str>, now: Timestamp) -> Markup {
    match (text, text.and_then(time::from_text)) {
        (None, _) => html! { "never" },
        (Some(text), None) => html! { (tame(text)) },
        (Some(_), Some(at)) => html! { (ago(at, now)) " " small { (utc(at)) } },
    }
}
