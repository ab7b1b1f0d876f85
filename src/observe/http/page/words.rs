//! Numbers, times and texts from elsewhere, as the page shows them.

use std::fmt::Write;

use jiff::Timestamp;
use maud::{Markup, html};

use crate::store::{Run, time};
use crate::text::grouped;
use crate::vainu::unquoted;

/// The longest error that is shown, in characters; `status` has all of it.
const LONGEST: usize = 600;

/// A time, to the second.
pub fn utc(at: Timestamp) -> Markup {
    html! { time datetime=(time::to_text(at)) { (at.strftime("%Y-%m-%d %H:%M:%S UTC")) } }
}

/// A time as the store wrote it.
pub fn written(text: &str) -> Markup {
    time::from_text(text).map_or_else(|| html! { (tame(text)) }, utc)
}

pub fn number(number: i64) -> String {
    grouped(number.unsigned_abs())
}

/// How long a run took, in its two largest units; for one under way: until `now`.
pub fn took(run: &Run, now: Timestamp) -> String {
    let finished = run.finished_at.as_deref().map_or(Some(now), time::from_text);
    let (Some(started), Some(finished)) = (time::from_text(&run.started_at), finished) else {
        return "–".to_owned();
    };
    let millis = finished.duration_since(started).as_millis().max(0);
    if millis < 10_000 {
        return format!("{}.{} s", millis / 1000, millis % 1000 / 100);
    }
    let seconds = millis / 1000;
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
}

/// An error without what it may quote of a body, in a length that a page bears.
pub fn error(text: &str) -> String {
    let text = unquoted(text);
    let mut shown: String = tame(&text).chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// A text from elsewhere, on one line and in its own direction: a sign that turns the text around would make a
/// page say something else.
pub fn tame(text: &str) -> String {
    let tamed = |letter: char| match letter {
        '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            '\u{fffd}'
        }
        letter if letter.is_control() => ' ',
        letter => letter,
    };
    text.chars().map(tamed).collect()
}

/// A name as one segment of a path.
pub fn segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_body_is_shown_and_no_sign_turns_a_text_around() {
        let text = "it gave a body that is not JSON at byte 7, near `\"name\":\"Acme `Oy`\"`; tell Vainu";
        assert_eq!(error(text), "it gave a body that is not JSON at byte 7; tell Vainu");
        assert_eq!(error("one\ntwo\u{202e}three\u{7}"), "one two\u{fffd}three ");
        assert_eq!(error(&"x".repeat(5000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_name_is_one_segment_of_a_path_whatever_it_holds() {
        assert_eq!(segment("finnish-software"), "finnish-software");
        assert_eq!(segment("a/../b?c#d\"<é"), "a%2F%2E%2E%2Fb%3Fc%23d%22%3C%C3%A9");
    }
}
