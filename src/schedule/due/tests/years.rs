//! Two years of a false clock in four zones, against a reckoning that knows neither parser nor plan.

mod reckoning;
mod world;

use reckoning::{Reckoning, Tick};
use world::{Cause, World};

use super::*;
use crate::schedule::walk::{Model, Values, readings};
use crate::schedule::{Look, Watch};

/// All minutes that the schedules name, and all clock changes, are multiples of it.
const STEP: SignedDuration = SignedDuration::from_mins(5);

const ANY: Values = ("*", |_| true);
const MINUTE_0: Values = ("0", |minute| minute == 0);
const MINUTE_15: Values = ("15", |minute| minute == 15);
const MINUTE_30: Values = ("30", |minute| minute == 30);
const MINUTE_45: Values = ("45", |minute| minute == 45);
const EACH_20: Values = ("*/20", |minute| minute % 20 == 0);
const HOUR_0: Values = ("0", |hour| hour == 0);
const HOUR_1: Values = ("1", |hour| hour == 1);
const HOUR_2: Values = ("2", |hour| hour == 2);
const HOUR_3: Values = ("3", |hour| hour == 3);
const HOUR_9: Values = ("9", |hour| hour == 9);
const HOURS_1_TO_3: Values = ("1-3", |hour| (1..=3).contains(&hour));
const HOURS_3_AND_15: Values = ("3,15", |hour| hour == 3 || hour == 15);
const DAY_1: Values = ("1", |day| day == 1);
const DAY_13: Values = ("13", |day| day == 13);
const SUNDAY: Values = ("0", |day| day == 0);
const FRIDAY: Values = ("5", |day| day == 5);
const WORKDAYS: Values = ("1-5", |day| (1..=5).contains(&day));

/// Schedules as users write them, with what they mean.
const SCHEDULES: [(&str, Model); 12] = [
    ("0 3 * * *", Model([MINUTE_0, HOUR_3, ANY, ANY])),
    ("30 2 * * *", Model([MINUTE_30, HOUR_2, ANY, ANY])),
    ("30 1 * * *", Model([MINUTE_30, HOUR_1, ANY, ANY])),
    ("15 * * * *", Model([MINUTE_15, ANY, ANY, ANY])),
    ("*/20 1-3 * * *", Model([EACH_20, HOURS_1_TO_3, ANY, ANY])),
    ("0 9 * * 1-5", Model([MINUTE_0, HOUR_9, ANY, WORKDAYS])),
    ("0 0 1 * *", Model([MINUTE_0, HOUR_0, DAY_1, ANY])),
    ("0 3 13 * 5", Model([MINUTE_0, HOUR_3, DAY_13, FRIDAY])),
    ("45 3,15 * * *", Model([MINUTE_45, HOURS_3_AND_15, ANY, ANY])),
    ("@hourly", Model([MINUTE_0, ANY, ANY, ANY])),
    ("@daily", Model([MINUTE_0, HOUR_0, ANY, ANY])),
    ("@weekly", Model([MINUTE_0, HOUR_0, ANY, SUNDAY])),
];

/// With `catch_up` or not, with minutes of `jitter`.
const MANNERS: [(bool, u64); 4] = [(true, 0), (false, 0), (true, 25), (false, 25)];

/// A run as it started, or should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    planned_at: Timestamp,
    started_at: Timestamp,
    reason: Reason,
}

#[test]
fn for_two_years_what_is_due_in_helsinki_runs_once() {
    two_years("Europe/Helsinki", 0);
}

#[test]
fn for_two_years_what_is_due_in_london_runs_once() {
    two_years("Europe/London", 1);
}

#[test]
fn for_two_years_what_is_due_in_new_york_runs_once() {
    two_years("America/New_York", 2);
}

#[test]
fn for_two_years_what_is_due_on_lord_howe_island_runs_once() {
    two_years("Australia/Lord_Howe", 3);
}

/// Each schedule in a calm world, and in a rough one in one of four manners: over the zones in each of them.
fn two_years(zone: &str, seed: usize) {
    let (zone_name, zone) = (zone, TimeZone::get(zone).unwrap());
    let (from, until) = (at("2026-12-31T08:05:00Z"), at("2029-01-01T08:05:00Z"));
    let readings = readings(&zone, STEP, from, until);
    let between_ticks = SignedDuration::from_secs(131);
    let (from, until) = (from + between_ticks, until + between_ticks);
    let mut reasons = Vec::new();
    for (nth, (text, model)) in SCHEDULES.iter().enumerate() {
        let place = format!("{text} in {zone_name}");
        let ticks = model.ticks(&readings);
        let query = Query { zone: zone.clone(), ..Query::new(text) };
        assert_calm(&query, &World::calm(from, until), &ticks, &place);
        let (catch_up, jitter) = MANNERS[(nth + seed) % MANNERS.len()];
        let query = Query { catch_up, jitter: Duration::from_mins(jitter), ..query };
        let world = World::rough(from, until, &zone, (nth * MANNERS.len() + seed) as u64);
        reasons.extend(assert_rough(&query, &world, &ticks, &place).iter().map(|start| start.reason));
    }
    for reason in [Reason::First, Reason::Tick, Reason::Missed, Reason::Retry] {
        assert!(reasons.contains(&reason), "nothing was rough");
    }
}

/// Where nothing goes wrong, each tick runs once and at its moment.
fn assert_calm(query: &Query, world: &World, ticks: &[Timestamp], place: &str) {
    let lived = live(&query.plan(), world);
    let started: Vec<Timestamp> = lived[1..].iter().map(|start| start.started_at).collect();
    let differ = started.iter().zip(ticks).find(|(started, tick)| started != tick);
    assert_eq!((differ, started.len()), (None, ticks.len()), "{place}");
}

/// Whatever comes between, exactly what was due runs, and once.
fn assert_rough(query: &Query, world: &World, ticks: &[Timestamp], place: &str) -> Vec<Start> {
    let plan = query.plan();
    let lived = live(&plan, world);
    let first_wait = SignedDuration::try_from(plan.retry_run_after).unwrap();
    let reckoned = Reckoning::new(world, &with_starts(ticks, &plan), plan.catch_up, first_wait).starts();
    let differ = lived.iter().zip(&reckoned).find(|(lived, reckoned)| lived != reckoned);
    assert_eq!((differ, lived.len()), (None, reckoned.len()), "{place}: lived, reckoned");
    lived
}

/// Each tick with its start: at most `jitter` later, before the next, and whatever ran before the same.
fn with_starts(ticks: &[Timestamp], plan: &Plan<'_>) -> Vec<Tick> {
    if plan.jitter.is_zero() {
        return ticks.iter().map(|&at| Tick { at, start: at }).collect();
    }
    let jitter = SignedDuration::try_from(plan.jitter).unwrap();
    let nexts = ticks[1..].iter().copied().chain([Timestamp::MAX]);
    let with_start = |(&at, next): (&Timestamp, Timestamp)| {
        let just_before = at - SignedDuration::from_secs(1);
        let start = plan.due(&[done(just_before)], just_before, just_before).unwrap().planned_at;
        assert!((at..next.min(at + jitter)).contains(&start), "{at} starts at {start}");
        Tick { at, start }
    };
    ticks.iter().zip(nexts).map(with_start).collect()
}

/// Lives through a world as the daemon does: looks up, waits, runs.
fn live(plan: &Plan<'_>, world: &World) -> Vec<Start> {
    let (mut now, mut watch) = (world.from, Watch::new(world.from));
    let (mut past, mut starts) = (Vec::new(), Vec::new());
    while now < world.until {
        let due = plan.due(&past, watch.since(), now).unwrap();
        if due.planned_at > now {
            now = wait(&mut watch, world, now, due.planned_at);
            continue;
        }
        let ended = world.run(starts.len(), now);
        starts.push(Start { planned_at: due.planned_at, started_at: now, reason: due.reason });
        let run = PastRun {
            planned_at: Some(due.planned_at),
            started_at: now,
            finished_at: Some(ended.finished_at),
            to_repeat: ended.to_repeat,
        };
        past.insert(0, run);
        past.truncate(32);
        now = ended.free_at;
        watch.busy_until(now);
        if ended.restarted {
            watch = Watch::new(now);
        }
    }
    starts
}

/// Waits for a planned start, or for the end of an outage that comes before.
fn wait(watch: &mut Watch, world: &World, now: Timestamp, planned_at: Timestamp) -> Timestamp {
    let Some(outage) = world.outage(now, planned_at) else {
        watch_all_the_while(watch, now, planned_at);
        return planned_at;
    };
    if outage.cause == Cause::Suspended {
        watch_all_the_while(watch, now, outage.from);
        watch.look(outage.until);
    } else {
        *watch = Watch::new(outage.until);
    }
    outage.until
}

/// Stands for a look a second, of which none changes anything.
fn watch_all_the_while(watch: &mut Watch, from: Timestamp, until: Timestamp) {
    assert_eq!(watch.look(from + SignedDuration::from_secs(1).min(until - from)), Look::On);
    watch.busy_until(until);
}
