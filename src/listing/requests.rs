//! The requests of one listing that are under way. Dropped, they end.

use std::collections::HashMap;
use std::pin::pin;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tracing::warn;

use super::ahead::Step;
use crate::vainu::{self, Client, Meter, Page, PageRequest, Selection};

/// The limit that is asked for where the server refuses the configured one.
const CAUTIOUS_LIMIT: u32 = 100;

type Answer = Result<Page, vainu::Error>;

/// How one page is asked for.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    pub client: &'a Client,
    pub selection: &'a Selection,
    pub meter: &'a Meter,
    /// Rows asked for.
    pub limit: u32,
    pub ordered: bool,
}

impl Asking<'_> {
    /// The first page. A server that refuses it is asked with a small limit, then without an order; what it
    /// took is asked from then on.
    pub async fn first(&mut self) -> Answer {
        loop {
            let refusal = match self.page(0).await {
                Err(error @ vainu::Error::Refused { status: 400, .. }) => error,
                answer => return answer,
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

    async fn page(self, offset: u64) -> Answer {
        let Self { client, selection, meter, limit, ordered } = self;
        client.organizations(&PageRequest { selection, limit, offset, ordered }, meter).await
    }

    /// The page at `offset` with another limit.
    pub async fn second_look(self, offset: u64) -> Answer {
        let limit = if self.limit > 2 { self.limit - 1 } else { self.limit + 1 };
        Self { limit, ..self }.page(offset).await
    }
}

/// Pages that are being asked for, and those that have come before their turn.
pub struct Requests<'a> {
    asking: Asking<'a>,
    under_way: FuturesUnordered<BoxFuture<'a, (u64, Answer)>>,
    early: HashMap<u64, Answer>,
}

impl<'a> Requests<'a> {
    pub fn new(asking: Asking<'a>) -> Self {
        Self { asking, under_way: FuturesUnordered::new(), early: HashMap::new() }
    }

    pub fn follow(&mut self, step: &Step) {
        if step.given_up > 0 {
            self.give_up();
        }
        for offset in step.ask.iter().copied() {
            let page = self.asking.page(offset);
            self.under_way.push(Box::pin(async move { (offset, page.await) }));
        }
    }

    /// Ends what is under way and forgets what came early, failures too.
    pub fn give_up(&mut self) {
        self.under_way.clear();
        self.early.clear();
    }

    /// The page at `offset`, whose turn it is.
    pub async fn page(&mut self, offset: u64) -> Answer {
        loop {
            if let Some(answer) = self.early.remove(&offset) {
                return answer;
            }
            match self.under_way.next().await {
                Some((came, answer)) => {
                    self.early.insert(came, answer);
                }
                None => return self.asking.page(offset).await,
            }
        }
    }

    /// Waits for `other`, while the requests go on: one that nobody polls holds its place at the API.
    pub async fn beside<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        loop {
            tokio::select! {
                biased;
                done = &mut other => return done,
                Some((came, answer)) = self.under_way.next() => {
                    self.early.insert(came, answer);
                }
            }
        }
    }
}
