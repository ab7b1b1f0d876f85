//! Who leaves: members that a complete listing lacked, each asked for before it goes.

use std::collections::HashSet;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::RunError;
use super::batch::Seen;
use super::guard::Guard;
use super::leaving::Leaving;
use super::storing::Storing;
use crate::config::settings::Api;
use crate::listing::{self, Listed, Plan, Read, id_of};
use crate::organization::BusinessId;
use crate::store::{Departures, Member};
use crate::vainu::{Client, Kind, Selection};

/// Ids in one question, at least.
const ASKED_AT_LEAST: usize = 3;

/// What is to become of the members that a listing lacked.
#[derive(Debug)]
pub enum Verdict {
    Leave(Departures),
    /// So many would leave.
    Held(u64),
}

/// What the departures of one run are decided by.
pub struct Inquiry<'a> {
    pub client: &'a Client,
    pub api: &'a Api,
    pub stop: &'a CancellationToken,
    pub selection: &'a Selection,
    pub listed: &'a Listed,
    pub expected: Option<u64>,
    /// The listing is older than the count: an export that an earlier run submitted.
    pub is_outdated: bool,
    pub guard: Guard,
}

/// The answer to one question.
enum Answer {
    /// These of the asked came back.
    Back(HashSet<BusinessId>),
    /// A row of the answer was set aside: it proves nothing.
    Unclear,
    /// The API does not honour the question.
    NotHonoured,
}

impl Inquiry<'_> {
    /// Decides who of the members leaves. Whoever comes back is stored.
    ///
    /// # Errors
    /// If the API or the store can't be had.
    pub async fn decide(&self, storing: &mut Storing<'_>) -> Result<Verdict, RunError> {
        if distinct(storing) == 0 && self.guard.holds_emptiness() {
            storing.numbers.candidates = self.guard.members;
            return Ok(Verdict::Held(self.guard.members));
        }
        let mut candidates = candidates(storing).await?;
        storing.numbers.candidates = candidates.len() as u64;
        if candidates.is_empty() {
            return Ok(Verdict::Leave(Departures::default()));
        }
        let (gone, missing) = if let Some(gone) = self.ask(&candidates, storing).await? {
            (gone, Vec::new())
        } else {
            candidates.retain(|member| is_lacking(member, &storing.seen));
            self.judge_unasked(candidates, storing)
        };
        if self.guard.holds_departures(gone.len() as u64) {
            return Ok(Verdict::Held(gone.len() as u64));
        }
        let mut departures = leave(&gone, storing).await?;
        departures.missing = newly_missing(&missing);
        Ok(Verdict::Leave(departures))
    }

    /// Asks for the candidates; those that did not come back. `None` if they can't be asked for. Ends early
    /// once more are gone than the guard lets through, unless some were accepted.
    async fn ask(
        &self,
        candidates: &[Member],
        storing: &mut Storing<'_>,
    ) -> Result<Option<Vec<Member>>, RunError> {
        let Some(witnesses) = self.witnesses() else { return Ok(None) };
        let size = self.listed.first_page.max(ASKED_AT_LEAST) - witnesses.len();
        let mut gone = Vec::new();
        for batch in candidates.chunks(size) {
            match self.question(batch, &witnesses, storing).await? {
                Answer::NotHonoured => return Ok(None),
                Answer::Back(back) => gone.extend(lacking(batch, &back)),
                Answer::Unclear => {
                    let Some(one_by_one) = self.one_by_one(batch, &witnesses, storing).await? else {
                        return Ok(None);
                    };
                    gone.extend(one_by_one);
                }
            }
            let accepted = self.guard.accepted_departures.is_some();
            if !accepted && self.guard.holds_departures(gone.len() as u64) {
                break;
            }
        }
        Ok(Some(gone))
    }

    /// Asks for each candidate alone; one whose answer stays unclear stays a member.
    async fn one_by_one(
        &self,
        batch: &[Member],
        witnesses: &[BusinessId],
        storing: &mut Storing<'_>,
    ) -> Result<Option<Vec<Member>>, RunError> {
        let mut gone = Vec::new();
        for candidate in batch.chunks(1) {
            match self.question(candidate, witnesses, storing).await? {
                Answer::NotHonoured => return Ok(None),
                Answer::Unclear => {
                    storing.seen.rejected.extend(candidate.iter().map(|member| member.business_id.clone()));
                }
                Answer::Back(back) => gone.extend(lacking(candidate, &back)),
            }
        }
        Ok(Some(gone))
    }

    /// The first and the last id of the listing: an answer without them is not an answer.
    fn witnesses(&self) -> Option<Vec<BusinessId>> {
        let (first, last) = (self.listed.first_id.clone()?, self.listed.last_id.clone()?);
        Some(if first == last { vec![first] } else { vec![first, last] })
    }

    async fn question(
        &self,
        batch: &[Member],
        witnesses: &[BusinessId],
        storing: &mut Storing<'_>,
    ) -> Result<Answer, RunError> {
        let asked: Vec<BusinessId> =
            batch.iter().filter_map(|member| BusinessId::new(member.business_id.clone()).ok()).collect();
        // Witnesses stand at both ends: a server that heeds only so many ids loses the last one.
        let (last, first) =
            witnesses.split_last().map_or((None, witnesses), |(last, first)| (Some(last), first));
        let ids: Vec<BusinessId> = first.iter().chain(&asked).chain(last).cloned().collect();
        let Some(narrowed) = self.selection.only(&ids) else { return Ok(Answer::NotHonoured) };
        let Some(rows) = self.rows(&narrowed, ids.len() as u64, storing).await? else {
            return Ok(Answer::NotHonoured);
        };
        let back: HashSet<BusinessId> = rows.iter().filter_map(id_of).cloned().collect();
        let asked: HashSet<&BusinessId> = ids.iter().collect();
        if !back.iter().all(|id| asked.contains(id)) {
            warn!("the API does not narrow a query by `?IN` on business_id: departures can't be asked for");
            return Ok(Answer::NotHonoured);
        }
        if rows.iter().any(Result::is_err) {
            return Ok(Answer::Unclear);
        }
        if !witnesses.iter().all(|id| back.contains(id)) {
            warn!("the API did not give back what it had listed: departures can't be asked for");
            return Ok(Answer::NotHonoured);
        }
        let news = rows.into_iter().filter(|row| id_of(row).is_some_and(|id| !witnesses.contains(id)));
        storing.batch(news.collect()).await?;
        Ok(Answer::Back(back))
    }

    /// The whole answer; `None` if the API refuses the question or its end is not proved.
    async fn rows(
        &self,
        narrowed: &Selection,
        asked: u64,
        storing: &Storing<'_>,
    ) -> Result<Option<Vec<Read>>, RunError> {
        let plan =
            Plan { page_size: self.api.page_size, expected: None, last_rows: Some(asked), concurrency: 1 };
        let mut rows = Vec::new();
        let reading = listing::read(self.client, narrowed, plan, &mut rows, storing.meter);
        match self.stop.run_until_cancelled(reading).await.ok_or(RunError::Stopped)? {
            Ok(Listed { end: Ok(()), .. }) => Ok(Some(rows)),
            Ok(Listed { end: Err(reason), .. }) => {
                warn!(%reason, "departures can't be asked for");
                Ok(None)
            }
            Err(error) if error.kind() == Kind::Refused => {
                warn!(%error, "departures can't be asked for");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Who leaves where nobody can be asked for: those that a second complete listing lacks too, or all
    /// where the count says that nothing else is there. The others wait.
    fn judge_unasked(&self, candidates: Vec<Member>, storing: &Storing<'_>) -> (Vec<Member>, Vec<Member>) {
        if storing.seen.rejected_without_id > 0 {
            info!(candidates = candidates.len(), "nobody leaves while rows without an id might be anyone");
            return (Vec::new(), Vec::new());
        }
        if self.is_outdated {
            info!(candidates = candidates.len(), "nobody leaves unasked by a listing from before this run");
            return (Vec::new(), candidates);
        }
        if self.expected.is_some_and(|expected| distinct(storing) >= expected) {
            return (candidates, Vec::new());
        }
        candidates.into_iter().partition(|member| member.missing_since.is_some())
    }
}

async fn leave(gone: &[Member], storing: &mut Storing<'_>) -> Result<Departures, RunError> {
    let now = storing.now();
    let Storing { query, standing, store, .. } = storing;
    let leaving = Leaving { query: *query, keys: &standing.keys, quiet: &standing.quiet, now: &now };
    Ok(leaving.plan(gone, store).await?)
}

fn newly_missing(missing: &[Member]) -> Vec<i64> {
    let new = missing.iter().filter(|member| member.missing_since.is_none());
    new.map(|member| member.organization).collect()
}

/// The organizations that the listing held and that could be stored.
fn distinct(storing: &Storing<'_>) -> u64 {
    storing.numbers.created + storing.numbers.updated + storing.numbers.unchanged
}

/// The members that the listing lacked.
async fn candidates(storing: &mut Storing<'_>) -> Result<Vec<Member>, RunError> {
    let Storing { query, store, seen, .. } = storing;
    // Whoever was seen is a member by now, so that equal numbers leave nobody over.
    if store.count_members(*query).await? == seen.organizations.len() {
        return Ok(Vec::new());
    }
    let mut unseen = store.members(*query, |number| !seen.organizations.contains(number)).await?;
    unseen.retain(|member| is_lacking(member, seen));
    Ok(unseen)
}

fn is_lacking(member: &Member, seen: &Seen) -> bool {
    !seen.organizations.contains(member.organization.unsigned_abs())
        && !seen.rejected.contains(member.business_id.as_str())
}

fn lacking(asked: &[Member], back: &HashSet<BusinessId>) -> Vec<Member> {
    let back: HashSet<&str> = back.iter().map(BusinessId::as_str).collect();
    asked.iter().filter(|member| !back.contains(member.business_id.as_str())).cloned().collect()
}
