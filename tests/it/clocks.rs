//! The daemon on a machine whose clock jumps, that is suspended, or that starts anew.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use vainu_sync::daemon::Daemon;
use vainu_sync::sandbox::{Endpoint, Fault};
use vainu_sync::vainu::Client;

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::daemon::{Clock, DAY, MINUTE, beats, watch};
use crate::program::until;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// A bench, what asks its sandbox, and a clock that shows noon.
async fn at_noon(queries: &str) -> (Bench, Client, Arc<Clock>) {
    let bench = Bench::with_rows(numbered(3), queries).await;
    let client = bench.client();
    (bench, client, Arc::new(Clock::at("2026-11-25T12:00:00Z")))
}

fn without_catch_up() -> String {
    format!("{ALL_OF_FI}catch_up = false\n")
}

fn today(clock: &Clock) -> Date {
    TimeZone::UTC.to_datetime(clock.now()).date()
}

/// When the latest run was planned.
async fn planned_at(bench: &Bench) -> String {
    bench.texts("SELECT planned_at FROM runs ORDER BY id DESC LIMIT 1").await.remove(0)
}

/// The next midnight, a second before which nothing is due.
async fn assert_next_tick_runs(daemon: &mut Daemon<'_>, clock: &Clock, case: &str) {
    let day = today(clock);
    clock.set(&format!("{day}T23:59:59Z"));
    assert_eq!(beats(daemon, 2).await, "--", "{case}: before the tick");
    clock.set_forward(SECOND);
    assert_eq!(beats(daemon, 2).await, "R-", "{case}: at the tick");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_forward_makes_up_once_what_it_skipped() {
    for (jump, letters) in [(HOUR, "---"), (DAY, "R--"), (YEAR, "R--")] {
        let (bench, client, clock) = at_noon(ALL_OF_FI).await;
        let now = || clock.now();
        let mut daemon = watch(&bench, &client, &now).await;
        assert_eq!(beats(&mut daemon, 2).await, "R-");
        clock.set_forward(jump);
        assert_eq!(beats(&mut daemon, 3).await, letters, "{jump:?}");
        if letters.starts_with('R') {
            assert_eq!(planned_at(&bench).await, format!("{}T00:00:00.000Z", today(&clock)));
        }
        assert_next_tick_runs(&mut daemon, &clock, &format!("{jump:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_back_keeps_no_query_waiting_for_what_it_had_shown() {
    // At eleven, what was made up at noon counts for nothing; a day before, the first run still does.
    for (jump, letters) in [(HOUR, "R--"), (DAY, "---"), (YEAR, "R--")] {
        let (bench, client, clock) = at_noon(ALL_OF_FI).await;
        let now = || clock.now();
        let mut daemon = watch(&bench, &client, &now).await;
        assert_eq!(beats(&mut daemon, 2).await, "R-");
        clock.set_forward(DAY);
        assert_eq!(beats(&mut daemon, 2).await, "R-");
        clock.set_back(jump);
        assert_eq!(beats(&mut daemon, 3).await, letters, "{jump:?}");
        assert_next_tick_runs(&mut daemon, &clock, &format!("{jump:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_during_a_run_neither_repeats_nor_loses_a_tick() {
    // After a jump ahead one tick is made up; what is dated ahead after a jump back counts for nothing.
    let cases = [(HOUR, "R--"), (DAY, "RR-"), (YEAR, "RR-"), (-HOUR, "R--"), (-DAY, "RR-"), (-YEAR, "RR-")];
    for (jump, letters) in cases {
        let (bench, client, clock) = at_noon(ALL_OF_FI).await;
        let now = || clock.now();
        let mut daemon = watch(&bench, &client, &now).await;
        assert_eq!(beats(&mut daemon, 2).await, "R-");
        clock.set("2026-11-26T00:00:05Z");
        let jumping = Arc::clone(&clock);
        bench.control.on_request(Endpoint::Organizations, 1, move |_| jumping.set_forward(jump));
        assert_eq!(beats(&mut daemon, 3).await, letters, "{jump:?}");
        assert_next_tick_runs(&mut daemon, &clock, &format!("{jump:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_that_a_clock_set_ahead_had_shown_run_once_more_when_they_really_come() {
    let (bench, client, clock) = at_noon(ALL_OF_FI).await;
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 2).await, "R-");
    for shown in ["2026-11-26T12:00:00Z", "2026-11-27T00:00:00Z"] {
        clock.set(shown);
        assert_eq!(beats(&mut daemon, 2).await, "R-", "ahead: {shown}");
    }
    for shown in ["2026-11-26T00:00:00Z", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"] {
        clock.set(shown);
        assert_eq!(beats(&mut daemon, 2).await, "R-", "set right: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_over_which_the_machine_slept_is_made_up_unless_nobody_wants_it() {
    for (queries, letters) in [(ALL_OF_FI.to_owned(), "R-"), (without_catch_up(), "--")] {
        let (bench, client, clock) = at_noon(&queries).await;
        let now = || clock.now();
        let mut daemon = watch(&bench, &client, &now).await;
        assert_eq!(beats(&mut daemon, 2).await, "R-");
        clock.set("2026-11-25T23:59:00Z");
        assert_eq!(beats(&mut daemon, 2).await, "--");
        clock.set("2026-11-26T06:00:00Z");
        assert_eq!(beats(&mut daemon, 2).await, letters, "{queries}");
        assert_next_tick_runs(&mut daemon, &clock, letters).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_that_comes_during_another_run_is_not_missed() {
    let queries = format!("{}{}", without_catch_up(), without_catch_up().replace("\"all\"", "\"other\""));
    let (bench, client, clock) = at_noon(&queries).await;
    let now = || clock.now();
    let mut daemon = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut daemon, 3).await, "RR-");
    clock.set("2026-11-25T23:59:59Z");
    assert_eq!(beats(&mut daemon, 1).await, "-");
    clock.set("2026-11-26T00:00:00Z");
    let slow = Arc::clone(&clock);
    bench.control.on_request(Endpoint::Organizations, 1, move |_| slow.set_forward(HOUR * 3));
    assert_eq!(beats(&mut daemon, 3).await, "RR-");
    assert_eq!(planned_at(&bench).await, "2026-11-26T00:00:00.000Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_promised_is_kept_though_the_daemon_began_after_its_tick() {
    let queries = format!("{}jitter = \"12h\"\n", without_catch_up());
    let (bench, client, clock) = at_noon(&queries).await;
    let now = || clock.now();
    assert_eq!(beats(&mut watch(&bench, &client, &now).await, 2).await, "R-");
    clock.set("2026-11-26T00:00:01Z");
    let mut daemon = watch(&bench, &client, &now).await;
    let mut letters = String::new();
    while clock.now() < "2026-11-26T12:00:00Z".parse::<Timestamp>().unwrap() {
        letters += &beats(&mut daemon, 1).await;
        clock.set_forward(MINUTE * 4);
    }
    assert!(letters.starts_with('-'), "{letters}");
    assert_eq!(letters.matches('R').count(), 1, "{letters}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_the_waits_between_tries() {
    let (mut bench, _, clock) = at_noon(ALL_OF_FI).await;
    bench.configure("retry_for = \"20ms\"", ALL_OF_FI);
    let client = bench.client();
    bench.control.fail_always(Endpoint::Organizations, Fault::Reset);
    let now = || clock.now();
    assert_eq!(beats(&mut watch(&bench, &client, &now).await, 2).await, "R-");
    for wait in [MINUTE * 30, HOUR, HOUR * 2] {
        clock.set_forward(wait - SECOND);
        let mut daemon = watch(&bench, &client, &now).await;
        assert_eq!(beats(&mut daemon, 2).await, "--", "{wait:?}");
        clock.set_forward(SECOND);
        assert_eq!(beats(&mut daemon, 2).await, "R-", "{wait:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_missed_while_no_daemon_ran_are_made_up_once_by_the_next() {
    let (bench, client, clock) = at_noon(ALL_OF_FI).await;
    let now = || clock.now();
    assert_eq!(beats(&mut watch(&bench, &client, &now).await, 2).await, "R-");
    clock.set_forward(DAY * 9);
    for letters in ["R-", "--"] {
        assert_eq!(beats(&mut watch(&bench, &client, &now).await, 2).await, letters);
    }
    assert_eq!(planned_at(&bench).await, "2026-12-04T00:00:00.000Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_daemon_died_is_tried_again_by_the_next() {
    let (bench, client, clock) = at_noon(ALL_OF_FI).await;
    let now = || clock.now();
    bench.control.fail(Endpoint::Organizations, Fault::Stall, 1);
    let mut dying = watch(&bench, &client, &now).await;
    tokio::select! {
        beat = dying.beat() => panic!("{beat:?}"),
        () = until("the run is under way", async || bench.control.hits(Endpoint::Organizations) > 0) => (),
    }
    drop(dying);
    let mut next = watch(&bench, &client, &now).await;
    assert_eq!(beats(&mut next, 1).await, "-");
    clock.set_forward(MINUTE * 30);
    assert_eq!(beats(&mut next, 2).await, "R-");
    assert_eq!(bench.texts("SELECT status FROM runs ORDER BY id").await, ["interrupted", "succeeded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_queries_that_are_due_at_once_run_one_after_another() {
    let queries: String = (0..20).map(|n| ALL_OF_FI.replace("\"all\"", &format!("\"q{n}\""))).collect();
    let (bench, client, clock) = at_noon(&queries).await;
    let now = || {
        clock.set_forward(SignedDuration::from_millis(1));
        clock.now()
    };
    let mut daemon = watch(&bench, &client, &now).await;
    for _ in 0..2 {
        assert_eq!(beats(&mut daemon, 21).await, format!("{}-", "R".repeat(20)));
        clock.set_forward(DAY);
    }
    let each = "SELECT count(*) FROM (SELECT query FROM runs GROUP BY query HAVING count(*) = 2)";
    assert_eq!(bench.number(each).await, 20);
    let overlaps = "SELECT count(*) FROM runs a JOIN runs b ON a.id < b.id AND a.finished_at >= b.started_at";
    assert_eq!(bench.number(overlaps).await, 0);
    assert_eq!(bench.number("SELECT count(*) FROM runs WHERE status = 'succeeded'").await, 40);
}
