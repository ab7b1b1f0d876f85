use jiff::Timestamp;

/// A time as the store writes it: `2026-03-30T15:49:00.000Z`, never later than it was. Sorts as text.
#[must_use]
pub fn to_text(time: Timestamp) -> String {
    format!("{}", time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
}

/// Reads what [`to_text`] wrote; `None` if a hand has changed it into something else.
#[must_use]
pub fn from_text(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds_and_come_back() {
        let time: Timestamp = "2026-03-30T15:49:00Z".parse().unwrap();
        assert_eq!(to_text(time), "2026-03-30T15:49:00.000Z");
        assert_eq!(from_text(&to_text(time)), Some(time));
    }

    #[test]
    fn what_has_happened_is_not_written_as_ahead() {
        let time: Timestamp = "2026-03-30T15:48:59.999999Z".parse().unwrap();
        assert_eq!(to_text(time), "2026-03-30T15:48:59.999Z");
    }
}
