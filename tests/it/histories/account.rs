//! How this account's API behaves: every switch of the sandbox that a listing or a departure could feel.

use std::num::NonZeroU32;
use std::time::Duration;

use proptest::prelude::*;
use vainu_sync::config::settings::Fetch;
use vainu_sync::sandbox::{
    AboveCap, Absent, Control, Endpoint, ExpiresIn, Fault, InFilters, Order, Rotation, Shape, Switches,
};

use super::asked::Field;

#[derive(Debug, Clone)]
pub struct Account {
    pub paging: Paging,
    pub look: Look,
    pub in_filters: InFilters,
    pub count: Count,
    pub zero_age_restarts: bool,
    pub export: Export,
    pub tokens: Tokens,
    /// A field that the account is not entitled to.
    pub gated: Option<Field>,
    /// What the configuration says of every query.
    pub fetch: Fetch,
}

#[derive(Debug, Clone)]
pub struct Paging {
    /// 100 is refused above, and asked for more; others cap without a word.
    pub cap: u32,
    pub short_every: Option<u32>,
    pub order: Order,
    /// Without an order rows come in another one each time.
    pub unstable: bool,
    /// The order in which rows come that are not ordered.
    pub shuffle: u8,
}

impl Paging {
    /// Whether two requests may see two orders.
    pub fn is_unstable(&self) -> bool {
        self.unstable && self.order != Order::Honoured
    }

    pub fn is_refused(&self) -> bool {
        self.cap == 100
    }

    /// `api.page_size`
    pub fn page_size(&self) -> u32 {
        if self.is_refused() { 500 } else { 20 }
    }
}

#[derive(Debug, Clone)]
pub struct Look {
    pub shape: Shape,
    pub next: bool,
    pub drops_nulls: bool,
    /// Answers come in any order.
    pub jitter: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    Honest,
    /// After so many polls.
    Slow(u32),
    /// So many more, or less, than there are.
    Off(i64),
    Error,
    Never,
    Refused,
}

impl Count {
    /// What is said of so many rows.
    pub fn of(self, rows: usize) -> Option<usize> {
        match self {
            Self::Honest | Self::Slow(_) => Some(rows),
            Self::Off(by) => Some(usize::try_from(i64::try_from(rows).unwrap() + by).unwrap_or(0)),
            Self::Error | Self::Never | Self::Refused => None,
        }
    }

    pub fn is_too_low(self) -> bool {
        matches!(self, Self::Off(by) if by < 0)
    }
}

#[derive(Debug, Clone)]
pub struct Export {
    pub end: &'static str,
    pub cap: Option<u32>,
    polls: u32,
    running: &'static str,
    state_key: &'static str,
}

#[derive(Debug, Clone)]
pub struct Tokens {
    rotation: Rotation,
    requests: Option<u32>,
    expires_in: ExpiresIn,
}

impl Account {
    /// Turns the sandbox's switches, and forgets all faults.
    pub fn apply(&self, control: &Control) {
        control.heal();
        if self.count == Count::Refused {
            control.fail_always(Endpoint::Count, Fault::status(400));
        }
        control.switch(|switches| {
            self.turn(switches);
            self.turn_exports(switches);
        });
    }

    fn turn(&self, switches: &mut Switches) {
        let Paging { cap, short_every, order, unstable, .. } = self.paging;
        switches.page_cap = Some(cap);
        switches.above_cap = if self.paging.is_refused() { AboveCap::Refused } else { AboveCap::Capped };
        switches.short_page_every = short_every.and_then(NonZeroU32::new);
        (switches.order, switches.unstable) = (order, unstable);
        (switches.shape, switches.next) = (self.look.shape, self.look.next);
        switches.absent = if self.look.drops_nulls { Absent::Missing } else { Absent::Null };
        switches.jitter = Duration::from_millis(if self.look.jitter { 2 } else { 0 });
        switches.in_filters = self.in_filters;
        switches.gated = self.gated.iter().map(|field| field.key().to_owned()).collect();
        switches.count_offset = if let Count::Off(by) = self.count { by } else { 0 };
        switches.count_polls = match self.count {
            Count::Slow(polls) => polls,
            Count::Never => u32::MAX,
            _ => 0,
        };
        switches.count_end = if self.count == Count::Error { "error" } else { "ready" };
        switches.zero_age_restarts = self.zero_age_restarts;
        switches.rotation = self.tokens.rotation;
        switches.requests_per_token = self.tokens.requests.and_then(NonZeroU32::new);
        switches.expires_in = self.tokens.expires_in.clone();
    }

    fn turn_exports(&self, switches: &mut Switches) {
        let Export { end, cap, polls, running, state_key } = self.export;
        (switches.export_end, switches.export_cap, switches.export_polls) = (end, cap, polls);
        (switches.export_running, switches.export_state_key) = (running, state_key);
    }

    /// The same without lies and failures: whoever asks such a one has to get there.
    pub fn healed(&self) -> Self {
        let mut healed = self.clone();
        healed.count = if let Count::Slow(polls) = self.count { Count::Slow(polls) } else { Count::Honest };
        (healed.export.end, healed.export.cap) = ("completed", None);
        healed.paging.unstable = false;
        healed.gated = None;
        healed
    }

    /// Whether a listing that lacks rows could pass for a whole one: two lies that fit each other, or rows that
    /// change places while they are read.
    pub fn can_deceive(&self) -> bool {
        self.paging.is_unstable() || (self.export.cap.is_some() && self.count.is_too_low())
    }

    /// Whether somebody could leave who is there: only where listings deceive, and nobody can be asked for or the
    /// answers deceive too.
    pub fn can_lose(&self, can_be_asked: bool) -> bool {
        let is_asked = can_be_asked && self.in_filters == InFilters::Honoured;
        self.can_deceive() && (!is_asked || self.paging.is_unstable())
    }
}

pub fn account() -> impl Strategy<Value = Account> {
    let gated =
        prop_oneof![20 => Just(None), 1 => Just(Some(Field::Founded)), 1 => Just(Some(Field::Website))];
    let fetch = prop_oneof![1 => Just(Fetch::Auto), 1 => Just(Fetch::Pages), 1 => Just(Fetch::Export)];
    (paging(), look(), in_filters(), (count(), any::<bool>()), export(), tokens(), gated, fetch).prop_map(
        |(paging, look, in_filters, (count, zero_age_restarts), export, tokens, gated, fetch)| Account {
            paging,
            look,
            in_filters,
            count,
            zero_age_restarts,
            export,
            tokens,
            gated,
            fetch,
        },
    )
}

fn paging() -> impl Strategy<Value = Paging> {
    // Half of a short page of three rows would be the one row that proves an end.
    let cap = prop_oneof![4 => 3..15_u32, 1 => Just(100)];
    let short = prop_oneof![3 => Just(None), 1 => (2..4_u32).prop_map(Some)];
    let order = prop_oneof![3 => Just(Order::Honoured), 1 => Just(Order::Ignored), 1 => Just(Order::Refused)];
    let unstable = prop_oneof![4 => Just(false), 1 => Just(true)];
    (cap, short, order, unstable, any::<u8>()).prop_map(|(cap, short_every, order, unstable, shuffle)| {
        Paging { cap, short_every, order, unstable, shuffle }
    })
}

fn look() -> impl Strategy<Value = Look> {
    let shape = prop_oneof![Just(Shape::Array), Just(Shape::Result), Just(Shape::Results)];
    let jitter = prop_oneof![3 => Just(false), 1 => Just(true)];
    (shape, any::<bool>(), any::<bool>(), jitter).prop_map(|(shape, next, drops_nulls, jitter)| Look {
        shape,
        next,
        drops_nulls,
        jitter,
    })
}

fn in_filters() -> impl Strategy<Value = InFilters> {
    prop_oneof![
        5 => Just(InFilters::Honoured),
        2 => Just(InFilters::Ignored),
        1 => (1..6_usize).prop_map(InFilters::First),
        1 => Just(InFilters::Refused),
    ]
}

fn count() -> impl Strategy<Value = Count> {
    prop_oneof![
        8 => Just(Count::Honest),
        2 => (1..4_u32).prop_map(Count::Slow),
        2 => (-4..0_i64).prop_map(Count::Off),
        1 => Just(Count::Off(-1000)),
        1 => (1..4_i64).prop_map(Count::Off),
        1 => Just(Count::Off(1000)),
        1 => Just(Count::Error),
        1 => Just(Count::Never),
        1 => Just(Count::Refused),
    ]
}

fn export() -> impl Strategy<Value = Export> {
    let bad =
        ["failure", "partial_failure_complete", "partial_failure_incomplete", "stopped", "asleep"].to_vec();
    let end = prop_oneof![4 => Just("completed"), 1 => proptest::sample::select(bad)];
    let cap = prop_oneof![3 => Just(None), 1 => (1..20_u32).prop_map(Some)];
    let running = prop_oneof![Just("process"), Just("processing")];
    let state_key = prop_oneof![Just("state"), Just("status")];
    (end, cap, 0..3_u32, running, state_key).prop_map(|(end, cap, polls, running, state_key)| Export {
        end,
        cap,
        polls,
        running,
        state_key,
    })
}

fn tokens() -> impl Strategy<Value = Tokens> {
    let rotation = prop_oneof![
        2 => Just(Rotation::None),
        1 => Just(Rotation::OldStays),
        1 => Just(Rotation::OldEnds),
    ];
    let requests = prop_oneof![2 => Just(None), 1 => (6..20_u32).prop_map(Some)];
    let expires_in = prop_oneof![
        Just(ExpiresIn::Absent),
        Just(ExpiresIn::Sent),
        Just(ExpiresIn::Verbatim("\"3600\"".to_owned())),
        Just(ExpiresIn::Verbatim("-1".to_owned())),
    ];
    (rotation, requests, expires_in).prop_map(|(rotation, requests, expires_in)| Tokens {
        rotation,
        requests,
        expires_in,
    })
}
