//! Reading a listing in pages: several are under way at once, and they are taken one after another.

use jiff::Timestamp;
use tracing::debug;

use super::ahead::Ahead;
use super::joints::{Broken, Joints, Next, Taken};
use super::requests::{Asking, Requests};
use super::rows::{self, Read};
use super::way::Way;
use crate::organization::BusinessId;
use crate::vainu::{self, Client, Meter, Page, Selection};

/// How a listing is read.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Rows asked for a page.
    pub page_size: u32,
    /// A fresh count.
    pub expected: Option<u64>,
    /// Rows of the last complete listing: bounds the reading where there is no count.
    pub last_rows: Option<u64>,
    /// Pages under way or waiting for their turn at once, at most.
    pub concurrency: u32,
}

/// What a listing told beside its rows.
#[derive(Debug, Clone)]
pub struct Listed {
    pub by: Way,
    /// Rows handed on: distinct, repeated and set aside.
    pub rows: u64,
    /// Whether the end was proved, and why not.
    pub end: Result<(), Broken>,
    /// The server's time at its first answer.
    pub first_answer: Option<Timestamp>,
    /// Rows of the first page: so many are asked for at once.
    pub first_page: usize,
    pub first_id: Option<BusinessId>,
    pub last_id: Option<BusinessId>,
}

/// Takes the rows of a listing, page by page.
pub trait Sink {
    /// Takes the new rows of one page; false ends the reading.
    fn take(&mut self, rows: Vec<Read>) -> impl Future<Output = bool> + Send;
}

impl Sink for Vec<Read> {
    async fn take(&mut self, rows: Vec<Read>) -> bool {
        self.extend(rows);
        true
    }
}

impl Sink for tokio::sync::mpsc::Sender<Vec<Read>> {
    async fn take(&mut self, rows: Vec<Read>) -> bool {
        self.send(rows).await.is_ok()
    }
}

/// Reads the listing of `selection` to its end and hands its rows to `sink`. Dropped, it ends its requests.
///
/// # Errors
/// What the API refused, or could not be had of it.
pub async fn read<S: Sink>(
    client: &Client,
    selection: &Selection,
    plan: Plan,
    sink: &mut S,
    meter: &Meter,
) -> Result<Listed, vainu::Error> {
    let mut asking = Asking { client, selection, meter, limit: plan.page_size, ordered: true };
    let mut page = asking.first().await?;
    let mut reading = Reading::new(plan, asking.ordered, page.date);
    let mut requests = Requests::new(asking);
    loop {
        let (fresh, next) = reading.take(page, &mut requests);
        if !requests.beside(sink.take(fresh)).await {
            break;
        }
        page = match next {
            Next::Page { offset } => requests.page(offset).await?,
            Next::SecondLook => asking.second_look(reading.offset).await?,
            Next::End => break,
            Next::Broken(reason) => {
                reading.listed.end = Err(reason);
                break;
            }
        };
    }
    reading.listed.first_page = reading.joints.first_page();
    Ok(reading.listed)
}

struct Reading {
    joints: Joints<rows::Mark>,
    ahead: Ahead,
    /// Where the page starts whose turn it is.
    offset: u64,
    listed: Listed,
}

impl Reading {
    fn new(plan: Plan, ordered: bool, first_answer: Option<Timestamp>) -> Self {
        let foretold = plan.expected.or(plan.last_rows);
        Self {
            joints: Joints::new(plan.expected, foretold),
            // Without an order each page might come in another one.
            ahead: Ahead::new(if ordered { plan.concurrency } else { 1 }, foretold),
            offset: 0,
            listed: Listed {
                by: Way::Pages,
                rows: 0,
                end: Ok(()),
                first_answer,
                first_page: 0,
                first_id: None,
                last_id: None,
            },
        }
    }

    /// Takes the page whose turn it is, and sees to it that the next ones are asked for.
    fn take(&mut self, page: Page, requests: &mut Requests<'_>) -> (Vec<Read>, Next) {
        let rows = page.rows;
        let marks: Vec<_> = rows.iter().map(rows::mark).collect();
        let Taken { fresh, next } = self.joints.take(&marks);
        debug!(offset = self.offset, rows = rows.len(), fresh = fresh.len(), ?next, "page");
        if let Next::Page { offset } = next {
            let step = self.ahead.follow(rows.len(), !fresh.is_empty(), offset, self.joints.left());
            self.joints.give_up(step.given_up);
            requests.follow(&step);
            self.offset = offset;
        } else {
            requests.give_up();
        }
        self.listed.rows += fresh.len() as u64;
        let fresh: Vec<Read> = pick(rows, &fresh);
        self.note_ids(&fresh);
        (fresh, next)
    }

    fn note_ids(&mut self, fresh: &[Read]) {
        if self.listed.first_id.is_none() {
            self.listed.first_id = fresh.iter().find_map(stored_id);
        }
        if let Some(last) = fresh.iter().rev().find_map(stored_id) {
            self.listed.last_id = Some(last);
        }
    }
}

pub(super) fn stored_id(row: &Read) -> Option<BusinessId> {
    row.as_ref().ok().map(|row| row.id().clone())
}

fn pick(rows: Vec<Read>, wanted: &[usize]) -> Vec<Read> {
    let mut wanted = wanted.iter().copied().peekable();
    rows.into_iter()
        .enumerate()
        .filter(|(index, _)| wanted.next_if_eq(index).is_some())
        .map(|(_, row)| row)
        .collect()
}
