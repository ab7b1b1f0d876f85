use super::*;

mod years;

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The first half of 2026-11-25, UTC.
fn today(clock: &str) -> Timestamp {
    at(&format!("2026-11-25T{clock}:00Z"))
}

#[derive(Clone)]
struct Query {
    schedule: Schedule,
    zone: TimeZone,
    jitter: Duration,
    catch_up: bool,
}

impl Query {
    fn new(schedule: &str) -> Self {
        Self {
            schedule: schedule.parse().unwrap(),
            zone: TimeZone::UTC,
            jitter: Duration::ZERO,
            catch_up: true,
        }
    }

    fn plan(&self) -> Plan<'_> {
        self.plan_of("finnish-software")
    }

    fn plan_of<'a>(&'a self, query: &'a str) -> Plan<'a> {
        Plan {
            query,
            schedule: &self.schedule,
            zone: &self.zone,
            jitter: self.jitter,
            catch_up: self.catch_up,
            retry_run_after: Duration::from_mins(30),
        }
    }

    /// Of a daemon that watches since before the runs.
    fn due(&self, runs: &[PastRun], now: Timestamp) -> (Timestamp, Reason) {
        let due = self.plan().due(runs, at("2026-01-01T00:00:00Z"), now).unwrap();
        (due.planned_at, due.reason)
    }
}

fn done(planned_at: Timestamp) -> PastRun {
    let finished_at = planned_at + SignedDuration::from_mins(5);
    PastRun {
        planned_at: Some(planned_at),
        started_at: planned_at,
        finished_at: Some(finished_at),
        to_repeat: false,
    }
}

fn failed(planned_at: Timestamp) -> PastRun {
    PastRun { to_repeat: true, ..done(planned_at) }
}

#[test]
fn a_query_that_never_ran_runs_at_once() {
    let query = Query { catch_up: false, ..Query::new("0 3 * * *") };
    assert_eq!(query.due(&[], today("10:00")), (today("10:00"), Reason::First));
}

#[test]
fn a_query_that_ran_waits_for_its_next_tick() {
    let query = Query::new("0 3 * * *");
    assert_eq!(query.due(&[done(today("03:00"))], today("10:00")), (today("03:00") + DAY, Reason::Tick));
    assert_eq!(query.due(&[done(today("03:00") - DAY)], today("02:59")), (today("03:00"), Reason::Tick));
    assert_eq!(query.due(&[done(today("03:00") - DAY)], today("03:00")), (today("03:00"), Reason::Tick));
}

#[test]
fn missed_ticks_are_made_up_once() {
    let query = Query::new("0 3 * * *");
    let old = done(today("03:00") - DAY * 9);
    let due = query.plan().due(&[old], today("09:59"), today("10:00")).unwrap();
    assert_eq!(due, Due { planned_at: today("03:00"), reason: Reason::Missed });

    let made_up = PastRun { planned_at: Some(due.planned_at), ..done(today("10:00")) };
    let due = query.plan().due(&[made_up, old], today("09:59"), today("10:06")).unwrap();
    assert_eq!(due, Due { planned_at: today("03:00") + DAY, reason: Reason::Tick });
}

#[test]
fn without_catch_up_a_missed_tick_is_let_go() {
    let query = Query { catch_up: false, ..Query::new("0 3 * * *") };
    let due = query.plan().due(&[done(today("03:00") - DAY)], today("09:59"), today("10:00")).unwrap();
    assert_eq!(due, Due { planned_at: today("03:00") + DAY, reason: Reason::Tick });
}

#[test]
fn without_catch_up_a_tick_that_waited_for_another_run_is_not_missed() {
    let query = Query { catch_up: false, ..Query::new("0 3 * * *") };
    assert_eq!(query.due(&[done(today("03:00") - DAY)], today("04:30")), (today("03:00"), Reason::Tick));
}

#[test]
fn a_run_that_a_person_started_serves_the_ticks_before_it() {
    let query = Query::new("0 3 * * *");
    let by_hand = PastRun { planned_at: None, ..done(today("09:00")) };
    assert_eq!(query.due(&[by_hand], today("10:00")), (today("03:00") + DAY, Reason::Tick));
    let still_running = PastRun { finished_at: None, ..by_hand };
    assert_eq!(query.due(&[still_running], today("10:00")), (today("03:00") + DAY, Reason::Tick));
}

#[test]
fn a_run_dated_after_now_counts_for_nothing() {
    let query = Query::new("0 3 * * *");
    let ahead = done(today("03:00") + DAY * 365);
    assert_eq!(query.due(&[ahead], today("10:00")), (today("10:00"), Reason::First));
    let runs = [ahead, done(today("03:00") - DAY)];
    assert_eq!(query.due(&runs, today("10:00")), (today("03:00"), Reason::Tick));
    let runs = [PastRun { to_repeat: true, ..ahead }, done(today("03:00"))];
    assert_eq!(query.due(&runs, today("10:00")), (today("03:00") + DAY, Reason::Tick));
}

#[test]
fn a_run_dated_after_a_newer_one_serves_no_tick() {
    let query = Query::new("0 3 * * *");
    let ahead = PastRun { to_repeat: true, ..done(today("03:00")) };
    let runs = [done(today("03:00") - DAY), ahead, done(today("03:00") - DAY * 2)];
    assert_eq!(query.due(&runs, today("02:59")), (today("03:00"), Reason::Tick));
    assert_eq!(query.due(&runs, today("03:05")), (today("03:00"), Reason::Tick));
}

#[test]
fn a_failed_run_that_ended_while_the_clock_was_wrong_is_tried_again_from_its_start() {
    let query = Query::new("0 3 * * *");
    for ended in [DAY * 365, -DAY] {
        let run = PastRun { finished_at: Some(today("03:05") + ended), ..failed(today("03:00")) };
        assert_eq!(query.due(&[run], today("03:06")), (today("03:30"), Reason::Retry));
    }
}

#[test]
fn a_failed_run_is_tried_again_with_waits_that_double_up_to_six_hours() {
    let query = Query::new("0 3 * * 1");
    let mut runs = vec![failed(today("03:00"))];
    let mut waits = Vec::new();
    for _ in 0..6 {
        let ended = runs[0].finished_at.unwrap();
        let (retry, reason) = query.due(&runs, ended);
        assert_eq!(reason, Reason::Retry);
        waits.push((retry - ended).as_mins());
        runs.insert(0, failed(retry));
    }
    assert_eq!(waits, [30, 60, 120, 240, 360, 360]);
}

#[test]
fn a_retry_gives_way_to_the_next_tick_and_its_waits_begin_anew_there() {
    let query = Query::new("0 * * * *");
    let runs = [failed(today("03:35")), failed(today("03:00"))];
    assert_eq!(query.due(&runs, today("03:41")), (today("04:00"), Reason::Tick));
    let runs = [failed(today("04:00")), runs[0], runs[1]];
    assert_eq!(query.due(&runs, today("04:06")), (today("04:35"), Reason::Retry));
}

#[test]
fn a_first_run_that_failed_is_tried_again_before_its_first_tick() {
    let query = Query::new("0 3 * * *");
    assert_eq!(query.due(&[failed(today("10:00"))], today("10:06")), (today("10:35"), Reason::Retry));
}

#[test]
fn a_run_whose_process_died_is_tried_again_from_its_start() {
    let query = Query::new("0 3 * * *");
    let died = PastRun { finished_at: None, ..failed(today("03:00")) };
    assert_eq!(query.due(&[died], today("09:00")), (today("03:30"), Reason::Retry));
}

#[test]
fn only_failures_since_the_last_other_run_lengthen_the_wait() {
    let query = Query::new("0 3 * * *");
    let runs = [failed(today("09:00")), done(today("08:00")), failed(today("03:00"))];
    assert_eq!(query.due(&runs, today("09:06")), (today("09:35"), Reason::Retry));
}

#[test]
fn jitter_is_the_same_after_a_restart_and_spreads_queries() {
    let query = Query { jitter: Duration::from_mins(10), ..Query::new("0 3 * * *") };
    let start = |name: &str, day: i32| {
        let ran = done(today("03:00") + DAY * (day - 1) + SignedDuration::from_mins(20));
        let due = query.plan_of(name).due(&[ran], today("00:00"), ran.started_at).unwrap();
        due.planned_at - (today("03:00") + DAY * day)
    };
    let delays: Vec<_> = (0..50).map(|day| start("a", day)).collect();
    assert_eq!(delays, (0..50).map(|day| start("a", day)).collect::<Vec<_>>());
    assert!(
        delays.iter().all(|&delay| delay >= SignedDuration::ZERO && delay < SignedDuration::from_mins(10))
    );
    assert_ne!(delays[0], delays[1], "the tick counts");
    assert_ne!(delays[0], start("b", 0), "the query counts");
    assert_eq!(delays[0].as_millis(), 515_947, "a change here moves every start at the next update");
}

#[test]
fn a_tick_whose_start_is_still_ahead_does_not_hide_one_that_was_missed() {
    let query = Query { jitter: Duration::from_mins(59), ..Query::new("0 * * * *") };
    let plan = query.plan();
    let start = plan.start(today("05:00"));
    assert!(start > today("05:00"), "the case needs a delayed start");
    let due = plan.due(&[done(today("02:00"))], today("04:59"), today("05:00")).unwrap();
    assert_eq!(due, Due { planned_at: plan.start(today("04:00")), reason: Reason::Missed });
}

#[test]
fn a_daemon_that_starts_between_a_tick_and_its_start_has_not_missed_it() {
    let query = Query { jitter: Duration::from_mins(10), catch_up: false, ..Query::new("0 3 * * *") };
    let (yesterday, since) = (done(today("03:00") - DAY), today("03:01"));
    let due = query.plan().due(&[yesterday], since, since).unwrap();
    assert!(due.planned_at > since, "{due:?}");
    assert_eq!(query.plan().due(&[yesterday], since, due.planned_at), Some(due));
}

#[test]
fn jitter_longer_than_the_schedule_does_not_reach_the_next_tick() {
    let query = Query { jitter: Duration::from_hours(24), ..Query::new("*/5 * * * *") };
    let plan = query.plan();
    for tick in 0..100 {
        let tick = today("00:00") + SignedDuration::from_mins(5 * tick);
        assert!(plan.start(tick) >= tick && plan.start(tick) < tick + SignedDuration::from_mins(5));
    }
}

#[test]
fn late_is_no_success_since_the_tick_before_last() {
    let schedule: Schedule = "0 3 * * *".parse().unwrap();
    let (first_seen, now) = (at("2026-11-01T00:00:00Z"), today("10:00"));
    let cases = [
        (Some(today("03:00")), false),
        (Some(today("03:00") - DAY), false),
        (Some(today("02:59") - DAY), true),
        (Some(now + DAY), true),
        (None, true),
    ];
    for (last_success, late) in cases {
        let is = is_late(&schedule, &TimeZone::UTC, first_seen, last_success, now);
        assert_eq!(is, late, "{last_success:?}");
    }
}

#[test]
fn a_query_is_not_late_before_it_had_two_ticks() {
    let schedule: Schedule = "0 3 * * *".parse().unwrap();
    let now = today("10:00");
    for (first_seen, late) in
        [(today("02:59"), false), (today("03:01") - DAY, false), (today("03:00") - DAY, true)]
    {
        assert_eq!(is_late(&schedule, &TimeZone::UTC, first_seen, None, now), late, "{first_seen}");
    }
}
