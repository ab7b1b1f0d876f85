use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::joints::{Joints, Next};
use super::*;

fn step(given_up: u64, ask: &[u64]) -> Step {
    Step { given_up, ask: ask.to_vec() }
}

#[test]
fn pages_are_asked_for_up_to_the_foretold_end_and_no_further() {
    let mut ahead = Ahead::new(4, Some(41));
    assert_eq!(ahead.follow(11, true, 10, None), step(0, &[10, 20, 30, 40]));
    assert_eq!(ahead.follow(11, true, 20, None), step(0, &[]));
}

#[test]
fn where_the_end_is_not_foretold_pages_come_one_by_one_more() {
    let mut ahead = Ahead::new(3, None);
    assert_eq!(ahead.follow(11, true, 10, None), step(0, &[10]));
    assert_eq!(ahead.follow(11, true, 20, None), step(0, &[20, 30]));
    assert_eq!(ahead.follow(11, true, 30, None), step(0, &[40, 50]));
    assert_eq!(ahead.follow(11, true, 40, None), step(0, &[60]));
}

#[test]
fn what_is_behind_a_short_page_is_given_up_and_asked_anew() {
    let mut ahead = Ahead::new(3, Some(1000));
    ahead.follow(11, true, 10, None);
    assert_eq!(ahead.follow(6, true, 15, None), step(2, &[15]));
    assert_eq!(ahead.follow(11, true, 25, None), step(0, &[25, 35]));
}

#[test]
fn what_is_behind_a_page_that_brings_nothing_new_is_given_up() {
    let mut ahead = Ahead::new(3, Some(1000));
    ahead.follow(11, true, 10, None);
    assert_eq!(ahead.follow(11, false, 5, None), step(2, &[5]));
    assert_eq!(ahead.follow(11, false, 15, None), step(0, &[15]), "one at a time while it resumes");
    assert_eq!(ahead.follow(11, true, 25, None), step(0, &[25, 35]));
}

#[test]
fn a_listing_that_goes_on_behind_its_foretold_end_is_read_as_one_without() {
    let mut ahead = Ahead::new(4, Some(16));
    assert_eq!(ahead.follow(11, true, 10, None), step(0, &[10, 15]));
    assert_eq!(ahead.follow(11, true, 20, None), step(1, &[20]));
    assert_eq!(ahead.follow(11, true, 30, None), step(0, &[30, 40]));
}

#[test]
fn the_last_pages_that_may_be_asked_for_are_not_asked_for_ahead() {
    let mut ahead = Ahead::new(4, Some(1000));
    assert_eq!(ahead.follow(11, true, 10, Some(3)), step(0, &[10, 20]));
    assert_eq!(ahead.follow(6, true, 15, Some(2)), step(1, &[15]));
    assert_eq!(ahead.follow(6, true, 20, Some(1)), step(0, &[20]));
}

/// A server that cuts pages at `limit` and halves every `short_every`th; 0: none.
#[derive(Debug, Clone, Copy)]
struct Server {
    limit: usize,
    short_every: u64,
    answers: u64,
}

impl Server {
    fn page(&mut self, world: &[u32], offset: u64) -> Vec<u32> {
        self.answers += 1;
        let is_short = self.short_every > 0 && self.answers.is_multiple_of(self.short_every);
        let limit = if is_short { self.limit.div_ceil(2) } else { self.limit };
        world.iter().skip(usize::try_from(offset).unwrap()).take(limit).copied().collect()
    }
}

/// What reading came to.
#[derive(Debug)]
struct Outcome {
    rows: Vec<u32>,
    end: Next,
    asked: u64,
    /// Pages under way or waiting for their turn at once.
    most: usize,
    first_page: usize,
}

/// Reads `world` with `most` pages at once; `arrivals` says whose answer comes next, and `between` may change
/// the world before each answer.
fn read(
    most: u32,
    mut server: Server,
    world: &mut Vec<u32>,
    foretold: (Option<u64>, Option<u64>),
    arrivals: &[u8],
    mut between: impl FnMut(u64, &mut Vec<u32>),
) -> Outcome {
    let (count, last_rows) = foretold;
    let mut joints = Joints::new(count, count.or(last_rows));
    let mut ahead = Ahead::new(most, count.or(last_rows));
    let mut arrivals = arrivals.iter().cycle();
    let mut under_way: VecDeque<(u64, Option<Vec<u32>>)> = VecDeque::from([(0, None)]);
    let mut outcome = Outcome { rows: Vec::new(), end: Next::End, asked: 1, most: 1, first_page: 0 };
    loop {
        while under_way[0].1.is_none() {
            let mut waiting: Vec<_> = under_way.iter_mut().filter(|(_, page)| page.is_none()).collect();
            let chosen = usize::from(*arrivals.next().unwrap()) % waiting.len();
            between(server.answers, world);
            *waiting[chosen] = (waiting[chosen].0, Some(server.page(world, waiting[chosen].0)));
        }
        let (offset, page) = under_way.pop_front().unwrap();
        let page = page.unwrap();
        let taken = joints.take(&page);
        outcome.rows.extend(taken.fresh.iter().map(|index| page[*index]));
        match taken.next {
            Next::Page { offset } => {
                let step = ahead.follow(page.len(), !taken.fresh.is_empty(), offset, joints.left());
                joints.give_up(step.given_up);
                if step.given_up > 0 {
                    assert_eq!(step.given_up, under_way.drain(..).count() as u64);
                }
                outcome.asked += step.ask.len() as u64;
                under_way.extend(step.ask.into_iter().map(|offset| (offset, None)));
                assert_eq!(under_way[0].0, offset, "the page whose turn it is is under way");
            }
            Next::SecondLook => {
                under_way = VecDeque::from([(offset, None)]);
                outcome.asked += 1;
            }
            end => return Outcome { end, first_page: joints.first_page(), ..outcome },
        }
        outcome.most = outcome.most.max(under_way.len());
    }
}

fn still(size: u32) -> Vec<u32> {
    (0..size).collect()
}

/// 40 more than three times what is foretold, as the first page has it.
fn bound(rows: u64, first_page: usize) -> u64 {
    40 + 3 * rows.div_ceil((first_page as u64).saturating_sub(1).max(1))
}

/// Whether pages given up might exhaust what may be asked for: where the last listing was far smaller.
fn is_near_the_bound(plain: &Outcome, (count, last_rows): (Option<u64>, Option<u64>)) -> bool {
    count.or(last_rows).is_some_and(|rows| 2 * plain.asked + 10 > bound(rows, plain.first_page))
}

/// Before an answer, odd rows come and even ones go: never a whole page of new rows.
fn moves() -> impl Strategy<Value = Vec<Vec<u32>>> {
    let one = 0_u32..600;
    proptest::collection::vec(proptest::collection::vec(one, 0..3), 0..60)
}

proptest! {
    /// The plain way is one page at a time. The fast one reads the same, and as cheaply where it is told the
    /// truth and no page is short.
    #[test]
    fn a_still_listing_is_read_as_one_page_after_another(
        size in 0_u32..300, limit in 4_usize..40, short_every in prop_oneof![Just(0), 1_u64..12],
        most in 2_u32..9, counted in any::<bool>(), last_rows in proptest::option::of(0_u64..400),
        arrivals in proptest::collection::vec(any::<u8>(), 1..30),
    ) {
        let server = Server { limit, short_every, answers: 0 };
        let foretold = (counted.then_some(u64::from(size)), last_rows);
        let plain = read(1, server, &mut still(size), foretold, &arrivals, |_, _| ());
        let fast = read(most, server, &mut still(size), foretold, &arrivals, |_, _| ());
        if plain.end == Next::End && !is_near_the_bound(&plain, foretold) {
            prop_assert_eq!((&fast.end, &fast.rows), (&Next::End, &still(size)));
            prop_assert_eq!(plain.rows, still(size));
        } else {
            prop_assert!(plain.end == Next::End || fast.end != Next::End, "{fast:?}");
        }
        prop_assert!(fast.most <= most as usize, "{fast:?}");
        prop_assert!(!counted || short_every > 0 || fast.asked == plain.asked, "{fast:?}");
        prop_assert!(fast.asked <= 2 * plain.asked + u64::from(most), "{} of {}", fast.asked, plain.asked);
    }

    /// A listing that moves while it is read: where the end is proved, every row that was there all the time
    /// has been read. None is handed on twice, and none that never was.
    #[test]
    fn a_proved_listing_lacks_no_row_that_was_there_all_the_time(
        size in 0_u32..300, limit in 8_usize..40, most in 2_u32..9, moves in moves(),
        counted in any::<bool>(), arrivals in proptest::collection::vec(any::<u8>(), 1..30),
    ) {
        let mut world: Vec<u32> = (0..size).map(|row| 2 * row).collect();
        let server = Server { limit, short_every: 0, answers: 0 };
        let count = counted.then_some(u64::from(size));
        let (mut ever, mut always) = (BTreeSet::from_iter(world.clone()), BTreeSet::from_iter(world.clone()));
        let outcome = read(most, server, &mut world, (count, None), &arrivals, |answer, world| {
            for row in moves.get(usize::try_from(answer).unwrap()).into_iter().flatten() {
                match world.binary_search(row) {
                    Err(at) if row % 2 == 1 => world.insert(at, *row),
                    Ok(at) if row % 2 == 0 => {
                        always.remove(&world.remove(at));
                    }
                    _ => {}
                }
            }
            ever.extend(world.iter());
        });
        let read: BTreeSet<u32> = outcome.rows.iter().copied().collect();
        prop_assert!(outcome.end != Next::End || always.is_subset(&read), "lacks {:?}", always.difference(&read));
        prop_assert!(read.is_subset(&ever));
        prop_assert_eq!(read.len(), outcome.rows.len(), "no row twice");
        prop_assert!(outcome.most <= most as usize);
        let bound = count.map_or(u64::MAX, |count| bound(count, outcome.first_page));
        prop_assert!(outcome.asked <= bound, "{} asked", outcome.asked);
    }

    /// In an order that changes with each answer.
    #[test]
    fn no_more_pages_are_asked_for_than_may_be(
        size in 60_u32..300, limit in 4_usize..20, most in 2_u32..9, seed in any::<u32>(),
        arrivals in proptest::collection::vec(any::<u8>(), 1..30),
    ) {
        let (mut seed, server) = (seed, Server { limit, short_every: 0, answers: 0 });
        let count = u64::from(size);
        let outcome = read(most, server, &mut still(size), (Some(count), None), &arrivals, |_, world| {
            for index in (1..world.len()).rev() {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                world.swap(index, (seed >> 8) as usize % (index + 1));
            }
        });
        prop_assert!(outcome.asked <= bound(count, limit));
    }
}
