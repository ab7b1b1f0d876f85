//! Log lines: for people on a terminal, to the journal under systemd, as JSON lines elsewhere.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use jiff::Timestamp;
use tracing::Subscriber;
use tracing::subscriber::SetGlobalDefaultError;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::progress;
use crate::config::settings::{Log, LogFormat};

/// Logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The level is no filter; a configuration that was checked has none of these.
    #[error("log.level is no level and no list of directives such as vainu_sync::store=debug,info: {0}")]
    Level(#[from] ParseError),
    /// `log.format` is `journald` where no journal listens.
    #[error("log.format is \"journald\", but no journal can be reached: {0}; write \"auto\" or \"json\"")]
    NoJournal(#[source] io::Error),
    /// Something in this process has set up logging before.
    #[error("logging is already set up: {0}")]
    Again(#[from] SetGlobalDefaultError),
}

/// Whether the command shows progress bars beside its log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bars {
    /// Where stderr is a terminal.
    Shown,
    Hidden,
}

/// Writes log lines from here on, for the whole process: once. `journal_stream` is what the variable
/// `JOURNAL_STREAM` says.
///
/// # Errors
/// If `log.level` is no filter, there is no journal to write to, or logging is already set up.
pub fn init(log: &Log, bars: Bars, journal_stream: Option<&str>) -> Result<(), LoggingError> {
    let filter = EnvFilter::try_new(directives(&log.level))?;
    let terminal = io::stderr().is_terminal();
    let look = Look::of(log.format, terminal, writes_to_journal(journal_stream));
    if look == Look::Journal {
        match tracing_journald::layer() {
            Ok(journal) => {
                let journal = journal.with_field_prefix(Some("VAINU_SYNC".to_owned()));
                return set(Registry::default().with(journal.with_filter(filter)));
            }
            Err(error) if log.format == LogFormat::Journald => return Err(LoggingError::NoJournal(error)),
            // stderr goes there too, if only as text.
            Err(_) => {}
        }
    }
    if terminal && bars == Bars::Shown {
        let bars = progress::layer();
        let lines = lines(look, bars.get_stderr_writer()).with_filter(filter);
        set(Registry::default().with(lines).with(bars.with_filter(progress::filter())))
    } else {
        set(Registry::default().with(lines(look, io::stderr).with_filter(filter)))
    }
}

/// Whether the stream that `JOURNAL_STREAM` tells as `device:inode` is stderr: a shell within a service inherits
/// the variable, but not always the stream.
#[must_use]
pub fn writes_to_journal(stream: Option<&str>) -> bool {
    let told = stream.and_then(|stream| {
        let (device, inode) = stream.split_once(':')?;
        Some((device.parse().ok()?, inode.parse().ok()?))
    });
    let stderr = io::stderr().as_fd().try_clone_to_owned().and_then(|stderr| File::from(stderr).metadata());
    told.is_some_and(|told: (u64, u64)| stderr.is_ok_and(|stderr| told == (stderr.dev(), stderr.ino())))
}

/// A bare level is ours: what libraries say below a warning is noise to whoever runs this.
fn directives(level: &str) -> String {
    match level.trim().to_ascii_lowercase().as_str() {
        level @ ("info" | "debug" | "trace") => format!("warn,vainu_sync={level}"),
        _ => level.to_owned(),
    }
}

fn set(subscriber: impl Subscriber + Send + Sync) -> Result<(), LoggingError> {
    Ok(tracing::subscriber::set_global_default(subscriber)?)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Coloured,
    Plain,
    Json,
    Journal,
}

impl Look {
    fn of(format: LogFormat, terminal: bool, journal: bool) -> Self {
        match format {
            LogFormat::Json => Self::Json,
            LogFormat::Journald => Self::Journal,
            LogFormat::Auto if journal => Self::Journal,
            LogFormat::Auto if !terminal => Self::Json,
            LogFormat::Auto | LogFormat::Pretty if terminal => Self::Coloured,
            LogFormat::Auto | LogFormat::Pretty => Self::Plain,
        }
    }
}

fn lines<S, W>(look: Look, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    // A line that can't be written is dropped: the report of that would panic where stderr is gone.
    let lines =
        tracing_subscriber::fmt::layer().with_writer(writer).with_timer(Utc).log_internal_errors(false);
    match look {
        // Left to the layer, which heeds NO_COLOR.
        Look::Coloured => lines.boxed(),
        Look::Plain => lines.with_ansi(false).boxed(),
        Look::Json | Look::Journal => lines.json().flatten_event(true).with_span_list(false).boxed(),
    }
}

/// UTC with milliseconds, as the store writes it: `2026-03-30T15:49:00.000Z`.
struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, line: &mut Writer<'_>) -> fmt::Result {
        write!(line, "{:.3}", Timestamp::now())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What `log` writes at level `warn`.
    fn written(look: Look, log: impl FnOnce()) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let lines = lines(look, move || writer.clone()).with_filter(EnvFilter::try_new("warn").unwrap());
        tracing::subscriber::with_default(Registry::default().with(lines), log);
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn lines_look_as_who_reads_them_wants() {
        assert_eq!(Look::of(LogFormat::Auto, false, false), Look::Json);
        assert_eq!(Look::of(LogFormat::Auto, true, false), Look::Coloured);
        assert_eq!(Look::of(LogFormat::Auto, false, true), Look::Journal);
        assert_eq!(Look::of(LogFormat::Pretty, false, true), Look::Plain);
        assert_eq!(Look::of(LogFormat::Json, true, true), Look::Json);
        assert_eq!(Look::of(LogFormat::Journald, true, false), Look::Journal);
    }

    #[test]
    fn a_stream_that_is_not_stderr_is_no_reason_to_write_to_the_journal() {
        for stream in [None, Some(""), Some("1"), Some("x:y"), Some("0:1")] {
            assert!(!writes_to_journal(stream), "{stream:?}");
        }
    }

    #[test]
    fn a_json_line_has_its_fields_at_the_top_and_utc_with_milliseconds() {
        let text = written(Look::Json, || tracing::warn!(query = "finnish-software", rows = 3, "run failed"));
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(line["message"], "run failed");
        assert_eq!(line["query"], "finnish-software");
        assert_eq!(line["rows"], 3);
        assert_eq!(line["level"], "WARN");
        let timestamp = line["timestamp"].as_str().unwrap();
        let at: Timestamp = timestamp.parse().unwrap();
        assert_eq!(timestamp, format!("{at:.3}"), "three digits and Z");
    }

    #[test]
    fn one_event_is_one_line_without_escapes_where_nothing_shows_colours() {
        let text = written(Look::Plain, || tracing::warn!(error = "two\nlines \u{1b}[31m", "run failed"));
        assert_eq!(text.lines().count(), 1, "{text:?}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert!(text.contains("run failed"), "{text:?}");
    }

    #[test]
    fn what_is_below_the_level_is_not_written() {
        assert_eq!(written(Look::Json, || tracing::info!("run started")), "");
    }
}
