//! The warnings that one run logs, beside other runs that log theirs.

use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;

/// Hears what is logged at `warn` and above, but for the end of the run.
#[derive(Clone, Default)]
pub struct Ear(Arc<Mutex<Vec<Warning>>>);

/// A message, and what its line gives as the reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warning {
    pub message: String,
    pub reason: String,
}

impl Ear {
    pub fn dispatch(&self) -> Dispatch {
        Dispatch::new(Registry::default().with(self.clone()))
    }

    pub fn heard(&self) -> Vec<Warning> {
        self.0.lock().unwrap().clone()
    }
}

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut warning = Warning::default();
        event.record(&mut warning);
        if *event.metadata().level() <= Level::WARN && warning.message != "run ended" {
            self.0.lock().unwrap().push(warning);
        }
    }
}

impl Visit for Warning {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "reason" | "error" | "refusal" => self.reason = format!("{value:?}"),
            _ => {}
        }
    }
}
