//! What the program lets others see of itself: log lines, progress bars, pings, what systemd is told, and the
//! listener: health, metrics and the status page.

pub mod logging;
pub mod notify;
pub mod ping;
pub mod progress;
pub mod vitals;
pub mod disk;
pub mod sight;
pub mod metrics;
pub mod http;
