//! How a run of a world that stands still may end, by the rules alone.

use vainu_sync::store::Status;

use super::account::{Account, Count};
use super::model::Model;
use super::ran::Ran;

/// The fewest departures and arrivals that are ever held.
const DEPARTURES: usize = 10;
const ARRIVALS: usize = 100;

const ANY: [Status; 4] = [Status::Succeeded, Status::Incomplete, Status::Held, Status::Failed];

pub struct Oracle<'a> {
    pub model: &'a Model,
    pub ran: &'a Ran,
}

impl Oracle<'_> {
    /// The statuses that the run may have.
    pub fn statuses(&self) -> Vec<Status> {
        if self.was_accepted() || self.ran.may_be_outdated() || self.resumes_some_export() {
            return ANY.to_vec();
        }
        let rows = self.model.count(self.ran.query);
        let counted = self.account().count.of(rows);
        if counted.is_some_and(|counted| self.holds_count(counted)) {
            return vec![Status::Held];
        }
        let asked = &self.model.asked[self.ran.query];
        if self.account().gated.is_some_and(|gated| asked.fields.contains(&gated)) {
            return vec![Status::Failed];
        }
        match (self.ran.is_full(), self.ran.line.fetch.as_str()) {
            (true, "pages") => self.by_pages(rows, counted),
            (true, _) => self.by_export(rows, counted),
            (false, "pages") => self.changed_by_pages(),
            (false, _) => self.changed_by_export(),
        }
    }

    /// Whether a full run of the same definition has succeeded before.
    pub fn is_proved(&self) -> bool {
        self.ran.before.definition.as_ref() == Some(&self.ran.definition)
    }

    /// Whether a person let something through.
    pub fn was_accepted(&self) -> bool {
        self.ran.before.held.as_ref().is_some_and(|held| {
            self.ran.order.accept || held.contains("\"accepted\":true") || held.contains("\"before\"")
        })
    }

    fn resumes_some_export(&self) -> bool {
        self.ran.before.export.is_some() && self.ran.report.status == Status::Failed
    }

    fn account(&self) -> &Account {
        &self.model.account
    }

    fn holds_count(&self, counted: usize) -> bool {
        let members = self.ran.before.members.0;
        let arrivals = counted.saturating_sub(members);
        let (_, percent) = self.model.asked[self.ran.query].limits();
        self.is_proved() && arrivals >= ARRIVALS && arrivals * 100 > members * percent
    }

    fn by_pages(&self, rows: usize, counted: Option<usize>) -> Vec<Status> {
        let paging = &self.account().paging;
        if paging.is_unstable() {
            return vec![Status::Succeeded, Status::Incomplete, Status::Held];
        }
        let is_proved = match rows {
            0 => matches!(counted, None | Some(0)),
            1 => matches!(counted, None | Some(1)),
            _ => true,
        };
        let mut statuses =
            if is_proved && enough(rows, counted) { self.departing() } else { vec![Status::Incomplete] };
        if paging.short_every.is_some() && self.account().count.is_too_low() {
            // It takes far more pages than were foretold.
            statuses.push(Status::Incomplete);
        }
        statuses
    }

    fn by_export(&self, rows: usize, counted: Option<usize>) -> Vec<Status> {
        if self.account().export.end != "completed" {
            return vec![Status::Failed];
        }
        let given = self.account().export.cap.map_or(rows, |cap| rows.min(cap as usize));
        if counted.is_some() && enough(given, counted) { self.departing() } else { vec![Status::Incomplete] }
    }

    fn departing(&self) -> Vec<Status> {
        let is_empty = self.model.selected(self.ran.query, &self.model.world).next().is_none();
        let members = self.ran.before.members.0;
        if self.is_proved() && is_empty && members > 0 {
            return vec![Status::Held];
        }
        let may_be_held = self.is_proved()
            && self.model.asked[self.ran.query].guarded
            && self.ran.report.numbers.candidates >= DEPARTURES as u64;
        if may_be_held { vec![Status::Succeeded, Status::Held] } else { vec![Status::Succeeded] }
    }

    fn changed_by_pages(&self) -> Vec<Status> {
        let paging = &self.account().paging;
        let may_be_long = paging.short_every.is_some() && self.account().count.is_too_low();
        if paging.is_unstable() || may_be_long {
            return vec![Status::Succeeded, Status::Incomplete];
        }
        vec![Status::Succeeded]
    }

    fn changed_by_export(&self) -> Vec<Status> {
        if self.account().export.end != "completed" {
            return vec![Status::Failed];
        }
        match self.account().count {
            Count::Error | Count::Never | Count::Refused => vec![Status::Incomplete],
            Count::Off(by) if by > 0 => vec![Status::Incomplete],
            _ if self.account().export.cap.is_some() => vec![Status::Succeeded, Status::Incomplete],
            _ => vec![Status::Succeeded],
        }
    }

    /// Whether so many members may leave at once without a person's word.
    pub fn lets_leave(&self, left: usize) -> bool {
        let (percent, _) = self.model.asked[self.ran.query].limits();
        !self.is_proved()
            || self.was_accepted()
            || left < DEPARTURES
            || left * 100 <= percent * self.ran.before.members.0
    }
}

fn enough(rows: usize, counted: Option<usize>) -> bool {
    counted.is_none_or(|counted| rows * 100 >= counted * 99)
}
