//! What can happen.

use proptest::prelude::*;
use vainu_sync::sandbox::Endpoint;

use super::account::{Account, account};
use super::asked::{Asked, edited};
use super::world::{Company, Key, company, key};

#[derive(Debug, Clone)]
pub enum Step {
    Put(Key, Company),
    Remove(Key),
    /// `modifications` changes alone.
    Touch(Key),
    /// Many come at once.
    Flood(Company),
    /// Many go at once: all but every third.
    Thin(u8),
    Repeat(Key),
    Break(u8),
    /// The API behaves otherwise from now on.
    Account(Box<Account>),
    /// A query is edited.
    Edit(usize, Box<Asked>),
    /// A query is edited back to what it was.
    Undo(usize),
    /// A query is taken out of the configuration, or put in again.
    Toggle(usize),
    /// So many hours pass.
    Wait(u64),
    Sync(How),
    /// The world changes while it is read: at this request.
    SyncWhileChanging {
        at: (Endpoint, u64),
        change: (Key, Option<Company>),
    },
    /// From this request on the API is down.
    SyncWithoutApi {
        after: u64,
    },
    /// Two processes want the store at once, and a third one reads it all the while.
    SyncTogether,
    /// `sync --dry-run`, and then the same for good.
    Rehearse,
    /// The process dies after so many polls.
    Crash {
        after: u64,
    },
    /// It is told to stop after so many polls.
    Signal {
        after: u64,
    },
    /// A query is taken out and forgotten, by a process that dies after so many polls, and put in again.
    Prune {
        query: usize,
        after: u64,
    },
    /// A query is renamed, and back.
    Rename(usize),
    /// What is old is let go, by a process that dies after so many polls.
    LetGo {
        after: u64,
    },
    /// The API tells the truth and gives all: after some runs the store has to equal the world.
    Settle,
}

/// How a sync is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How {
    pub full: bool,
    pub accept: bool,
}

pub fn step() -> BoxedStrategy<Step> {
    prop_oneof![20 => world(), 12 => surroundings(), 18 => syncs(), 12 => ends(), 3 => Just(Step::Settle)]
        .boxed()
}

fn world() -> BoxedStrategy<Step> {
    prop_oneof![
        6 => (key(), company()).prop_map(|(key, company)| Step::Put(key, company)),
        5 => key().prop_map(Step::Remove),
        2 => key().prop_map(Step::Touch),
        1 => company().prop_map(Step::Flood),
        2 => (0..3_u8).prop_map(Step::Thin),
        1 => key().prop_map(Step::Repeat),
        1 => (0..3_u8).prop_map(Step::Break),
    ]
    .boxed()
}

fn surroundings() -> BoxedStrategy<Step> {
    prop_oneof![
        3 => account().prop_map(|account| Step::Account(Box::new(account))),
        3 => (0..2_usize, edited()).prop_map(|(query, asked)| Step::Edit(query, Box::new(asked))),
        2 => (0..2_usize).prop_map(Step::Undo),
        1 => (0..2_usize).prop_map(Step::Toggle),
        3 => (1..48_u64).prop_map(Step::Wait),
        1 => (48..400_u64).prop_map(Step::Wait),
    ]
    .boxed()
}

fn syncs() -> BoxedStrategy<Step> {
    let one_in_five = || prop_oneof![4 => Just(false), 1 => Just(true)];
    let how = (one_in_five(), one_in_five()).prop_map(|(full, accept)| How { full, accept });
    let endpoint = prop_oneof![
        6 => Just(Endpoint::Organizations),
        1 => Just(Endpoint::Count),
        1 => Just(Endpoint::ExportSubmit),
        1 => Just(Endpoint::ExportPoll),
        1 => Just(Endpoint::Download),
    ];
    let change = (key(), proptest::option::of(company()));
    prop_oneof![
        8 => how.prop_map(Step::Sync),
        5 => (endpoint, 1..8_u64, change)
            .prop_map(|(endpoint, nth, change)| Step::SyncWhileChanging { at: (endpoint, nth), change }),
        2 => (0..10_u64).prop_map(|after| Step::SyncWithoutApi { after }),
        1 => Just(Step::SyncTogether),
        2 => Just(Step::Rehearse),
    ]
    .boxed()
}

fn ends() -> BoxedStrategy<Step> {
    prop_oneof![
        5 => (1..250_u64).prop_map(|after| Step::Crash { after }),
        2 => (1..250_u64).prop_map(|after| Step::Signal { after }),
        2 => (0..2_usize, 1..100_u64).prop_map(|(query, after)| Step::Prune { query, after }),
        1 => (0..2_usize).prop_map(Step::Rename),
        2 => (1..60_u64).prop_map(|after| Step::LetGo { after }),
    ]
    .boxed()
}
