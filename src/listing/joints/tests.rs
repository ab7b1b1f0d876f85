use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Reads a listing of `world` in pages of `limit`; `between` may change the world before each page.
fn read(
    world: &mut Vec<u32>,
    limit: usize,
    expected: Option<u64>,
    mut between: impl FnMut(u64, &mut Vec<u32>),
) -> (Vec<u32>, Next) {
    let mut joints = Joints::new(expected, expected);
    let (mut rows, mut offset, mut pages) = (Vec::new(), 0, 0);
    loop {
        between(pages, world);
        pages += 1;
        let page: Vec<u32> =
            world.iter().skip(usize::try_from(offset).unwrap()).take(limit).copied().collect();
        let taken = joints.take(&page);
        rows.extend(taken.fresh.iter().map(|index| page[*index]));
        match taken.next {
            Next::Page { offset: next } => offset = next,
            Next::SecondLook => {}
            ended => return (rows, ended),
        }
    }
}

fn still(size: u32) -> Vec<u32> {
    (0..size).collect()
}

#[test]
fn a_still_listing_is_read_once_whatever_the_cap() {
    for size in [0, 1, 2, 3, 10, 11, 12, 100] {
        for limit in [2, 3, 10, 1000] {
            for count in [Some(u64::from(size)), None] {
                let (rows, end) = read(&mut still(size), limit, count, |_, _| ());
                assert_eq!((rows, end), (still(size), Next::End), "{size} rows, {limit} a page, {count:?}");
            }
        }
    }
}

#[test]
fn an_empty_first_page_proves_nothing_where_rows_were_counted() {
    let (_, end) = read(&mut still(0), 10, Some(7), |_, _| ());
    assert_eq!(end, Next::Broken(Broken::NothingMore { at: 0, expected: 7 }));
}

#[test]
fn a_server_that_gives_one_row_a_page_never_proves_an_end() {
    let (_, end) = read(&mut still(5), 1, Some(5), |_, _| ());
    assert_eq!(end, Next::Broken(Broken::NothingMore { at: 0, expected: 5 }));
}

#[test]
fn a_server_that_ignores_the_offset_is_given_up() {
    let mut joints = Joints::new(Some(50), Some(50));
    let page: Vec<u32> = still(10);
    let ended = std::iter::repeat_with(|| joints.take(&page).next)
        .find(|next| !matches!(next, Next::Page { .. }))
        .unwrap();
    assert!(matches!(ended, Next::Broken(_)), "{ended:?}");
}

#[test]
fn an_order_that_changes_with_each_page_is_given_up_or_bounded() {
    let mut seed = 7_u32;
    let (_, end) = read(&mut still(300), 10, Some(300), |_, world| {
        for index in (1..world.len()).rev() {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            world.swap(index, seed as usize % (index + 1));
        }
    });
    assert!(matches!(end, Next::Broken(_)), "{end:?}");
}

#[test]
fn the_last_row_vanishes_and_its_page_with_it() {
    let (rows, end) = read(&mut still(21), 11, Some(21), |page, world| {
        if page == 2 {
            world.truncate(12);
        }
    });
    assert_eq!((rows.len(), end), (21, Next::End));
}

#[derive(Debug, Clone)]
enum Move {
    Insert(u32),
    Remove(usize),
}

fn moves() -> impl Strategy<Value = Vec<Vec<Move>>> {
    let one = prop_oneof![(0_u32..10_000).prop_map(Move::Insert), (0_usize..10_000).prop_map(Move::Remove),];
    proptest::collection::vec(proptest::collection::vec(one, 0..4), 0..30)
}

proptest! {
    /// An ordered listing that moves while it is read: where the end is proved, every row that was there
    /// all the time has been read.
    #[test]
    fn a_proved_listing_lacks_no_row_that_was_there_all_the_time(
        size in 0_usize..200, limit in 2_usize..30, moves in moves(), counted in any::<bool>(),
    ) {
        let mut world: Vec<u32> = (0..size).map(|row| u32::try_from(row * 37 % 10_007).unwrap()).collect();
        world.sort_unstable();
        let count = counted.then_some(size as u64);
        let mut always: BTreeSet<u32> = world.iter().copied().collect();
        let (rows, end) = read(&mut world, limit, count, |page, world| {
            for change in moves.get(usize::try_from(page).unwrap()).into_iter().flatten() {
                match change {
                    Move::Insert(row) => {
                        if let Err(at) = world.binary_search(row) {
                            world.insert(at, *row);
                        }
                    }
                    Move::Remove(at) if !world.is_empty() => {
                        always.remove(&world.remove(at % world.len()));
                    }
                    Move::Remove(_) => {}
                }
            }
        });
        if end == Next::End {
            let read: BTreeSet<u32> = rows.into_iter().collect();
            prop_assert!(always.is_subset(&read), "{:?} lacks {:?}", end, always.difference(&read));
        }
    }

    /// Odd rows come and even ones go, never a whole page at once.
    #[test]
    fn rows_that_are_read_again_are_not_handed_on_again(
        size in 0_u32..300, limit in 8_usize..40, counted in any::<bool>(),
        moves in proptest::collection::vec(proptest::collection::vec(0_u32..600, 0..3), 0..60),
    ) {
        let mut world: Vec<u32> = (0..size).map(|row| 2 * row).collect();
        let count = counted.then_some(u64::from(size));
        let (rows, _) = read(&mut world, limit, count, |page, world| {
            for row in moves.get(usize::try_from(page).unwrap()).into_iter().flatten() {
                match world.binary_search(row) {
                    Err(at) if row % 2 == 1 => world.insert(at, *row),
                    Ok(at) if row % 2 == 0 => drop(world.remove(at)),
                    _ => {}
                }
            }
        });
        let distinct: BTreeSet<u32> = rows.iter().copied().collect();
        prop_assert_eq!(distinct.len(), rows.len());
    }
}
