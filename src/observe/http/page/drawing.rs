//! Small drawings of a query's last runs. Each says in words what it shows.

use maud::{Markup, html};

use super::words::tame;
use crate::store::{Run, Status};
use crate::text::grouped;

/// The size that everything is drawn in; the page stretches it.
const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 40.0;

/// Where arrivals and updates end and departures begin.
const BASE: f64 = 30.0;

/// The fewest and the most members after each of `runs`, which are newest first; there are `members` now.
pub fn range(runs: &[Run], members: u64) -> Option<String> {
    let after = members_after(runs, members);
    let (lowest, highest) = (after.iter().min()?, after.iter().max()?);
    Some(if lowest == highest {
        grouped(*lowest)
    } else {
        format!("{} to {}", grouped(*lowest), grouped(*highest))
    })
}

/// Members after each of `runs`, which are newest first; there are `members` now.
pub fn members(runs: &[Run], members: u64) -> Markup {
    let after = members_after(runs, members);
    let (Some(first), Some(&lowest), Some(&highest)) =
        (after.first(), after.iter().min(), after.iter().max())
    else {
        return nothing("Members over time");
    };
    let words = format!(
        "Members over the last {} runs: from {} to {}, lowest {}, highest {}",
        after.len(),
        grouped(*first),
        grouped(members),
        grouped(lowest),
        grouped(highest)
    );
    let span = highest - lowest;
    let y = |members: u64| {
        if span == 0 { HEIGHT / 2.0 } else { HEIGHT - 4.0 - share(members - lowest, span) * (HEIGHT - 8.0) }
    };
    let step = WIDTH / share(after.len().saturating_sub(1).max(1) as u64, 1);
    let mut line: Vec<String> = after
        .iter()
        .enumerate()
        .map(|(at, members)| format!("{:.1},{:.1}", share(at as u64, 1) * step, y(*members)))
        .collect();
    if after.len() == 1 {
        line.push(format!("{WIDTH:.1},{:.1}", y(*first)));
    }
    let line = line.join(" ");
    html! {
        svg.drawing viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(words) {
            polygon.under points={ "0," (HEIGHT) " " (line) " " (WIDTH) "," (HEIGHT) } {}
            polyline.line points=(line) {}
        }
    }
}

/// What each of `runs`, which are newest first, changed: upwards who came and what was updated, downwards who left.
/// Heights are logarithmic, for a first run would dwarf all others.
pub fn changes(runs: &[Run]) -> Markup {
    let most = runs.iter().map(|run| rose(run).max(run.left)).max().unwrap_or(0);
    if runs.is_empty() {
        return nothing("Changes per run");
    }
    let total = |number: fn(&Run) -> i64| grouped(runs.iter().map(number).sum::<i64>().unsigned_abs());
    let words = format!(
        "Changes in the last {} runs: {} created, {} entered, {} updated, {} left; {} runs did not succeed",
        runs.len(),
        total(|run| run.created),
        total(|run| run.entered),
        total(|run| run.updated),
        total(|run| run.left),
        runs.iter().filter(|run| is_trouble(run)).count()
    );
    let step = WIDTH / share((runs.len() as u64).max(12), 1);
    let log = |number: i64| f64::from(i32::try_from(number).unwrap_or(i32::MAX)).ln_1p();
    let height =
        |number: i64, room: f64| if number <= 0 { 0.0 } else { (log(number) / log(most) * room).max(1.5) };
    html! {
        svg.drawing viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(words) {
            line.base x1="0" x2=(WIDTH) y1=(BASE) y2=(BASE) {}
            @for (at, run) in runs.iter().rev().enumerate() {
                @let x = share(at as u64, 1) * step + step * 0.15;
                @let up = height(rose(run), BASE - 2.0);
                @let came = up * parts(run.created + run.entered, rose(run));
                @let down = height(run.left, HEIGHT - BASE - 1.0);
                g {
                    title { (told(run)) }
                    @if is_trouble(run) { (band(share(at as u64, 1), step)) }
                    (bar("updated", x, BASE - up, step, up - came))
                    (bar("came", x, BASE - came, step, came))
                    (bar("left", x, BASE, step, down))
                }
            }
        }
    }
}

fn nothing(what: &str) -> Markup {
    html! { svg.drawing viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label={ (what) ": no run yet" } {} }
}

fn bar(class: &str, x: f64, y: f64, step: f64, height: f64) -> Markup {
    html! {
        @if height > 0.0 {
            rect class=(class) x=(format!("{x:.1}")) y=(format!("{y:.1}")) width=(format!("{:.1}", step * 0.7))
                height=(format!("{height:.1}")) {}
        }
    }
}

/// Behind the bars, over the whole height, so that it is told by its shape too.
fn band(at: f64, step: f64) -> Markup {
    html! {
        rect.band x=(format!("{:.1}", at * step)) y="0" width=(format!("{step:.1}")) height=(HEIGHT) {}
    }
}

/// Members after each run, oldest first: from now backwards, for each run tells what it changed.
fn members_after(runs: &[Run], members: u64) -> Vec<u64> {
    let mut after = Vec::with_capacity(runs.len());
    let mut members = i64::try_from(members).unwrap_or(i64::MAX);
    for run in runs {
        after.push(members.max(0).unsigned_abs());
        members -= run.created + run.entered - run.left;
    }
    after.reverse();
    after
}

fn rose(run: &Run) -> i64 {
    run.created + run.entered + run.updated
}

fn is_trouble(run: &Run) -> bool {
    !run.is(Status::Succeeded) && !run.is(Status::Running)
}

fn told(run: &Run) -> String {
    let Run { started_at, status, created, entered, updated, left, .. } = run;
    tame(&format!(
        "{started_at} {status}: {created} created, {entered} entered, {updated} updated, {left} left"
    ))
}

#[expect(clippy::cast_precision_loss, reason = "it is drawn in some hundred dots")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

fn parts(part: i64, whole: i64) -> f64 {
    if whole <= 0 { 0.0 } else { share(part.unsigned_abs(), whole.unsigned_abs()) }
}
