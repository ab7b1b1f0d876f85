//! Time zones by their names.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::suggest::nearest_zone;
use super::value::Given;

/// What people write for a zone that has another name: Vainu's countries, and their summer time.
const PLACES: [(&str, &str); 7] = [
    ("finland", "Europe/Helsinki"),
    ("sweden", "Europe/Stockholm"),
    ("norway", "Europe/Oslo"),
    ("denmark", "Europe/Copenhagen"),
    ("netherlands", "Europe/Amsterdam"),
    ("eest", "Europe/Helsinki"),
    ("cest", "Europe/Stockholm"),
];

/// A zone and its name. The system's data come first, so that a change of law needs no new version of
/// ours; names that the system lacks come from the bundled data.
pub(super) fn zone(given: &Given<'_>) -> Result<(String, TimeZone), String> {
    let name = given.text()?;
    match zone_called(name, jiff::tz::db()).filter(|_| is_a_places(name)) {
        Some(zone) => Ok((name.to_owned(), zone)),
        None => Err(what_instead(name)),
    }
}

fn zone_called(name: &str, system: &TimeZoneDatabase) -> Option<TimeZone> {
    let zone = system.get(name).or_else(|_| TimeZoneDatabase::bundled().get(name));
    zone.ok().filter(|zone| !zone.is_unknown())
}

/// Files of a system's zone folder that are another zone on each machine, or none.
fn is_a_places(name: &str) -> bool {
    !["factory", "localtime", "posixrules"].contains(&name.to_lowercase().as_str())
}

fn what_instead(name: &str) -> String {
    if is_offset(name) {
        return r#"is an offset, which knows no summer time; write the zone of a place, as "Europe/Helsinki""#.into();
    }
    let names: Vec<String> = TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
    let place = PLACES.iter().find(|(word, _)| name.eq_ignore_ascii_case(word)).map(|(_, zone)| *zone);
    match place.or_else(|| nearest_zone(name, names.iter().map(String::as_str))) {
        Some(zone) => format!("is no time zone; did you mean {zone}?"),
        None => r#"is no time zone; write one as the IANA database names it, as "Europe/Helsinki" or "UTC""#
            .into(),
    }
}

/// `+02:00`, `UTC+2`, `GMT-5`.
fn is_offset(name: &str) -> bool {
    let name = name.to_uppercase();
    let rest = name.strip_prefix("UTC").or_else(|| name.strip_prefix("GMT")).unwrap_or(&name);
    rest.starts_with(['+', '-']) && rest.contains(|letter: char| letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_that_many_systems_lack_are_known() {
        for name in ["US/Pacific", "PST8PDT", "Europe/Helsinki", "UTC"] {
            assert!(zone_called(name, &TimeZoneDatabase::none()).is_some(), "{name}");
        }
        assert!(zone_called("Etc/Unknown", &TimeZoneDatabase::none()).is_none());
    }

    #[test]
    fn an_abbreviation_or_an_offset_finds_no_zone_of_another_meaning() {
        for (name, words) in [
            ("EEST", "did you mean Europe/Helsinki?"),
            ("AEST", "IANA database"),
            ("GMT+2", "no summer time"),
            ("+02:00", "no summer time"),
        ] {
            assert!(what_instead(name).contains(words), "{name}: {}", what_instead(name));
        }
    }
}
