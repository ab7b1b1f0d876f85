//! What the program lets others see of itself: log lines, progress bars, pings, and what systemd is
//! told.

pub mod logging;
pub mod notify;
pub mod ping;
pub mod progress;
