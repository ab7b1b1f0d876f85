//! What the program lets others see of itself: log lines, progress bars, and what systemd is told.

pub mod logging;
pub mod notify;
pub mod progress;
