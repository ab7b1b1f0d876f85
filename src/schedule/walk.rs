//! What crontab(5) means, told without a parser or a search: by looking at a clock again and again.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A field as text with the values that it names.
pub(super) type Values = (&'static str, fn(i8) -> bool);

/// A schedule with a meaning of its own: minute, hour, day of month and day of week, in every month.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model(pub(super) [Values; 4]);

/// What a clock on the wall shows at a look at it.
#[derive(Debug)]
pub(super) struct Reading {
    at: Timestamp,
    shown: DateTime,
    /// It has shown this before.
    repeated: bool,
    /// What it would have shown since the last look, had it not been set forward.
    skipped: Vec<DateTime>,
}

/// Looks at the clock of `zone` every `step` after `from`, until `until`.
pub(super) fn readings(
    zone: &TimeZone,
    step: SignedDuration,
    from: Timestamp,
    until: Timestamp,
) -> Vec<Reading> {
    let mut last = zone.to_datetime(from);
    let mut latest = last;
    let instants = std::iter::successors(Some(from + step), |&at| Some(at + step));
    let read = |at| {
        let shown = zone.to_datetime(at);
        let reading = Reading { at, shown, repeated: shown <= latest, skipped: between(last, shown, step) };
        last = shown;
        latest = latest.max(shown);
        reading
    };
    instants.take_while(|&at| at <= until).map(read).collect()
}

fn between(last: DateTime, shown: DateTime, step: SignedDuration) -> Vec<DateTime> {
    std::iter::successors(Some(last + step), |&at| Some(at + step)).take_while(|&at| at < shown).collect()
}

impl Model {
    pub(super) fn text(&self) -> String {
        let [minute, hour, day, weekday] = self.0.map(|(text, _)| text);
        format!("{minute} {hour} {day} * {weekday}")
    }

    /// The ticks among `readings`, between which no minute may lie that the schedule names.
    pub(super) fn ticks(&self, readings: &[Reading]) -> Vec<Timestamp> {
        let every_hour = (0..24).all(self.0[1].1);
        let is_tick = |reading: &&Reading| {
            let counts = |at: &DateTime| !every_hour || at.hour() == reading.shown.hour();
            let again = reading.repeated && !every_hour;
            self.names(reading.shown) && !again
                || reading.skipped.iter().filter(|at| counts(at)).any(|&at| self.names(at))
        };
        readings.iter().filter(is_tick).map(|reading| reading.at).collect()
    }

    fn names(&self, at: DateTime) -> bool {
        let Self([(_, minute), (_, hour), (day_text, day), (weekday_text, weekday)]) = self;
        if !minute(at.minute()) || !hour(at.hour()) {
            return false;
        }
        let (day, weekday) = (day(at.day()), weekday(at.weekday().to_sunday_zero_offset()));
        let either = !day_text.starts_with('*') && !weekday_text.starts_with('*');
        if either { day || weekday } else { day && weekday }
    }
}
