use std::io;

use super::Switches;
use super::world::MAX_SIZE;

/// What a sandbox is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// Decides every made-up company, and which tokens are accepted.
    pub seed: u64,
    pub world: World,
    pub switches: Switches,
}

/// What the databases hold.
#[derive(Debug, Clone)]
pub enum World {
    /// Made-up companies, `size` in each database on day 0, 10,000,000 at most; they change from day to day.
    Generated { size: u32 },
    /// These rows are the database `FI`; the others are empty until a test sets their rows. They come in this
    /// order unless `order` asks for another, byte for byte but for the keys that `fields` leaves out.
    Fixed(Vec<String>),
}

impl Options {
    pub(super) fn check(&self) -> io::Result<()> {
        match self.world {
            World::Generated { size } if size > MAX_SIZE => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("a sandbox of {size} companies: a database has ids for {MAX_SIZE} at most"),
            )),
            _ => Ok(()),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { port: 0, seed: 42, world: World::Generated { size: 1000 }, switches: Switches::default() }
    }
}
