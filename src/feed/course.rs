//! The course of one feed, from a look into its folder to the manifest.

use jiff::Timestamp;

use super::folder::{Folder, Seen};
use super::layout::Layout;
use super::pass::Rows;
use super::scope::{self, Anew, OfFeed, Scope};
use super::{FeedError, Outcome, Tools, keep, manifest, names};
use crate::config::settings::{Content, Feed};
use crate::store::{FeedEnding, FeedFile, FeedPass, FeedState, Store, time};

/// Writes what is new, and tells of it in the manifest.
pub async fn run(feed: &Feed, everything: bool, tools: &mut Tools<'_>) -> Result<Outcome, FeedError> {
    let folder = Folder { directory: &feed.directory, feed: &feed.name };
    let seen = folder.look()?;
    let state = tools.store.feed(&feed.name).await?;
    let is_lost = settle(&state, folder, &seen, tools.store).await?;
    let queries = scope::queries(feed, &tools.store.queries().await?);
    let task = Task { feed, folder, seen: &seen, queries: &queries };
    let outcome = task.write(&state, Anew { asked: everything, lost: is_lost }, tools).await?;
    if let Some(file) = &outcome.file {
        folder.place(file)?;
        tools.store.file_is_placed(state.id).await?;
    }
    task.tell(tools).await?;
    Ok(outcome)
}

/// Gives the last file its name where a death has left it without, and removes what no commit tells of. Whether that
/// file is lost: nobody may ever have seen what it told.
async fn settle(
    state: &FeedState,
    folder: Folder<'_>,
    seen: &Seen,
    store: &mut Store,
) -> Result<bool, FeedError> {
    let unplaced = if state.unplaced { state.file.as_deref() } else { None };
    for temporary in &seen.temporary {
        if unplaced.map(names::temporary).as_ref() != Some(temporary) {
            folder.remove(temporary);
        }
    }
    let Some(file) = unplaced else { return Ok(false) };
    let sha256 = state.sha256.as_deref().unwrap_or_default();
    let temporary = names::temporary(file);
    if !folder.holds(file, sha256) {
        let is_there = folder.path(file).symlink_metadata().is_ok();
        if is_there || !folder.holds(&temporary, sha256) {
            tracing::warn!(feed = %state.name, file, "the file was lost before it had its name: all is written anew");
            folder.remove(&temporary);
            return Ok(true);
        }
        folder.place(file)?;
    }
    store.file_is_placed(state.id).await?;
    Ok(false)
}

struct Task<'a> {
    feed: &'a Feed,
    folder: Folder<'a>,
    seen: &'a Seen,
    queries: &'a [OfFeed],
}

/// What one pass is to do.
struct Plan {
    scope: Scope,
    /// Files from this number on may tell of ids that the store never knew or has forgotten.
    lost_from: Option<i64>,
    definition: String,
    directory: String,
    /// The log up to here is looked at.
    cursor: i64,
    sequence: i64,
    /// What the file will be called.
    name: String,
    now: Timestamp,
}

impl Task<'_> {
    /// Writes a file under its temporary name and commits it with the rows that it tells of.
    async fn write(
        &self,
        state: &FeedState,
        anew: Anew,
        tools: &mut Tools<'_>,
    ) -> Result<Outcome, FeedError> {
        let (feed, unproved) = (self.feed, self.unproved());
        let mut outcome = Outcome { latest: state.file.clone(), ..Outcome::default() };
        if feed.content == Content::Snapshot && !unproved.is_empty() {
            // Whom it lacked would count as gone.
            tools.store.set_feed_error(state.id, None).await?;
            return Ok(Outcome { waits_for: unproved, ..outcome });
        }
        let plan = self.plan(state, anew, tools).await?;
        let ids: Vec<i64> = self.queries.iter().filter_map(|query| query.id).collect();
        let mut pass = tools.store.begin_feed_pass(state.id).await?;
        let mut rows = Rows {
            layout: Layout::of(feed),
            folder: self.folder,
            name: &plan.name,
            queries: &ids,
            scope: plan.scope,
            is_proved: unproved.is_empty(),
            batch: tools.batch,
            now: plan.now,
            stop: tools.stop,
            file: None,
            removed: 0,
            held: 0,
            differing: 0,
        };
        rows.write(&mut pass, feed.content).await?;
        let lost_left = self.remove_lost(&mut rows, plan.lost_from, &mut pass).await?;
        if plan.scope == Scope::Anew || (state.sequence == 0 && rows.is_proved) {
            rows.begin_file()?;
        }
        let is_right = rows.held == 0 && lost_left.is_none();
        let removed = rows.removed;
        if let Some(rows) = plan.end(rows, lost_left, is_right, pass).await? {
            outcome = Outcome { file: Some(plan.name), rows, removed, ..outcome };
        }
        if !is_right {
            outcome.waits_for = unproved;
        }
        Ok(outcome)
    }

    async fn plan(&self, state: &FeedState, anew: Anew, tools: &mut Tools<'_>) -> Result<Plan, FeedError> {
        let highest = self.seen.highest();
        let ahead = (highest > state.sequence).then_some(state.sequence + 1);
        let directory = self.feed.directory.display().to_string();
        let definition = scope::definition(self.feed, self.queries);
        let log = tools.store.log_span().await?;
        let sequence = highest.max(state.sequence) + 1;
        Ok(Plan {
            scope: scope::scope(state, self.seen, anew, &definition, &directory, log),
            lost_from: [state.lost_from, ahead].into_iter().flatten().min(),
            definition,
            directory,
            cursor: log.1,
            sequence,
            name: names::file(self.feed, sequence),
            now: (tools.clock)(),
        })
    }

    /// Removes whom a lost store has told of and who is no member; from which file on that is still to be done.
    async fn remove_lost(
        &self,
        rows: &mut Rows<'_>,
        lost_from: Option<i64>,
        pass: &mut FeedPass<'_>,
    ) -> Result<Option<i64>, FeedError> {
        let Some(from) = lost_from else { return Ok(None) };
        if !rows.is_proved {
            return Ok(lost_from);
        }
        if self.feed.content == Content::Delta {
            let files = self.seen.files.range(from..).map(|(_, name)| self.folder.path(name));
            rows.remove_lost(pass, files).await?;
        }
        Ok(None)
    }

    /// Writes the manifest, and lets old files go, which it names no more.
    async fn tell(&self, tools: &mut Tools<'_>) -> Result<(), FeedError> {
        let Tools { store, clock, .. } = tools;
        let now = clock();
        let state = store.feed(&self.feed.name).await?;
        if state.sequence == 0 {
            return Ok(());
        }
        manifest::write(&state, &self.feed.queries, self.folder, store, &time::to_text(now)).await?;
        let present = store.present(now).await?;
        let gone = keep::let_go(self.folder, self.seen, state.sequence, self.feed.keep_files, present);
        if gone > 0 {
            tracing::info!(feed = %self.feed.name, files = gone, "old files were let go");
        }
        Ok(())
    }

    fn unproved(&self) -> Vec<String> {
        let unproved = self.queries.iter().filter(|query| !query.is_proved);
        unproved.map(|query| query.name.clone()).collect()
    }
}

impl Plan {
    /// Brings the file to the disk and commits it with its rows; how many rows it has, if there is one.
    async fn end(
        &self,
        rows: Rows<'_>,
        lost_from: Option<i64>,
        is_right: bool,
        pass: FeedPass<'_>,
    ) -> Result<Option<u64>, FeedError> {
        let columns = serde_json::to_string(&rows.layout.headers()).expect("a list of text is always JSON");
        let written_at = time::to_text(self.now);
        let file = match rows.file {
            Some(file) => Some((file.rows, file.finish()?)),
            None => None,
        };
        pass.end(&FeedEnding {
            definition: is_right.then_some(&*self.definition),
            cursor: self.cursor,
            directory: &self.directory,
            file: file.as_ref().map(|(rows, sha256)| FeedFile {
                sequence: self.sequence,
                name: &self.name,
                sha256,
                rows: rows.cast_signed(),
                columns: &columns,
                written_at: &written_at,
            }),
            checked_at: is_right.then_some(&*written_at),
            lost_from,
        })
        .await?;
        Ok(file.map(|(rows, _)| rows))
    }
}
