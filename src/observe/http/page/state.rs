//! How a query stands, in a word, a sign and a colour; the colour is never all that tells it.

use maud::{Markup, html};

use crate::standing::Standing;
use crate::store::Status;

/// From what wants a person to what wants nobody: the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Late,
    Held,
    Waits,
    Failing,
    New,
    OnTime,
    Removed,
}

impl State {
    pub fn of(standing: &Standing) -> Self {
        match standing {
            Standing { configured: false, .. } => Self::Removed,
            Standing { late: true, .. } => Self::Late,
            Standing { held: Some(_), .. } => Self::Held,
            Standing { waits: Some(_), .. } => Self::Waits,
            standing if standing.failures_in_a_row() > 0 => Self::Failing,
            Standing { last_success_at: None, .. } => Self::New,
            _ => Self::OnTime,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Late => "Late",
            Self::Held => "Held",
            Self::Waits => "Waits",
            Self::Failing => "Failing",
            Self::New => "No success yet",
            Self::OnTime => "On time",
            Self::Removed => "Removed",
        }
    }

    fn look(self) -> (&'static str, &'static str) {
        match self {
            Self::Late => ("bad", "✕"),
            Self::Held | Self::Waits => ("warn", "‖"),
            Self::Failing => ("warn", "!"),
            Self::New => ("quiet", "…"),
            Self::OnTime => ("good", "✓"),
            Self::Removed => ("quiet", "–"),
        }
    }

    pub fn badge(self) -> Markup {
        let (class, sign) = self.look();
        badge(class, sign, self.words())
    }
}

/// How a run ended, as the table `runs` has it.
pub fn of_run(status: &str) -> Markup {
    let (class, sign) = match status {
        status if status == Status::Succeeded.as_str() => ("good", "✓"),
        status if status == Status::Running.as_str() => ("quiet", "…"),
        status if status == Status::Failed.as_str() => ("bad", "✕"),
        status if status == Status::Held.as_str() => ("warn", "‖"),
        _ => ("warn", "!"),
    };
    badge(class, sign, status)
}

/// A word with a sign, in the colour of its class.
pub fn badge(class: &str, sign: &str, words: &str) -> Markup {
    html! { span class={ "badge " (class) } { span aria-hidden="true" { (sign) } " " (words) } }
}
