//! What an organization is to this program: an id, a row as the API gave it, a change. No I/O.

mod change;
mod id;
pub mod json;
mod row;

pub use change::ChangeKind;
pub use id::{BusinessId, Database, InvalidDatabase, InvalidId};
pub use row::{Reject, Rejected, Row};
