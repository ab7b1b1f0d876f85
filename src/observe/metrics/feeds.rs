//! What is told of each feed that the configuration has.

use std::fmt;

use super::{Labels, Page, flag, number, written};
use crate::feed::Standing;

pub(super) struct Feeds<'a>(pub &'a [Standing]);

impl Feeds<'_> {
    pub fn tell(&self, page: &mut Page<'_>) -> fmt::Result {
        let help =
            "When the feed's files were last compared with the store and right; absent where they never were";
        let values = self.each(|feed| feed.checked_at.as_deref().and_then(written));
        page.gauges("feed_checked_timestamp_seconds", help, values)?;
        let help = "When the feed's last file was written; absent before the first";
        let values = self.each(|feed| feed.written_at.as_deref().and_then(written));
        page.gauges("feed_written_timestamp_seconds", help, values)?;
        let help = "The number of the feed's last file; 0: none was written yet";
        page.gauges("feed_sequence", help, self.each(|feed| Some(number(feed.sequence.unsigned_abs()))))?;
        let help = "Rows of the feed's last file, removals among them; absent before the first";
        page.gauges("feed_rows", help, self.each(|feed| feed.rows.map(|rows| number(rows.unsigned_abs()))))?;
        let help = "Whether something keeps the feed from being written";
        page.gauges("feed_failing", help, self.each(|feed| Some(flag(feed.error.is_some()))))?;
        let help = "Whether the feed holds removals back until each of its queries has succeeded once";
        page.gauges("feed_waiting", help, self.each(|feed| Some(flag(!feed.waits_for.is_empty()))))
    }

    fn each<'s>(
        &'s self,
        value: impl Fn(&Standing) -> Option<f64> + 's,
    ) -> impl Iterator<Item = (Labels<'s, 1>, f64)> + 's {
        let configured = self.0.iter().filter(|feed| feed.configured);
        configured.filter_map(move |feed| Some(([("feed", feed.feed.as_str())], value(feed)?)))
    }
}
