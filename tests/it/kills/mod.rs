//! The process killed at random moments: the store is as it was after some commit, nothing is logged twice, and
//! the next run makes it equal to the listing.
//!
//! `VAINU_SYNC_KILLS=1000 cargo test --test it kills -- --nocapture` kills more often than the 100 of a plain
//! run. How many kills met each phase at work is printed, and has to be some of each. The seed is printed too;
//! `VAINU_SYNC_KILLS_SEED` gives one again, though not the same moments.

mod exports;
mod pages;
mod striker;
mod upkeep;

use std::collections::BTreeMap;

use self::striker::{Phase, Striker};

/// How many kills are asked for; else `plain`.
pub fn wanted(plain: u32) -> u32 {
    std::env::var("VAINU_SYNC_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(plain)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_the_store_stays_true() {
    let kills = wanted(100);
    let mut striker = Striker::new();
    let pages = pages::Stage::start().await;
    let exports = exports::Stage::start().await;
    let upkeep = upkeep::Stage::start().await;
    while striker.kills() < kills {
        pages.round(&mut striker).await;
        exports.round(&mut striker).await;
        upkeep.round(&mut striker).await;
    }
    println!("{} kills at work: {}", striker.kills(), striker.summary());
    let hits: BTreeMap<Phase, u32> = striker.hits();
    for phase in Phase::ALL {
        let hits = hits.get(&phase).copied().unwrap_or(0);
        assert!(hits >= kills / 100, "{phase:?} was met by {hits} kills of {kills}");
    }
}
