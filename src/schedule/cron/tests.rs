use super::*;

mod clock_changes;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// The first `count` ticks after `after`, as text.
fn ticks(schedule: &str, zone_name: &str, after: &str, count: usize) -> Vec<String> {
    let (schedule, zone) = (schedule.parse::<Schedule>().unwrap(), zone(zone_name));
    let after: Timestamp = after.parse().unwrap();
    std::iter::successors(schedule.next(after, &zone), |&tick| schedule.next(tick, &zone))
        .take(count)
        .map(|tick| tick.to_string())
        .collect()
}

#[track_caller]
fn assert_ticks(schedule: &str, zone_name: &str, after: &str, expected: &[&str]) {
    assert_eq!(ticks(schedule, zone_name, after, expected.len()), expected, "{schedule} in {zone_name}");
    let (schedule, zone) = (schedule.parse::<Schedule>().unwrap(), zone(zone_name));
    for (&tick, &next) in expected.iter().zip(&expected[1..]) {
        let before_next = next.parse::<Timestamp>().unwrap() - SignedDuration::from_nanos(1);
        assert_eq!(schedule.previous(before_next, &zone), Some(tick.parse().unwrap()), "before {next}");
        assert_eq!(schedule.previous(tick.parse().unwrap(), &zone), Some(tick.parse().unwrap()), "at {tick}");
    }
}

#[test]
fn a_schedule_is_shown_as_it_was_written() {
    let schedule: Schedule = "0 3 * * Mon".parse().unwrap();
    assert_eq!(schedule.to_string(), "0 3 * * Mon");
    assert_eq!(schedule.as_str(), "0 3 * * Mon");
}

#[test]
fn a_wrong_schedule_says_which_part_and_what_would_be_right() {
    let cases = [
        ("", "it takes five fields (minute, hour, day of month, month, day of week; no seconds), not 0"),
        (
            "0 3 * *",
            "it takes five fields (minute, hour, day of month, month, day of week; no seconds), not 4",
        ),
        (
            "0 0 3 * * *",
            "it takes five fields (minute, hour, day of month, month, day of week; no seconds), not 6",
        ),
        ("@yearly", "write @hourly, @daily, @weekly or @monthly, or five fields"),
        ("@Daily", "write @hourly"),
        ("0 25 * * *", "\"25\" in the hour field is neither * nor one of 0-23"),
        ("0 3 * * 1,fry", "\"fry\" in the day of week field is neither * nor one of 0-7 or sun-sat"),
        ("0 3 ? * *", "\"?\" in the day of month field is neither * nor one of 1-31"),
        ("0 22-4 * * *", "\"22-4\" in the hour field runs backwards; write 22-23,0-4"),
        ("0/15 * * * *", "\"0/15\" in the minute field has a step but no range; write 0-59/15"),
        ("0 0 30 2 *", "it never comes, since no month that it names has such a day"),
        ("0 0 31 4,6,9,11 *", "it never comes"),
        ("0 0 30 2 */2", "it never comes"),
    ];
    for (text, message) in cases {
        let error = text.parse::<Schedule>().unwrap_err().to_string();
        assert!(error.starts_with(message), "{text}: {error}");
    }
}

#[test]
fn nicknames_mean_what_crontab_says() {
    assert_ticks("@hourly", "UTC", "2026-11-25T10:30:00Z", &["2026-11-25T11:00:00Z", "2026-11-25T12:00:00Z"]);
    assert_ticks("@daily", "UTC", "2026-11-25T10:30:00Z", &["2026-11-26T00:00:00Z", "2026-11-27T00:00:00Z"]);
    assert_ticks("@weekly", "UTC", "2026-11-25T10:30:00Z", &["2026-11-29T00:00:00Z", "2026-12-06T00:00:00Z"]);
    assert_ticks(
        "@monthly",
        "UTC",
        "2026-11-25T10:30:00Z",
        &["2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"],
    );
}

#[test]
fn a_day_that_either_restricted_day_field_names_is_meant() {
    let both =
        ["2026-11-27T03:00:00Z", "2026-12-04T03:00:00Z", "2026-12-11T03:00:00Z", "2026-12-13T03:00:00Z"];
    assert_ticks("0 3 13 * 5", "UTC", "2026-11-25T00:00:00Z", &both);
}

#[test]
fn a_day_field_that_begins_with_a_star_narrows_the_other() {
    assert_ticks(
        "0 3 */2 * 1",
        "UTC",
        "2026-11-25T00:00:00Z",
        &["2026-12-07T03:00:00Z", "2026-12-21T03:00:00Z"],
    );
    assert_ticks(
        "0 3 13 * *",
        "UTC",
        "2026-11-25T00:00:00Z",
        &["2026-12-13T03:00:00Z", "2027-01-13T03:00:00Z"],
    );
    assert_ticks(
        "0 3 13 * */1",
        "UTC",
        "2026-11-25T00:00:00Z",
        &["2026-12-13T03:00:00Z", "2027-01-13T03:00:00Z"],
    );
}

#[test]
fn zero_and_seven_are_sunday_and_one_is_monday() {
    let sundays = ["2026-11-29T03:00:00Z", "2026-12-06T03:00:00Z"];
    for sunday in ["0", "7", "sun", "SUN", "7-7"] {
        assert_ticks(&format!("0 3 * * {sunday}"), "UTC", "2026-11-25T00:00:00Z", &sundays);
    }
    assert_ticks(
        "0 3 * * 1",
        "UTC",
        "2026-11-25T00:00:00Z",
        &["2026-11-30T03:00:00Z", "2026-12-07T03:00:00Z"],
    );
    let weekend = ["2026-11-28T03:00:00Z", "2026-11-29T03:00:00Z", "2026-12-05T03:00:00Z"];
    assert_ticks("0 3 * * sat-sun", "UTC", "2026-11-25T00:00:00Z", &weekend);
}

#[test]
fn the_29th_of_february_comes_in_leap_years() {
    assert_ticks(
        "0 3 29 2 *",
        "UTC",
        "2026-11-25T00:00:00Z",
        &["2028-02-29T03:00:00Z", "2032-02-29T03:00:00Z"],
    );
    assert_ticks("0 3 29 2 *", "UTC", "2096-03-01T00:00:00Z", &["2104-02-29T03:00:00Z"]);
}

#[test]
fn next_is_strictly_after_and_previous_includes_its_bound() {
    let (schedule, utc) = ("0 3 * * *".parse::<Schedule>().unwrap(), TimeZone::UTC);
    let tick: Timestamp = "2026-11-25T03:00:00Z".parse().unwrap();
    let hair = SignedDuration::from_nanos(1);
    let day = SignedDuration::from_hours(24);
    assert_eq!(schedule.next(tick, &utc), Some(tick + day));
    assert_eq!(schedule.next(tick - hair, &utc), Some(tick));
    assert_eq!(schedule.next(tick + hair, &utc), Some(tick + day));
    assert_eq!(schedule.previous(tick, &utc), Some(tick));
    assert_eq!(schedule.previous(tick + hair, &utc), Some(tick));
    assert_eq!(schedule.previous(tick - hair, &utc), Some(tick - day));
}

#[test]
fn the_ends_of_time_have_no_tick_beyond_them() {
    let schedule: Schedule = "0 3 * * *".parse().unwrap();
    for zone in [TimeZone::UTC, zone("Europe/Helsinki")] {
        assert_eq!(schedule.next(Timestamp::MAX, &zone), None);
        assert_eq!(schedule.previous(Timestamp::MIN, &zone), None);
    }
}
