//! Ticks around clock changes: chosen instants, and a walk minute by minute to compare with.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::schedule::walk::{Model, Values, readings};

#[test]
fn a_midnight_that_santiago_skips_loses_neither_the_day_nor_a_year() {
    let days = ["2027-09-05T04:00:00Z", "2028-09-05T03:00:00Z"];
    assert_ticks("0 0 5 9 *", "America/Santiago", "2026-11-25T00:00:00Z", &days);
    let nights = ["2027-09-04T04:00:00Z", "2027-09-05T04:00:00Z", "2027-09-06T03:00:00Z"];
    assert_ticks("@daily", "America/Santiago", "2027-09-03T12:00:00Z", &nights);
}

#[test]
fn a_midnight_that_cairo_skips_loses_neither_the_day_nor_a_year() {
    let days = ["2026-04-23T22:00:00Z", "2027-04-23T22:00:00Z"];
    assert_ticks("0 0 24 4 *", "Africa/Cairo", "2025-11-25T00:00:00Z", &days);
    let nights = ["2026-04-22T22:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"];
    assert_ticks("@daily", "Africa/Cairo", "2026-04-22T12:00:00Z", &nights);
}

#[test]
fn a_gap_of_half_an_hour_on_lord_howe_island_is_left_at_its_end() {
    for schedule in ["0 2 4 10 *", "15 2 4 10 *", "30 2 4 10 *"] {
        assert_ticks(schedule, "Australia/Lord_Howe", "2026-01-01T00:00:00Z", &["2026-10-03T15:30:00Z"]);
    }
    let lord_howe = ["2026-10-02T15:45:00Z", "2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"];
    assert_ticks("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T12:00:00Z", &lord_howe);
    let hourly = ["2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z"];
    assert_ticks("0 * * * *", "Australia/Lord_Howe", "2026-10-03T14:00:00Z", &hourly);
}

#[test]
fn several_ticks_inside_a_gap_are_one() {
    let once =
        ["2026-03-28T01:15:00Z", "2026-03-28T01:45:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z"];
    assert_ticks("15,45 3 * * *", "Europe/Helsinki", "2026-03-28T01:00:00Z", &once);
    let with_its_end = ["2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"];
    let schedule = "0,30 3,4 29 3 *";
    assert_ticks(
        schedule,
        "Europe/Helsinki",
        "2026-03-28T23:00:00Z",
        &["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
    );
    assert_ticks("0 2-4 * * *", "Europe/Helsinki", "2026-03-28T23:00:00Z", &with_its_end[..2]);
}

#[test]
fn fixed_hours_run_once_in_a_repeated_hour() {
    let once = ["2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", "2026-10-26T01:00:00Z"];
    assert_ticks("0 3,4 * * *", "Europe/Helsinki", "2026-10-24T12:00:00Z", &once);
    let quarters = ["2026-10-25T00:15:00Z", "2026-10-25T00:45:00Z", "2026-10-26T01:15:00Z"];
    assert_ticks("15,45 3 * * *", "Europe/Helsinki", "2026-10-24T12:00:00Z", &quarters);
}

#[test]
fn every_hour_runs_in_each_that_really_passes() {
    let autumn =
        ["2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"];
    let spring =
        ["2026-03-28T23:30:00Z", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"];
    for hours in ["*", "*/1", "0-23"] {
        let schedule = format!("30 {hours} * * *");
        assert_ticks(&schedule, "Europe/Helsinki", "2026-10-24T23:00:00Z", &autumn);
        assert_ticks(&schedule, "Europe/Helsinki", "2026-03-28T23:00:00Z", &spring);
    }
}

#[test]
fn a_day_that_a_zone_skipped_runs_at_the_start_of_the_next() {
    let apia = ["2011-12-29T13:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T13:00:00Z"];
    assert_ticks("0 3 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", &apia);
}

const MINUTES: [Values; 5] = [
    ("*", |_| true),
    ("0", |minute| minute == 0),
    ("30", |minute| minute == 30),
    ("15,45", |minute| minute == 15 || minute == 45),
    ("*/20", |minute| minute % 20 == 0),
];
const HOURS: [Values; 7] = [
    ("*", |_| true),
    ("0-23", |_| true),
    ("1", |hour| hour == 1),
    ("2", |hour| hour == 2),
    ("3", |hour| hour == 3),
    ("1-4", |hour| (1..=4).contains(&hour)),
    ("*/2", |hour| hour % 2 == 0),
];
const DAYS: [Values; 3] =
    [("*", |_| true), ("25-31", |day| (25..=31).contains(&day)), ("*/2", |day| day % 2 == 1)];
const WEEKDAYS: [Values; 3] = [("*", |_| true), ("7", |day| day == 0), ("*/2", |day| day % 2 == 0)];
const ZONES: [&str; 4] = ["Europe/Helsinki", "Europe/London", "America/New_York", "Australia/Lord_Howe"];

fn model() -> impl Strategy<Value = Model> {
    let pick = |values: &'static [Values]| prop::sample::select(values);
    (pick(&MINUTES), pick(&HOURS), pick(&DAYS), pick(&WEEKDAYS))
        .prop_map(|(minute, hour, day, weekday)| Model([minute, hour, day, weekday]))
}

proptest! {
    #[test]
    fn ticks_are_those_of_a_walk_minute_by_minute(
        model in model(),
        zone_name in prop::sample::select(&ZONES[..]),
        change in 0_usize..10,
        probe in 0_i64..72 * 3600,
    ) {
        let (schedule, zone) = (model.text().parse::<Schedule>().unwrap(), zone(zone_name));
        let since = "2025-01-01T00:00:00Z".parse::<Timestamp>().unwrap();
        let change = zone.following(since).nth(change).unwrap().timestamp();
        let (from, until) = (change - SignedDuration::from_hours(36), change + SignedDuration::from_hours(36));
        let readings = readings(&zone, SignedDuration::from_mins(1), from, until);
        let walked: BTreeSet<Timestamp> = model.ticks(&readings).into_iter().collect();

        let found: BTreeSet<Timestamp> =
            std::iter::successors(schedule.next(from, &zone), |&tick| schedule.next(tick, &zone))
                .take_while(|&tick| tick <= until)
                .collect();
        prop_assert_eq!(&found, &walked);

        let probe = from + SignedDuration::from_secs(probe);
        let next = walked.range(probe + SignedDuration::from_nanos(1)..).next();
        if let Some(&next) = next {
            prop_assert_eq!(schedule.next(probe, &zone), Some(next));
        }
        if let Some(&previous) = walked.range(..=probe).next_back() {
            prop_assert_eq!(schedule.previous(probe, &zone), Some(previous));
        }
    }

    #[test]
    fn any_text_is_a_schedule_or_an_error(text in "[-*/,0-9a-zA-Z@#?~ ]{0,24}") {
        let _ = text.parse::<Schedule>();
    }

    #[test]
    fn any_five_fields_in_range_are_a_schedule(
        minute in 0..60, hour in 0..24, day in 1..29, month in 1..13, weekday in 0..8, step in 1..255,
    ) {
        let texts = [
            format!("{minute} {hour} {day} {month} {weekday}"),
            format!("{minute}-59/{step} */{step} {day}-31/{step} {month}-12/{step} {weekday}-7/{step}"),
            format!("*,{minute} *,{hour} *,{day} *,{month} *,{weekday}"),
        ];
        for text in texts {
            prop_assert!(text.parse::<Schedule>().is_ok(), "{}", text);
        }
    }
}
