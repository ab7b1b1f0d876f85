//! `/queries/NAME`: one query and its runs.

use axum::response::Html;
use jiff::Timestamp;
use maud::{Markup, html};

use super::front::{drawings, facts, reasons};
use super::layout::layout;
use super::state::{self, State};
use super::words::{error, number, segment, tame, took, written};
use crate::standing::Standing;
use crate::store::{Run, Status};

/// A query and some of its runs.
pub struct History<'a> {
    pub standing: &'a Standing,
    /// Newest first.
    pub runs: &'a [Run],
    /// They are those before this run.
    pub before: Option<i64>,
    /// There may be older ones.
    pub is_full: bool,
}

impl History<'_> {
    pub fn page(&self, at: Timestamp) -> Html<String> {
        let (standing, state) = (self.standing, State::of(self.standing));
        let name = tame(&standing.query);
        let content = html! {
            h1.name { (name) " " (state.badge()) }
            div.query {
                (facts(standing, at))
                (drawings(standing))
                (reasons(state, standing))
            }
            section aria-labelledby="runs" {
                h2 #runs { "Runs" }
                (self.table(at))
                (self.turns())
            }
        };
        layout(&name, Some(at), &content)
    }

    fn table(&self, at: Timestamp) -> Markup {
        const NUMBERS: [&str; 8] =
            ["Fetched", "Created", "Entered", "Updated", "Left", "Set aside", "Requests", "Retries"];
        if self.runs.is_empty() {
            return html! { p { "None." } };
        }
        html! {
            div.wide tabindex="0" role="region" aria-labelledby="runs" {
                table.runs {
                    caption { "The newest first; numbers of organizations" }
                    thead {
                        tr {
                            @for head in ["Started", "Ended", "How", "Took"] { th scope="col" { (head) } }
                            @for head in NUMBERS { th.number scope="col" { (head) } }
                        }
                    }
                    tbody { @for run in self.runs { (row(run, at)) } }
                }
            }
        }
    }

    fn turns(&self) -> Markup {
        let place = format!("/queries/{}", segment(&self.standing.query));
        html! {
            nav.turns aria-label="Older and newer runs" {
                @if self.before.is_some() { a href=(place) { "Newest runs" } " " }
                @if let Some(last) = self.runs.last().filter(|_| self.is_full) {
                    a href={ (place) "?before=" (last.id) } { "Older runs" }
                }
            }
        }
    }
}

fn row(run: &Run, at: Timestamp) -> Markup {
    let numbers = [
        run.fetched,
        run.created,
        run.entered,
        run.updated,
        run.left,
        run.rejected,
        run.requests,
        run.retries,
    ];
    let is_over = !run.is(Status::Running);
    html! {
        tr {
            td.time { (written(&run.started_at)) }
            td { (state::of_run(&run.status)) }
            td { (run.mode) ", " (run.fetch) }
            td { (took(run, at)) @if !is_over { " so far" } }
            @for value in numbers { td.number { (number(value)) } }
        }
        @if let Some(why) = &run.error { tr.why { td colspan="12" { (error(why)) } } }
    }
}
