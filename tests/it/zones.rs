//! Zones and schedules as `check` foretells them, whatever zones the machine has.

use std::fs;
use std::path::Path;
use std::process::Command;

use jiff::civil::{Date, Weekday};
use tempfile::TempDir;

use crate::program::{Ended, ended, program};

const DAILY: &str = "0 3 * * *";

fn folder(schedule: &str, zone: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let query = format!(
        "[[queries]]\nname = 'all'\ndatabase = 'FI'\nquery = '{{}}'\nfields = ['name']\nschedule = '{schedule}'\ntimezone = '{zone}'\n"
    );
    fs::write(folder.path().join("config.toml"), query).unwrap();
    folder
}

/// The next three runs that `check` foretells, without the zone's name.
fn runs(ended: &Ended, zone: &str) -> Vec<String> {
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let name = format!(" ({zone})");
    let runs: Vec<_> = ended.out.lines().filter_map(|line| line.strip_suffix(&name)).collect();
    assert_eq!(runs.len(), 3, "{}", ended.out);
    runs.into_iter().map(|run| run.trim().to_owned()).collect()
}

/// A zone file as the system has them: its only rule is the one that a POSIX `TZ` would give.
fn write_zone(folder: &Path, name: &str, rule: &str) {
    // One local time type (UTC, no daylight saving, its abbreviation) and its four letters.
    let counts = [0u32, 0, 0, 0, 1, 4].map(u32::to_be_bytes).concat();
    let block = [&b"TZif2"[..], &[0; 15], &counts, &[0; 6], b"UTC\0"].concat();
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, [&block[..], &block, format!("\n{rule}\n").as_bytes()].concat()).unwrap();
}

/// The dates of the next three runs in UTC.
fn dates(schedule: &str) -> Vec<Date> {
    let folder = folder(schedule, "UTC");
    let ended = ended(program(folder.path()).arg("check").output().unwrap());
    runs(&ended, "UTC").iter().map(|run| run.split(' ').next().unwrap().parse().unwrap()).collect()
}

#[test]
fn a_zone_that_the_system_lacks_is_known_and_never_utc() {
    let zones = TempDir::new().unwrap();
    write_zone(zones.path(), "Europe/Helsinki", "EET-2EEST,M3.5.0/3,M10.5.0/4");
    for (zone, offsets) in [
        ("Europe/Helsinki", ["+02:00", "+03:00"]),
        ("US/Pacific", ["-08:00", "-07:00"]),
        ("PST8PDT", ["-08:00", "-07:00"]),
    ] {
        let folder = folder(DAILY, zone);
        let ended = ended(program(folder.path()).arg("check").env("TZDIR", zones.path()).output().unwrap());
        for run in runs(&ended, zone) {
            let right = offsets.iter().any(|offset| run.ends_with(&format!(" 03:00:00 {offset}")));
            assert!(right, "{zone}: {run}");
        }
    }
}

#[test]
fn zones_are_known_on_a_machine_that_has_none() {
    let folder = folder(DAILY, "US/Pacific");
    let hidden = "! test -d /usr/share/zoneinfo || mount -t tmpfs none /usr/share/zoneinfo || exit 3; exec \"$0\" check";
    let program = program(folder.path());
    let mut unshare = Command::new("unshare");
    unshare.args(["-m", "sh", "-c", hidden]).arg(program.get_program()).current_dir(folder.path());
    let output = unshare.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").output();
    let Some(ended) = output.ok().map(ended).filter(|ended| ended.code == Some(0)) else {
        eprintln!("skipped: hiding the machine's zones wants root");
        return;
    };
    for run in runs(&ended, "US/Pacific") {
        assert!(run.ends_with(" 03:00:00 -08:00") || run.ends_with(" 03:00:00 -07:00"), "{run}");
    }
}

#[test]
fn a_change_of_law_that_the_system_knows_is_followed() {
    let zones = TempDir::new().unwrap();
    write_zone(zones.path(), "Europe/Helsinki", "<+09>-9");
    let folder = folder(DAILY, "Europe/Helsinki");
    let ended = ended(program(folder.path()).arg("check").env("TZDIR", zones.path()).output().unwrap());
    for run in runs(&ended, "Europe/Helsinki") {
        assert!(run.ends_with(" 03:00:00 +09:00"), "{run}");
    }
}

#[test]
fn days_are_those_of_crontab() {
    let weekdays = |schedule: &str| dates(schedule).into_iter().map(Date::weekday).collect::<Vec<_>>();
    assert_eq!(weekdays("0 3 * * 7"), [Weekday::Sunday; 3]);
    assert_eq!(weekdays("0 3 * * 0"), [Weekday::Sunday; 3]);
    assert_eq!(weekdays("0 3 * * 1"), [Weekday::Monday; 3]);
    let either = dates("0 3 13 * 5");
    assert!(either.iter().all(|date| date.day() == 13 || date.weekday() == Weekday::Friday), "{either:?}");
    assert!(either.iter().any(|date| date.day() != 13), "one of three days is a Friday: {either:?}");
    assert!(dates("0 3 29 2 *").iter().all(|date| (date.month(), date.day()) == (2, 29)));
}
