use std::collections::HashMap;

use crate::store::{Store, StoreError};

/// How many members each query had when it was last counted. A count looks at each member, which takes a tenth of
/// a second for a million; and members change only with an entry in the change log.
#[derive(Debug, Default)]
pub struct Counts(HashMap<i64, Counted>);

#[derive(Debug, Clone, Copy)]
struct Counted {
    /// The query's latest entry in the log.
    last_change: Option<i64>,
    members: u64,
}

impl Counts {
    /// How many members `query` has; counted anew only where something changed.
    pub(super) async fn members(&mut self, store: &mut Store, query: i64) -> Result<u64, StoreError> {
        // Looked up first: what is committed in between is counted, and then once more.
        let last_change = store.last_change_of(query).await?;
        if let Some(counted) = self.0.get(&query).filter(|counted| counted.last_change == last_change) {
            return Ok(counted.members);
        }
        let members = store.count_members(query).await?;
        self.0.insert(query, Counted { last_change, members });
        Ok(members)
    }
}
