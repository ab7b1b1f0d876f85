//! `/`: what is late first.

use axum::response::Html;
use jiff::Timestamp;
use maud::{Markup, html};

use super::drawing;
use super::feeds::{failing, feeds};
use super::layout::layout;
use super::state::{self, State};
use super::words::{error, number, segment, tame, took, utc, written};
use crate::config::settings::Credential;
use crate::observe::sight::{Seen, Sight};
use crate::observe::vitals::Vitals;
use crate::standing::Standing;
use crate::store::{Run, Status, time};
use crate::text::{ago, brief_size, grouped};

/// From so many days before its end on a token is warned about.
const WARN_DAYS: i64 = 7;

pub fn page(vitals: &Vitals, sight: &Sight) -> Html<String> {
    let verdict = verdict(vitals, sight);
    let content = html! {
        (verdict.heading())
        (troubles(vitals, sight))
        @if let Ok(seen) = &sight.seen {
            (queries(seen, sight.at))
            (feeds(&seen.feeds, sight.at))
            (last_troubles(&seen.troubles))
        }
        (service(vitals, sight))
    };
    layout(&verdict.words, Some(sight.at), &content)
}

struct Verdict {
    class: &'static str,
    sign: &'static str,
    words: String,
}

impl Verdict {
    fn heading(&self) -> Markup {
        html! { h1 class={ "verdict " (self.class) } { span aria-hidden="true" { (self.sign) } " " (self.words) } }
    }
}

/// What is wrong with the whole comes before what each query says of itself.
fn verdict(vitals: &Vitals, sight: &Sight) -> Verdict {
    let bad = |words: &str| Verdict { class: "bad", sign: "✕", words: words.to_owned() };
    match &sight.seen {
        Err(_) => bad("The store can't be read"),
        Ok(_) if sight.unready.is_some() => bad("The store can't be written"),
        Ok(_) if !vitals.is_alive() => bad("The daemon hangs"),
        Ok(_) if vitals.reading().refused_at.is_some() => bad("The configuration was refused"),
        Ok(seen) => verdict_on(seen),
    }
}

fn verdict_on(seen: &Seen) -> Verdict {
    let states: Vec<State> =
        seen.overview.queries.iter().map(State::of).filter(|state| *state != State::Removed).collect();
    let all = states.len();
    let count = |wanted: &[State]| states.iter().filter(|state| wanted.contains(state)).count();
    let queries = if all == 1 { "query" } else { "queries" };
    let late = count(&[State::Late]);
    if late > 0 {
        let is = if late == 1 { "is" } else { "are" };
        return Verdict { class: "bad", sign: "✕", words: format!("{late} of {all} {queries} {is} late") };
    }
    let wanting = count(&[State::Held, State::Waits, State::Failing]);
    if wanting > 0 {
        let want = if wanting == 1 { "wants" } else { "want" };
        let words = format!("Nothing is late, {wanting} of {all} {queries} {want} a look");
        return Verdict { class: "warn", sign: "!", words };
    }
    let new = count(&[State::New]);
    if new > 0 {
        let has = if new == 1 { "has" } else { "have" };
        let words = format!("Nothing is late, {new} of {all} {queries} {has} not succeeded yet");
        return Verdict { class: "warn", sign: "…", words };
    }
    let words = match all {
        0 => "There are no queries".to_owned(),
        1 => "The query is on time".to_owned(),
        _ => format!("All {all} queries are on time"),
    };
    match failing(&seen.feeds) {
        None => Verdict { class: "good", sign: "✓", words },
        Some(failing) => Verdict { class: "warn", sign: "!", words: format!("{words}, but {failing}") },
    }
}

/// What concerns all queries.
fn troubles(vitals: &Vitals, sight: &Sight) -> Markup {
    let days = days_left(vitals, sight.at).filter(|days| *days <= WARN_DAYS);
    html! {
        @if let Err(reason) = &sight.seen { p.note.bad { (error(reason)) } }
        @else if let Some(reason) = &sight.unready { p.note.bad { "The store can't be written: " (error(reason)) } }
        @if !vitals.is_alive() {
            p.note.bad { "The daemon has not looked who is due for " (vitals.silence().as_secs()) " s: it hangs. Restart it." }
        }
        @if let Some(refused) = vitals.reading().refused_at {
            p.note.bad {
                "The configuration was refused when it was read again, " (ago(refused, sight.at)) ", and the daemon works by the \
                 one before. The log and " code { (tame(&vitals.setup().settings.command("check"))) } " say what is wrong."
            }
        }
        @if let Some(days) = days {
            p.note.warn {
                @if days < 0 { "The refresh token has ended: " } @else { "The refresh token ends soon: " }
                "get a new one in Vainu's user interface and put it where the old one is."
            }
        }
    }
}

fn queries(seen: &Seen, at: Timestamp) -> Markup {
    let mut queries: Vec<(State, &Standing)> =
        seen.overview.queries.iter().map(|standing| (State::of(standing), standing)).collect();
    queries.sort_by_key(|(state, _)| *state);
    html! {
        section aria-labelledby="queries" {
            h2 #queries { "Queries" }
            @for (state, standing) in queries { (query(state, standing, at)) }
            p.legend {
                "Changes per run, on a logarithmic scale: " span.key.came {} " came, " span.key.updated {} " updated, "
                span.key.left {} " left, " span.key.band {} " a run that did not succeed."
            }
        }
    }
}

fn query(state: State, standing: &Standing, at: Timestamp) -> Markup {
    html! {
        article {
            div.head {
                h3 { a href={ "/queries/" (segment(&standing.query)) } { (tame(&standing.query)) } }
                (state.badge())
                @if is_running(standing) { " " (state::of_run(Status::Running.as_str())) }
            }
            (facts(standing, at))
            (drawings(standing))
            (reasons(state, standing))
        }
    }
}

fn is_running(standing: &Standing) -> bool {
    standing.last_run.as_ref().is_some_and(|run| run.is(Status::Running))
}

/// Its runs without one that is under way.
pub fn ended(standing: &Standing) -> &[Run] {
    if is_running(standing) { &standing.runs[1..] } else { &standing.runs }
}

/// A query's last runs, drawn.
pub fn drawings(standing: &Standing) -> Markup {
    let runs = ended(standing);
    let range = drawing::range(runs, standing.members);
    html! {
        figure {
            figcaption { "Members" @if let Some(range) = range { ", " (range) } }
            (drawing::members(runs, standing.members))
        }
        figure { figcaption { "Changes per run" } (drawing::changes(runs)) }
    }
}

/// A query's numbers.
pub fn facts(standing: &Standing, at: Timestamp) -> Markup {
    html! {
        dl.facts {
            div {
                dt { "Last success" }
                dd {
                    @if let Some(success) = standing.last_success_at { (ago(success, at)) " " small { (utc(success)) } }
                    @else { "none yet" }
                }
            }
            div { dt { "Members" } dd { (grouped(standing.members)) } }
            div {
                dt { "Last run" }
                dd {
                    @if let Some(run) = ended(standing).first() { (last_run(run, at)) } @else { "none yet" }
                }
            }
            div {
                dt { "Next run" }
                dd {
                    @if standing.next_run_at.is_some_and(|next| next <= at) { "now" }
                    @else if let Some(next) = &standing.next_run { (tame(next)) }
                    @else if standing.waits.is_some() { "not before somebody says so" }
                    @else if standing.configured { "none: its schedule has no tick any more" }
                    @else { "never: it is not in the configuration any more and holds its members" }
                }
            }
        }
    }
}

fn last_run(run: &Run, at: Timestamp) -> Markup {
    html! {
        (run.status) @if let Some(started) = time::from_text(&run.started_at) { " " (ago(started, at)) }
        " after " (took(run, at)) ": " (number(run.fetched)) " fetched, " (number(run.created + run.entered))
        " came, " (number(run.updated)) " updated, " (number(run.left)) " left"
        @if run.rejected > 0 { ", " (number(run.rejected)) " set aside" }
    }
}

/// Why a query wants a person, and what that one can do.
pub fn reasons(state: State, standing: &Standing) -> Markup {
    let failed = ended(standing).first().filter(|run| !run.is(Status::Succeeded));
    html! {
        @if let Some(reason) = &standing.waits { p.note.warn { "Waits: " (error(reason)) } }
        @if let Some(error_text) = failed.and_then(|run| run.error.as_deref()).filter(|_| state != State::Removed) {
            p.note.(if standing.held.is_some() { "warn" } else { "bad" }) { (error(error_text)) }
        }
        @if let Some(command) = &standing.held {
            p.command { "Look at the query; if it is right, let it through: " code { (tame(command)) } }
        }
    }
}

fn last_troubles(runs: &[Run]) -> Markup {
    html! {
        section aria-labelledby="troubles" {
            h2 #troubles { "Last runs without success" }
            @if runs.is_empty() { p { "None." } }
            @else {
                div.wide tabindex="0" role="region" aria-labelledby="troubles" {
                    table {
                        caption { "The newest first; an old one may long be mended" }
                        thead { tr { th scope="col" { "Started" } th scope="col" { "Query" } th scope="col" { "Ended" } th scope="col" { "Why" } } }
                        tbody {
                            @for run in runs {
                                tr {
                                    td.time { (written(&run.started_at)) }
                                    td { a href={ "/queries/" (segment(&run.query)) } { (tame(&run.query)) } }
                                    td { (state::of_run(&run.status)) }
                                    td.why { (error(run.error.as_deref().unwrap_or("–"))) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn service(vitals: &Vitals, sight: &Sight) -> Markup {
    let size = |size: Option<u64>| size.map_or_else(|| "–".to_owned(), brief_size);
    let settings = vitals.setup().settings;
    html! {
        section aria-labelledby="service" {
            h2 #service { "Service" }
            dl.facts.service {
                div { dt { "Token" } dd { (token(vitals, sight.at)) } }
                div { dt { "Store" } dd { (size(sight.disk.store)) ", log " (size(sight.disk.wal)) } }
                div { dt { "Free on its disk" } dd { (size(sight.disk.free)) " of " (size(sight.disk.size)) } }
                div { dt { "File" } dd { (tame(&settings.store.path.display().to_string())) } }
                div { dt { "Running since" } dd { (utc(vitals.started_at)) } }
                div { dt { "Version" } dd { (env!("CARGO_PKG_VERSION")) } }
            }
        }
    }
}

fn token(vitals: &Vitals, at: Timestamp) -> Markup {
    let is_client = matches!(vitals.setup().settings.credential, Some(Credential::Client { .. }));
    html! {
        @if let (Some(days), Some(end)) = (days_left(vitals, at), vitals.token_end()) {
            @if days < 0 { "ended " } @else if days == 1 { "1 day left, until " } @else { (days) " days left, until " }
            (utc(end))
        } @else if is_client { "client credentials, which have no end of their own" }
        @else { "its end is not known" }
    }
}

/// Whole days until the refresh token ends, negative once it has.
fn days_left(vitals: &Vitals, at: Timestamp) -> Option<i64> {
    Some(vitals.token_end()?.duration_since(at).as_secs().div_euclid(86_400))
}
