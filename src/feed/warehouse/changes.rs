//! The change log, entry by entry into its table.

use super::copy::Rows;
use super::pass::Pass;
use super::row::within_columns;
use super::sql::Sql;
use crate::feed::FeedError;
use crate::organization::compact::without_nul;
use crate::store::{Change, Moment};

impl Pass<'_> {
    /// Sends the entries of the feed's queries after this one. One that is there already is not written again: two
    /// histories of a store may give one number to two entries, but not at one time.
    pub async fn tell_changes(&mut self, moment: &mut Moment<'_>, after: i64) -> Result<(), FeedError> {
        let queries: Vec<i64> = self.queries.iter().filter_map(|query| query.id).collect();
        let limit = i64::try_from(self.batch).unwrap_or(i64::MAX);
        let mut after = after;
        loop {
            let entries = moment.log(&queries, after, limit).await?;
            let Some(last) = entries.last() else { return Ok(()) };
            after = last.seq;
            let mut rows = Rows::default();
            for entry in &entries {
                self.put(entry, &mut rows);
            }
            let Sql { copy_changes, take_changes, .. } = self.sql;
            let taken = self.stage(&rows, copy_changes, take_changes, "vainu_changes").await?;
            self.done.else_written |= taken > 0;
        }
    }

    fn put(&self, entry: &Change, rows: &mut Rows) {
        let told = |json: &Option<String>| json.as_deref().and_then(|json| within_columns(self.feed, json));
        let (before, after) = (told(&entry.before), told(&entry.after));
        if entry.kind == "updated" && before.is_none() && after.is_none() {
            // Of nothing that is mapped.
            return;
        }
        let (seq, id) = (entry.seq.to_string(), without_nul(&entry.business_id));
        let cells = [&*seq, &*entry.at, &*entry.query, &*id, &*entry.kind].map(Some);
        rows.put(cells.into_iter().chain([before.as_deref(), after.as_deref()]));
    }
}
