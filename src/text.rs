//! Numbers, times and command lines for people.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

/// `1234567` → `1,234,567`
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Units of sizes, each a thousand times the one before.
const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];

/// `1437024256` → `1.4 GB`: one digit behind the point, from kB up.
#[must_use]
pub fn size(bytes: u64) -> String {
    let (tenths, unit) = in_tenths(bytes, 1);
    format!("{}.{} {}", grouped(tenths / 10), tenths % 10, UNITS[unit])
}

/// `1437024256` → `1.4 GB`, `337000000` → `337 MB`: no more digits than say something.
#[must_use]
pub fn brief_size(bytes: u64) -> String {
    let (tenths, unit) = in_tenths(bytes, 0);
    if unit == 0 || tenths >= 100 {
        return format!("{} {}", tenths / 10, UNITS[unit]);
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// A size in tenths of the unit that suits it, which is this one at least.
fn in_tenths(bytes: u64, least: usize) -> (u64, usize) {
    let (mut tenths, mut unit) = (u128::from(bytes) * 10, 0);
    while unit + 1 < UNITS.len() && (unit < least || tenths >= 10_000) {
        (tenths, unit) = (tenths / 1000, unit + 1);
    }
    (u64::try_from(tenths).unwrap_or(u64::MAX), unit)
}

/// How long ago `then` is, in its two largest units; in the future: so.
#[must_use]
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs();
    let Ok(past) = u64::try_from(seconds) else { return "in the future".to_owned() };
    let (days, hours, minutes) = (past / 86_400, past / 3600 % 24, past / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{past} s ago"),
        (0, 0, minutes) => format!("{minutes} min ago"),
        (0, hours, minutes) => format!("{hours} h {minutes} min ago"),
        (days, hours, _) => format!("{days} d {hours} h ago"),
    }
}

/// A time in a query's own zone: `2026-11-26 03:00:00 +02:00 (Europe/Helsinki)`.
#[must_use]
pub fn local(time: Timestamp, zone: &TimeZone, name: &str) -> String {
    let time = time.round(Unit::Second).unwrap_or(time).to_zoned_datetime(zone.clone());
    format!("{} ({name})", time.strftime("%Y-%m-%d %H:%M:%S %:z"))
}

/// A word as a shell takes it, in quotes where it needs them.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+=:@,".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        assert_eq!(size(99), "0.0 kB");
        assert_eq!(size(999_999), "999.9 kB");
        assert_eq!(size(1_437_024_256), "1.4 GB");
        assert_eq!(size(u64::MAX), "18,446,744.0 TB");
    }

    #[test]
    fn a_brief_size_has_a_digit_behind_the_point_only_where_that_says_something() {
        for (bytes, told) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (12_345, "12 kB"),
            (337_000_000, "337 MB"),
            (1_500_000_000, "1.5 GB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(brief_size(bytes), told);
        }
    }

    #[test]
    fn a_word_with_spaces_or_quotes_reaches_a_command_whole() {
        assert_eq!(shell_word("/etc/vainu-sync/config.toml"), "/etc/vainu-sync/config.toml");
        assert_eq!(shell_word("it's mine.toml"), r"'it'\''s mine.toml'");
    }

    #[test]
    fn ages_are_told_in_their_largest_units() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let at = |text: &str| ago(text.parse().unwrap(), now);
        assert_eq!(at("2026-11-25T11:59:30Z"), "30 s ago");
        assert_eq!(at("2026-11-25T09:45:00Z"), "2 h 15 min ago");
        assert_eq!(at("2026-11-22T11:00:00Z"), "3 d 1 h ago");
        assert_eq!(at("2026-11-26T12:00:00Z"), "in the future");
    }

    #[test]
    fn a_time_is_told_in_the_zone_of_its_query() {
        let zone = TimeZone::get("Europe/Helsinki").unwrap();
        let time = "2026-11-26T01:00:00Z".parse().unwrap();
        assert_eq!(local(time, &zone, "Europe/Helsinki"), "2026-11-26 03:00:00 +02:00 (Europe/Helsinki)");
    }
}
