//! Which changes an incremental run asks for, and whether a run may be one. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::store::{Remembered, time};

/// How far a window reaches back behind what is known: changes may show late.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);

/// How far it ends before the server's present, as Vainu's own recipe has it.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);

/// A run some minutes early is the full one that is due: otherwise it would come a whole tick late.
const EARLY: Duration = Duration::from_hours(1);

/// A span of the server's time, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub start: Timestamp,
    pub end: Timestamp,
}

/// What decides whether a run is incremental.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// `None`: every run is full.
    pub full_every: Option<Duration>,
    /// A person asked for a full run.
    pub full: bool,
    /// The server's time at its first answer, if it told.
    pub server: Option<Timestamp>,
    /// Our own time.
    pub now: Timestamp,
}

impl Wish {
    /// The window to ask for, or `None` where the run has to be a full one: nothing, or another definition,
    /// was proved before; the next full run is due; or the clocks do not fit together.
    #[must_use]
    pub fn window(&self, remembered: &Remembered, definition: &str) -> Option<Window> {
        let full_every = self.full_every.filter(|_| !self.full)?;
        if remembered.definition.as_deref() != Some(definition) {
            return None;
        }
        let last_full = time::from_text(remembered.last_full_at.as_deref()?)?;
        let since = Duration::try_from(self.now.duration_since(last_full)).ok()?;
        if since + EARLY.min(full_every / 10) >= full_every {
            return None;
        }
        let watermark = time::from_text(remembered.watermark.as_deref()?)?;
        let server = self.server.filter(|server| *server >= watermark)?;
        Some(Window {
            start: whole(watermark.checked_sub(OVERLAP).ok()?)?,
            end: whole(server.checked_sub(MARGIN).ok()?)?,
        })
    }
}

fn whole(instant: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(instant.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::Keys;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A query whose last full run was three days ago, and its last window ended an hour ago.
    fn remembered() -> Remembered {
        Remembered {
            id: 1,
            name: "all".into(),
            database: "FI".into(),
            definition: Some("same".into()),
            owned: Keys::new(),
            watermark: Some("2026-11-25T02:00:00.000Z".into()),
            last_full_at: Some("2026-11-22T03:00:00.500Z".into()),
            listing_rows: Some(5),
            held: None,
            export: None,
            next_fetch: None,
            first_seen_at: "2026-01-01T00:00:00.000Z".into(),
        }
    }

    fn wish() -> Wish {
        Wish {
            full_every: Some(Duration::from_hours(7 * 24)),
            full: false,
            server: Some(at("2026-11-25T03:00:05.900Z")),
            now: at("2026-11-25T03:00:00Z"),
        }
    }

    #[test]
    fn a_window_reaches_from_an_hour_before_what_is_known_to_ten_seconds_ago_in_whole_seconds() {
        let window = wish().window(&remembered(), "same").unwrap();
        assert_eq!(window, Window { start: at("2026-11-25T01:00:00Z"), end: at("2026-11-25T02:59:55Z") });
    }

    #[test]
    fn a_run_is_full_where_nothing_less_would_do() {
        let full = |wish: Wish, remembered: Remembered| wish.window(&remembered, "same").is_none();
        assert!(!full(wish(), remembered()));
        assert!(full(Wish { full_every: None, ..wish() }, remembered()));
        assert!(full(Wish { full: true, ..wish() }, remembered()));
        assert!(full(Wish { server: None, ..wish() }, remembered()));
        assert!(full(wish(), Remembered { definition: Some("edited".into()), ..remembered() }));
        assert!(full(wish(), Remembered { definition: None, ..remembered() }));
        assert!(full(wish(), Remembered { watermark: None, ..remembered() }));
        assert!(full(wish(), Remembered { last_full_at: None, ..remembered() }));
        let ahead = Some("2026-11-25T03:00:06.000Z".into());
        assert!(
            full(wish(), Remembered { watermark: ahead, ..remembered() }),
            "a watermark of a time to come"
        );
        let ahead = Some("2026-11-26T00:00:00.000Z".into());
        assert!(full(wish(), Remembered { last_full_at: ahead, ..remembered() }), "our clock was set back");
    }

    #[test]
    fn the_full_run_comes_at_its_tick_though_the_last_one_began_a_little_after_its_own() {
        let at_tick = |now: &str| Wish { now: at(now), ..wish() }.window(&remembered(), "same").is_none();
        assert!(!at_tick("2026-11-28T03:00:00Z"));
        assert!(at_tick("2026-11-29T03:00:00Z"));
        let hourly = Wish { full_every: Some(Duration::from_mins(30)), ..wish() };
        assert!(hourly.window(&remembered(), "same").is_none());
    }
}
