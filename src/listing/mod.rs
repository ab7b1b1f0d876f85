//! The rows of one query, read in pages, with the proof that none is missing.

mod ahead;
mod count;
mod joints;
mod pages;
mod proof;
mod requests;
mod rows;

pub use count::{Counted, NoCount, fresh as fresh_count};
pub use joints::Broken;
pub use pages::{Listed, Plan, Sink, read};
pub use proof::{Incomplete, complete};
pub use rows::{Read, id_of};
