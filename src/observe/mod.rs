//! What the program lets others see of itself: log lines and progress bars.

pub mod logging;
pub mod progress;
