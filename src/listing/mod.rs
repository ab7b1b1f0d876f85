//! The rows of one query, read in pages or from an export, with the proof that none is missing.

mod ahead;
mod count;
mod export;
mod joints;
mod lines;
mod pages;
mod proof;
mod requests;
mod rows;
mod way;

pub use count::{Counted, NoCount, fresh as fresh_count};
pub use export::read as read_export;
pub use joints::Broken;
pub use pages::{Listed, Plan, Sink, read};
pub use proof::{Incomplete, complete};
pub use rows::{Read, id_of};
pub use way::Way;
