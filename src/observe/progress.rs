//! Progress bars on a terminal, one a query, that log lines don't tear.

use tracing::{Metadata, Span, Subscriber};
use tracing_indicatif::IndicatifLayer;
use tracing_indicatif::span_ext::IndicatifSpanExt;
use tracing_indicatif::style::ProgressStyle;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::registry::LookupSpan;

const TARGET: &str = "vainu_sync::progress";

/// The bar of one query; it goes when this is dropped. Without a terminal it shows nothing.
#[derive(Debug)]
pub struct Bar {
    span: Span,
}

impl Bar {
    /// A bar named after its query.
    #[must_use]
    pub fn new(query: &str) -> Self {
        let span = tracing::info_span!(target: TARGET, "progress", query);
        span.pb_set_style(&unknown_length());
        span.pb_set_message(query);
        span.pb_start();
        Self { span }
    }

    /// Makes it a bar of so many rows, as the count foretells.
    pub fn expect(&self, rows: u64) {
        self.span.pb_set_style(&known_length());
        self.span.pb_set_length(rows);
    }

    /// So many rows are fetched by now.
    pub fn fetched(&self, rows: u64) {
        self.span.pb_set_position(rows);
    }
}

/// The layer that draws the bars; its stderr writer puts log lines above them.
pub(super) fn layer<S>() -> IndicatifLayer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    IndicatifLayer::new()
}

/// Only spans of this module are bars, whatever the log's level.
pub(super) fn filter() -> FilterFn<fn(&Metadata<'_>) -> bool> {
    FilterFn::new(|metadata| metadata.target() == TARGET)
}

fn known_length() -> ProgressStyle {
    style("{msg} {wide_bar} {human_pos}/{human_len} {elapsed}")
}

fn unknown_length() -> ProgressStyle {
    style("{msg} {spinner} {human_pos} {elapsed}")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a constant template that a test draws")
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::{Layer, Registry};

    use super::*;

    #[test]
    fn the_templates_are_valid() {
        let _ = (known_length(), unknown_length());
    }

    #[test]
    fn a_quiet_log_hides_no_bar_and_a_bar_lets_no_other_span_through() {
        let lines = tracing_subscriber::fmt::layer().with_filter(LevelFilter::ERROR);
        let subscriber = Registry::default().with(lines).with(layer().with_filter(filter()));
        tracing::subscriber::with_default(subscriber, || {
            assert!(!Bar::new("finnish-software").span.is_disabled());
            assert!(tracing::info_span!("run").is_disabled());
        });
    }
}
