//! What is told of each feed that the configuration has.

use std::fmt;

use super::{Labels, Page, flag, number, written};
use crate::feed::Standing;
use crate::store::Handover;

pub(super) struct Feeds<'a>(pub &'a [Standing]);

impl Feeds<'_> {
    pub fn tell(&self, page: &mut Page<'_>) -> fmt::Result {
        let help = "When the feed's files or tables were last compared with the store and right; absent where they never were";
        let values = self.each(|feed| feed.checked_at.as_deref().and_then(written));
        page.gauges("feed_checked_timestamp_seconds", help, values)?;
        let help = "When the feed last wrote a file, or rows of its tables; absent before the first";
        let values = self.each(|feed| feed.written_at.as_deref().and_then(written));
        page.gauges("feed_written_timestamp_seconds", help, values)?;
        let help =
            "The number of the feed's last file; 0: none was written yet; absent where it writes tables";
        let values = self.each(|feed| feed.table.is_none().then(|| number(feed.sequence.unsigned_abs())));
        page.gauges("feed_sequence", help, values)?;
        let help = "Rows that the feed wrote last, removals among them; absent before the first";
        page.gauges("feed_rows", help, self.each(|feed| feed.rows.map(|rows| number(rows.unsigned_abs()))))?;
        let help = "Whether something keeps the feed from being written";
        page.gauges("feed_failing", help, self.each(|feed| Some(flag(feed.error.is_some()))))?;
        let help = "Whether the feed holds removals back until each of its queries has succeeded once";
        page.gauges("feed_waiting", help, self.each(|feed| Some(flag(!feed.waits_for.is_empty()))))?;
        self.handing(page)
    }

    fn handing(&self, page: &mut Page<'_>) -> fmt::Result {
        let help = "The number of the last file that was handed over; 0: none was";
        let values = self.each_way(|way| Some(number(way.sequence.unsigned_abs())));
        page.gauges("feed_handed_sequence", help, values)?;
        let help = "When a file was last handed over; absent before the first";
        let values = self.each_way(|way| way.handed_at.as_deref().and_then(written));
        page.gauges("feed_handed_timestamp_seconds", help, values)?;
        let help = "Files that wait for being handed over";
        page.gauges(
            "feed_files_waiting",
            help,
            self.each_way(|way| Some(number(way.waiting.unsigned_abs()))),
        )?;
        let help = "Tries in a row to hand a file over that have failed";
        let values = self.each_way(|way| Some(number(way.failures.unsigned_abs())));
        page.gauges("feed_handover_failures", help, values)
    }

    fn each_way<'s>(
        &'s self,
        value: impl Fn(&Handover) -> Option<f64> + 's,
    ) -> impl Iterator<Item = (Labels<'s, 2>, f64)> + 's {
        let configured = self.0.iter().filter(|feed| feed.configured);
        let ways = configured.flat_map(|feed| feed.handing.iter().map(move |way| (feed, way)));
        ways.filter_map(move |(feed, way)| {
            Some(([("feed", feed.feed.as_str()), ("way", way.way.as_str())], value(way)?))
        })
    }

    fn each<'s>(
        &'s self,
        value: impl Fn(&Standing) -> Option<f64> + 's,
    ) -> impl Iterator<Item = (Labels<'s, 1>, f64)> + 's {
        let configured = self.0.iter().filter(|feed| feed.configured);
        configured.filter_map(move |feed| Some(([("feed", feed.feed.as_str())], value(feed)?)))
    }
}
