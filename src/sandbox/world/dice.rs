//! Chance that is the same each time.

/// A number that depends on both arguments alone (splitmix64's finisher).
pub const fn mix(seed: u64, index: u64) -> u64 {
    let mut z = seed ^ index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// One throw for each thing to be decided.
#[derive(Debug, Clone, Copy)]
pub struct Dice(pub u64);

impl Dice {
    /// A number from 0 to `sides` - 1, `sides` not 0.
    pub fn roll(self, what: u64, sides: u64) -> u64 {
        mix(self.0, what) % sides
    }

    /// One of `items`, which is not empty.
    pub fn pick<T: Copy>(self, what: u64, items: &[T]) -> T {
        let sides = u64::try_from(items.len()).expect("a table is short");
        items[usize::try_from(self.roll(what, sides)).expect("below the table's length")]
    }
}
