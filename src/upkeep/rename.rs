use jiff::Timestamp;

use super::{UpkeepError, remembered};
use crate::store::{Store, time};

/// Gives a query another name, with its members and its history; how many members it has.
///
/// # Errors
/// If the store does not have `old`, or `new` has members of its own.
pub async fn rename(store: &mut Store, old: &str, new: &str, now: Timestamp) -> Result<u64, UpkeepError> {
    let query = remembered(store, old).await?;
    if old == new {
        return Err(UpkeepError::SameName(new.to_owned()));
    }
    if let Some(other) = store.queries().await?.iter().find(|query| query.name == new) {
        let members = store.number_of_members(other.id).await?;
        if members > 0 {
            return Err(UpkeepError::Taken { name: new.to_owned(), members });
        }
    }
    store.rename(&query, new, &time::to_text(now)).await?;
    Ok(store.number_of_members(query.id).await?)
}
