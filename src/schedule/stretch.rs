//! The time line of a zone, cut where its clocks change.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// A stretch of time between two clock changes: within it, civil time and instants run in step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    /// The instant of the change that began it.
    start: Timestamp,
    /// The instant of the change that ends it, which is no longer part of it.
    end: Timestamp,
    offset: Offset,
    /// The offset before `start`.
    offset_before: Offset,
}

impl Stretch {
    /// The stretch of `zone` that holds `instant`.
    pub(super) fn around(instant: Timestamp, zone: &TimeZone) -> Self {
        // Transitions before an instant leave out one at the instant itself.
        let after = instant.checked_add(NEXT).unwrap_or(Timestamp::MAX);
        let start = zone.preceding(after).next().map_or(Timestamp::MIN, |change| change.timestamp());
        let end = zone.following(instant).next().map_or(Timestamp::MAX, |change| change.timestamp());
        let offset_before =
            start.checked_sub(NEXT).map_or(zone.to_offset(start), |before| zone.to_offset(before));
        Self { start, end, offset: zone.to_offset(start), offset_before }
    }

    pub(super) fn after(&self, zone: &TimeZone) -> Option<Self> {
        (self.end < Timestamp::MAX).then(|| Self::around(self.end, zone))
    }

    pub(super) fn before(&self, zone: &TimeZone) -> Option<Self> {
        self.last_before().map(|instant| Self::around(instant, zone))
    }

    /// The last instant of the stretch before this one.
    pub(super) fn last_before(&self) -> Option<Timestamp> {
        self.start.checked_sub(NEXT).ok()
    }

    /// What the clock shows at `instant`, which lies in the stretch.
    pub(super) fn civil(&self, instant: Timestamp) -> DateTime {
        self.offset.to_datetime(instant)
    }

    /// When the clock shows `civil`; a civil time that the change before skipped is the change itself.
    /// `None` past the end.
    pub(super) fn instant(&self, civil: DateTime) -> Option<Timestamp> {
        let instant = self.offset.to_timestamp(civil).ok()?.max(self.start);
        (instant < self.end).then_some(instant)
    }

    /// The first civil time that belongs to the stretch for ticks at fixed hours: what the change
    /// skipped does, what it repeats does not.
    pub(super) fn first_once(&self) -> DateTime {
        self.offset_before.to_datetime(self.start)
    }

    /// The first civil time that belongs to the stretch for ticks in every hour: what the change
    /// repeats does, and what it skipped of an hour of which a part remains.
    pub(super) fn first_hourly(&self) -> DateTime {
        let shown = self.offset.to_datetime(self.start);
        let hour = shown.date().at(shown.hour(), 0, 0, 0);
        self.first_once().max(hour).min(shown)
    }
}

const NEXT: SignedDuration = SignedDuration::from_nanos(1);
