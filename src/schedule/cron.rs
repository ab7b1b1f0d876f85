//! A schedule: its text, and its ticks in a zone.

use std::fmt;
use std::str::FromStr;

use croner::Cron;
use croner::parser::CronParser;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::field::{FIELDS, Fault};
use super::stretch::Stretch;
use super::wall::Wall;

/// A crontab(5) expression that comes at least once: five fields, or `@hourly`, `@daily`, `@weekly`,
/// `@monthly`.
///
/// Where both day fields are restricted a day that either names is meant; one that begins with `*` is
/// not restricted. A local time that a clock change skips is the first instant after the gap, several of
/// them are one. In an hour that a change repeats, fixed hours run once; an hour field that names every
/// hour runs in each that really passes.
#[derive(Debug, Clone)]
pub struct Schedule {
    text: String,
    cron: Cron,
    every_hour: bool,
}

/// The text is no schedule, or one that never comes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    /// Too few or too many fields.
    #[error(
        "it takes five fields (minute, hour, day of month, month, day of week; no seconds), not {0}; write \"0 3 * * *\", or one of @hourly, @daily, @weekly, @monthly"
    )]
    FieldCount(usize),
    /// A nickname that is none of the four.
    #[error("write @hourly, @daily, @weekly or @monthly, or five fields, as \"0 3 * * *\"")]
    Nickname,
    /// A part of a field is wrong.
    #[error("\"{part}\" in the {field} field {fault}")]
    Field { field: &'static str, part: String, fault: Fault },
    /// Well formed, but there is no such day, as in `0 0 30 2 *`.
    #[error("it never comes, since no month that it names has such a day")]
    Never,
}

impl FromStr for Schedule {
    type Err = InvalidSchedule;

    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        let cron = parse(expand(text.trim())?)?;
        let every_hour = cron.pattern.hours.values().len() == 24;
        let schedule = Self { text: text.to_owned(), cron, every_hour };
        // Any year serves: each day that exists comes again within 40 years.
        schedule.on_or_after(DateTime::constant(2000, 1, 1, 0, 0, 0, 0)).ok_or(InvalidSchedule::Never)?;
        Ok(schedule)
    }
}

fn expand(text: &str) -> Result<&str, InvalidSchedule> {
    match text {
        "@hourly" => Ok("0 * * * *"),
        "@daily" => Ok("0 0 * * *"),
        "@weekly" => Ok("0 0 * * 0"),
        "@monthly" => Ok("0 0 1 * *"),
        _ if text.starts_with('@') => Err(InvalidSchedule::Nickname),
        _ => Ok(text),
    }
}

fn parse(text: &str) -> Result<Cron, InvalidSchedule> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let &[_, _, day, _, weekday] = fields.as_slice() else {
        return Err(InvalidSchedule::FieldCount(fields.len()));
    };
    let numbers: Vec<String> = FIELDS
        .iter()
        .zip(&fields)
        .map(|(field, text)| {
            let wrong = |(part, fault)| InvalidSchedule::Field { field: field.name, part, fault };
            field.in_numbers(text).map_err(wrong)
        })
        .collect::<Result<_, _>>()?;
    // A day field like */2 is not restricted, yet its days count: the other field narrows them.
    let both = day.starts_with('*') || weekday.starts_with('*');
    let parser = CronParser::builder().dom_and_dow(both).build();
    Ok(parser.parse(&numbers.join(" ")).expect("five fields of numbers in range are a pattern"))
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Schedule {
    /// The expression as configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first tick strictly after `after`, in the clocks of `zone`. `None` only centuries ahead.
    #[must_use]
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut stretch = Stretch::around(after, zone);
        let mut from = self.first_of(&stretch).max(second_after(stretch.civil(after))?);
        loop {
            if let Some(tick) = self.on_or_after(from).and_then(|civil| stretch.instant(civil)) {
                return Some(tick);
            }
            stretch = stretch.after(zone)?;
            from = self.first_of(&stretch);
        }
    }

    /// The last tick at or before `until`, in the clocks of `zone`. `None` only centuries back.
    #[must_use]
    pub fn previous(&self, until: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut stretch = Stretch::around(until, zone);
        let mut until = until;
        loop {
            let civil = self.on_or_before(stretch.civil(until));
            if let Some(civil) = civil.filter(|&civil| civil >= self.first_of(&stretch)) {
                return stretch.instant(civil);
            }
            until = stretch.last_before()?;
            stretch = stretch.before(zone)?;
        }
    }

    fn first_of(&self, stretch: &Stretch) -> DateTime {
        if self.every_hour { stretch.first_hourly() } else { stretch.first_once() }
    }

    fn on_or_after(&self, civil: DateTime) -> Option<DateTime> {
        self.cron.find_next_occurrence(&Wall(civil), true).ok().map(|Wall(tick)| tick)
    }

    fn on_or_before(&self, civil: DateTime) -> Option<DateTime> {
        self.cron.find_previous_occurrence(&Wall(civil), true).ok().map(|Wall(tick)| tick)
    }
}

/// The first whole second after `civil`.
fn second_after(civil: DateTime) -> Option<DateTime> {
    let whole = civil.date().at(civil.hour(), civil.minute(), civil.second(), 0);
    whole.checked_add(SignedDuration::from_secs(1)).ok()
}

#[cfg(test)]
mod tests;
