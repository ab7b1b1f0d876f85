//! One field of a crontab(5) expression, read strictly: croner takes more than crontab(5) has.

/// Which values a field of an expression may name.
pub(super) struct Field {
    pub(super) name: &'static str,
    min: u8,
    max: u8,
    /// Names of the values from `min` on.
    names: &'static [&'static str],
}

/// The five fields in their order.
pub(super) const FIELDS: [Field; 5] = [
    Field { name: "minute", min: 0, max: 59, names: &[] },
    Field { name: "hour", min: 0, max: 23, names: &[] },
    Field { name: "day of month", min: 1, max: 31, names: &[] },
    Field { name: "month", min: 1, max: 12, names: &MONTHS },
    Field { name: "day of week", min: 0, max: 7, names: &WEEKDAYS },
];

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// What is wrong with a part of a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No value of this field: out of range, misspelt, empty, or from another dialect of cron.
    #[error("is neither * nor one of {allowed}{}", .meant.map(|name| format!("; did you mean {name}?")).unwrap_or_default())]
    Value { allowed: String, meant: Option<&'static str> },
    /// A range whose end is before its start.
    #[error("runs backwards; write {instead}")]
    Backwards { instead: String },
    /// A step that is no number, or 0.
    #[error("has a step that is not a number of 1 or more")]
    Step,
    /// crontab(5) knows steps through a range only.
    #[error("has a step but no range; write {instead}")]
    StepOfOne { instead: String },
}

impl Field {
    /// The field in numbers, as croner reads it.
    ///
    /// # Errors
    /// The first part, as written, that is not crontab(5), with what is wrong with it.
    pub(super) fn in_numbers(&self, text: &str) -> Result<String, (String, Fault)> {
        if text == "*" {
            return Ok(text.to_owned());
        }
        let parts = text.split(',').map(|part| self.part(part).map_err(|fault| (part.to_owned(), fault)));
        Ok(parts.collect::<Result<Vec<_>, _>>()?.join(","))
    }

    fn part(&self, part: &str) -> Result<String, Fault> {
        let Some((range, step)) = part.split_once('/') else { return self.range(part) };
        let step = step.parse::<u8>().ok().filter(|&step| step > 0).ok_or(Fault::Step)?;
        let range = self.range(range)?;
        if range.contains('-') {
            Ok(format!("{range}/{step}"))
        } else {
            Err(Fault::StepOfOne { instead: format!("{range}-{}/{step}", self.max) })
        }
    }

    fn range(&self, range: &str) -> Result<String, Fault> {
        if range == "*" {
            return Ok(format!("{}-{}", self.min, self.max));
        }
        let Some((start, end)) = range.split_once('-') else { return Ok(self.value(range)?.to_string()) };
        let (start, end) = (self.value(start)?, self.last_value(end)?);
        if start <= end {
            Ok(format!("{start}-{end}"))
        } else {
            Err(Fault::Backwards { instead: format!("{start}-{},{}-{end}", self.max, self.min) })
        }
    }

    /// Sunday at the end of a range is the last day of the week: `sat-sun` is `6-7`.
    fn last_value(&self, text: &str) -> Result<u8, Fault> {
        if text.eq_ignore_ascii_case(WEEKDAYS[0]) {
            self.value(text).map(|_| self.max)
        } else {
            self.value(text)
        }
    }

    fn value(&self, text: &str) -> Result<u8, Fault> {
        let named = (self.min..).zip(self.names).find(|(_, name)| text.eq_ignore_ascii_case(name));
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        named
            .map(|(value, _)| value)
            .or_else(|| text.parse().ok().filter(|_| digits))
            .filter(|value| (self.min..=self.max).contains(value))
            .ok_or_else(|| Fault::Value { allowed: self.allowed(), meant: self.meant(text) })
    }

    /// The only name that shares the most letters with the beginning of `text`, two at least.
    fn meant(&self, text: &str) -> Option<&'static str> {
        let shared = |name: &str| {
            text.bytes().zip(name.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
        };
        let most = self.names.iter().map(|name| shared(name)).max().filter(|most| *most >= 2)?;
        let mut nearest = self.names.iter().filter(|name| shared(name) == most);
        nearest.next().filter(|_| nearest.next().is_none()).copied()
    }

    fn allowed(&self) -> String {
        let numbers = format!("{}-{}", self.min, self.max);
        match self.names {
            [first, .., last] => format!("{numbers} or {first}-{last}"),
            _ => numbers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ranges_become_numbers_that_croner_reads() {
        let [minute, hour, _, month, weekday] = FIELDS;
        let cases = [
            (&minute, "*", "*"),
            (&minute, "*/15", "0-59/15"),
            (&minute, "05,10-20/5", "5,10-20/5"),
            (&hour, "*,3", "0-23,3"),
            (&month, "Jan,MAR-may", "1,3-5"),
            (&weekday, "mon-fri", "1-5"),
            (&weekday, "fri-sun", "5-7"),
            (&weekday, "sun", "0"),
            (&weekday, "sun-tue", "0-2"),
            (&weekday, "0,7", "0,7"),
        ];
        for (field, text, numbers) in cases {
            assert_eq!(field.in_numbers(text).as_deref(), Ok(numbers), "{} {text}", field.name);
        }
    }

    #[test]
    fn a_wrong_part_is_told_with_what_would_be_right() {
        let [minute, hour, day, month, weekday] = FIELDS;
        let cases = [
            (&minute, "60", "is neither * nor one of 0-59"),
            (&minute, "+5", "is neither * nor one of 0-59"),
            (&hour, "24", "is neither * nor one of 0-23"),
            (&hour, "", "is neither * nor one of 0-23"),
            (&hour, "mon", "is neither * nor one of 0-23"),
            (&hour, "22-4", "runs backwards; write 22-23,0-4"),
            (&day, "0", "is neither * nor one of 1-31"),
            (&day, "L", "is neither * nor one of 1-31"),
            (&month, "sun", "is neither * nor one of 1-12 or jan-dec"),
            (&weekday, "8", "is neither * nor one of 0-7 or sun-sat"),
            (&weekday, "Monday", "is neither * nor one of 0-7 or sun-sat; did you mean mon?"),
            (&weekday, "mo-fry", "is neither * nor one of 0-7 or sun-sat; did you mean mon?"),
            (&weekday, "t", "is neither * nor one of 0-7 or sun-sat"),
            (&month, "ma", "is neither * nor one of 1-12 or jan-dec"),
            (&weekday, "5#2", "is neither * nor one of 0-7 or sun-sat"),
            (&minute, "*/0", "has a step that is not a number of 1 or more"),
            (&minute, "*/x", "has a step that is not a number of 1 or more"),
            (&minute, "5/10", "has a step but no range; write 5-59/10"),
        ];
        for (field, text, message) in cases {
            let (part, fault) = field.in_numbers(text).unwrap_err();
            assert_eq!((part.as_str(), fault.to_string().as_str()), (text, message), "{}", field.name);
        }
    }

    #[test]
    fn of_a_list_only_the_wrong_part_is_named() {
        let (part, _) = FIELDS[1].in_numbers("1,2,99,98").unwrap_err();
        assert_eq!(part, "99");
    }
}
