//! When a query is due: crontab(5) expressions in the query's own zone. Pure; the timer is elsewhere.
//!
//! `field` reads one field, `cron` joins five to a [`Schedule`] and finds its ticks, `stretch` carries
//! them over clock changes, `due` tells from a query's past runs when it runs next, and `watch` since when
//! the clock is watched.

mod cron;
mod due;
mod field;
mod stretch;
#[cfg(test)]
mod walk;
mod wall;
mod watch;

pub use cron::{InvalidSchedule, Schedule};
pub use due::{Due, PastRun, Plan, Reason, is_late};
pub use field::Fault;
pub use watch::{Look, Watch};
