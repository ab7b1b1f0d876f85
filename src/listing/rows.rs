use crate::organization::{BusinessId, Rejected};

pub use crate::organization::Read;

/// What tells a row again at a joint: its id, or its bytes where it has none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Mark {
    Id(BusinessId),
    Bytes(Box<str>),
}

pub(super) fn mark(row: &Read) -> Mark {
    match row {
        Ok(row) => Mark::Id(row.id().clone()),
        Err(Rejected { id: Some(id), .. }) => Mark::Id(id.clone()),
        Err(Rejected { text, .. }) => Mark::Bytes(text.clone()),
    }
}

/// The id of a row, set aside or not.
#[must_use]
pub fn id_of(row: &Read) -> Option<&BusinessId> {
    match row {
        Ok(row) => Some(row.id()),
        Err(rejected) => rejected.id.as_ref(),
    }
}
