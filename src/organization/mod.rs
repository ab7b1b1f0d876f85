//! What an organization is to this program: an id, a row as the API gave it, a change. No I/O.

mod change;
pub mod compact;
mod id;
mod members;
mod layout;
pub mod json;
mod path;
mod row;
mod rows;

pub use change::ChangeKind;
pub use id::{BusinessId, Database, InvalidDatabase, InvalidId};
pub use path::{Found, InvalidPath, JsonPath};
pub use row::{Read, Reject, Rejected, Row};
pub use rows::rows;
