//! A clock on the wall for croner to search over.

use std::cmp::Ordering;

use croner::errors::CronError;
use croner::{CivilDate, CivilDateTime, CivilTime, CronDateTime, Resolution, Weekday};
use jiff::SignedDuration;
use jiff::civil::DateTime;

/// A civil time without a zone: asked in a zone, croner loses or repeats ticks at clock changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wall(pub(super) DateTime);

impl CronDateTime for Wall {
    fn to_civil(&self) -> CivilDateTime {
        let Self(at) = self;
        CivilDateTime::new(
            CivilDate::from_parts_unchecked(at.year().into(), natural(at.month()), natural(at.day())),
            CivilTime::from_parts_unchecked(natural(at.hour()), natural(at.minute()), natural(at.second())),
        )
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(natural(self.0.weekday().to_sunday_zero_offset()))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        to_jiff(civil).map(|at| Resolution::Single(Self(at))).ok_or(CronError::InvalidDate)
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

/// A part of a date or time of day, of which jiff has none below 0.
fn natural(part: i8) -> u32 {
    u32::from(part.unsigned_abs())
}

fn to_jiff(civil: CivilDateTime) -> Option<DateTime> {
    let part = |part: u32| i8::try_from(part).ok();
    DateTime::new(
        i16::try_from(civil.year()).ok()?,
        part(civil.month())?,
        part(civil.day())?,
        part(civil.hour())?,
        part(civil.minute())?,
        part(civil.second())?,
        0,
    )
    .ok()
}
