//! Reading a listing page by page, one after another.

use jiff::Timestamp;
use tracing::{debug, warn};

use super::joints::{Broken, Joints, Next};
use super::rows::{self, Read};
use crate::organization::{BusinessId, Row};
use crate::vainu::{self, Client, Meter, Page, PageRequest, Selection};

/// The limit that is asked for where the server refuses the configured one.
const CAUTIOUS_LIMIT: u32 = 100;

/// How a listing is read.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Rows asked for a page.
    pub page_size: u32,
    /// A fresh count.
    pub expected: Option<u64>,
    /// Rows of the last complete listing: bounds the reading where there is no count.
    pub last_rows: Option<u64>,
}

/// What a listing told beside its rows.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Rows handed on: distinct, repeated and set aside.
    pub rows: u64,
    /// Whether the end was proved, and why not.
    pub end: Result<(), Broken>,
    /// The server's time at its first answer.
    pub first_answer: Option<Timestamp>,
    /// Rows of the first page.
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

/// Reads the listing of `selection` to its end and hands its rows to `sink`.
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
    let mut reading = Reading::new(client, selection, plan, meter);
    let mut page = reading.first().await?;
    loop {
        let (fresh, next) = reading.take(&page);
        if !sink.take(fresh).await {
            break;
        }
        page = match next {
            Next::Page { offset } => reading.page(offset).await?,
            Next::SecondLook => reading.second_look().await?,
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

struct Reading<'a> {
    client: &'a Client,
    selection: &'a Selection,
    meter: &'a Meter,
    joints: Joints<rows::Mark>,
    limit: u32,
    ordered: bool,
    offset: u64,
    listed: Listed,
}

impl<'a> Reading<'a> {
    fn new(client: &'a Client, selection: &'a Selection, plan: Plan, meter: &'a Meter) -> Self {
        Self {
            client,
            selection,
            meter,
            joints: Joints::new(plan.expected, plan.expected.or(plan.last_rows)),
            limit: plan.page_size,
            ordered: true,
            offset: 0,
            listed: Listed {
                rows: 0,
                end: Ok(()),
                first_answer: None,
                first_page: 0,
                first_id: None,
                last_id: None,
            },
        }
    }

    /// The first page. A server that refuses it is asked with a small limit, then without an order.
    async fn first(&mut self) -> Result<Page, vainu::Error> {
        loop {
            let refusal = match self.page(0).await {
                Err(error @ vainu::Error::Refused { status: 400, .. }) => error,
                answer => {
                    let page = answer?;
                    self.listed.first_answer = page.date();
                    return Ok(page);
                }
            };
            if self.limit > CAUTIOUS_LIMIT {
                warn!(%refusal, limit = self.limit, "the API refused the first page: asking for fewer rows");
                self.limit = CAUTIOUS_LIMIT;
            } else if self.ordered {
                warn!(%refusal, "the API refused the first page: asking without an order");
                self.ordered = false;
            } else {
                return Err(refusal);
            }
        }
    }

    async fn page(&mut self, offset: u64) -> Result<Page, vainu::Error> {
        self.offset = offset;
        self.ask(self.limit).await
    }

    async fn second_look(&self) -> Result<Page, vainu::Error> {
        self.ask(if self.limit > 2 { self.limit - 1 } else { self.limit + 1 }).await
    }

    async fn ask(&self, limit: u32) -> Result<Page, vainu::Error> {
        let request =
            PageRequest { selection: self.selection, limit, offset: self.offset, ordered: self.ordered };
        self.client.organizations(&request, self.meter).await
    }

    fn take(&mut self, page: &Page) -> (Vec<Read>, Next) {
        let rows: Vec<Read> = page.rows().map(Row::parse).collect();
        let marks: Vec<_> = rows.iter().map(rows::mark).collect();
        let taken = self.joints.take(&marks);
        debug!(offset = self.offset, rows = rows.len(), fresh = taken.fresh.len(), next = ?taken.next, "page");
        self.listed.rows += taken.fresh.len() as u64;
        let fresh: Vec<Read> = pick(rows, &taken.fresh);
        self.note_ids(&fresh);
        (fresh, taken.next)
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

fn stored_id(row: &Read) -> Option<BusinessId> {
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
