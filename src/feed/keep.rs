//! Files that are older than `keep_files` go, from the first one on, so that what is left has no gap.

use std::time::{Duration, UNIX_EPOCH};

use jiff::Timestamp;

use super::folder::{Folder, Seen};

/// Removes the files before number `first_kept` that are from before `keep` ago.
pub fn let_go(folder: Folder<'_>, seen: &Seen, first_kept: i64, keep: Duration, now: Timestamp) -> usize {
    let Ok(before) = now.checked_sub(keep) else { return 0 };
    let is_old = |name: &&String| {
        let written = folder.path(name).metadata().and_then(|metadata| metadata.modified());
        let since_1970 = written.ok().and_then(|written| written.duration_since(UNIX_EPOCH).ok());
        since_1970.is_some_and(|age| i128::from(age.as_secs()) < i128::from(before.as_second()))
    };
    let earlier = seen.files.range(..first_kept).map(|(_, name)| name);
    earlier.take_while(is_old).map(|name| folder.remove(name)).count()
}
