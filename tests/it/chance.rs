//! Chance for tests.

/// A xorshift generator: tests need no better one.
pub struct Random(u64);

impl Random {
    /// Seeded by this variable, else by the process; the seed is printed.
    pub fn seeded(variable: &str) -> Self {
        let given = std::env::var(variable).ok().and_then(|seed| seed.parse().ok());
        let seed: u64 = given.unwrap_or(u64::from(std::process::id()) * 2_654_435_761);
        println!("{variable}={seed}");
        Self(seed | 1)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }
}
