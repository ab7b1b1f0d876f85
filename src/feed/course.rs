//! The course of one feed, from a look into its folder to the manifest.

use jiff::Timestamp;

use super::folder::{Folder, Seen};
use super::layout::Layout;
use super::pass::{Finished, Rows};
use super::scope::{self, Anew, OfFeed, Scope};
use super::{FeedError, Outcome, Tools, keep, manifest, names};
use crate::config::Settings;
use crate::config::settings::{Content, Feed};
use crate::store::{FeedEnding, FeedFile, FeedFileState, FeedPass, FeedState, Store, time};

/// Writes what is new, and tells of it in the manifest.
pub async fn run(feed: &Feed, everything: bool, tools: &mut Tools<'_>) -> Result<Outcome, FeedError> {
    let folder = Folder { directory: &feed.directory, feed: &feed.name };
    let seen = folder.look()?;
    let state = tools.store.feed(&feed.name).await?;
    if !everything {
        refuse_emptied(feed, &state, &seen, tools.settings)?;
    }
    let is_lost = settle(&state, folder, &seen, tools.store).await?;
    let queries = scope::queries(&feed.queries, &tools.store.queries().await?);
    let task = Task { feed, folder, seen: &seen, queries: &queries };
    let outcome = task.write(&state, Anew { asked: everything, lost: is_lost }, tools).await?;
    for file in &outcome.files {
        folder.place(file)?;
    }
    if !outcome.files.is_empty() {
        tools.store.files_are_placed(state.id).await?;
    }
    task.tell(tools).await?;
    Ok(outcome)
}

/// What is written into a folder that a share is to be mounted on, whoever reads the share never sees.
fn refuse_emptied(feed: &Feed, state: &FeedState, seen: &Seen, settings: &Settings) -> Result<(), FeedError> {
    let is_known = state.directory.as_deref() == Some(&*feed.directory.display().to_string());
    match &state.file {
        Some(file) if is_known && seen.is_blank() => Err(FeedError::Emptied {
            directory: feed.directory.clone(),
            file: file.clone(),
            command: settings.command(&format!("feed {} --snapshot", feed.name)),
        }),
        _ => Ok(()),
    }
}

/// Gives the last files their names where a death has left them without, and removes what no commit tells of. Whether
/// one of them is lost: nobody may ever have seen what it told.
async fn settle(
    state: &FeedState,
    folder: Folder<'_>,
    seen: &Seen,
    store: &mut Store,
) -> Result<bool, FeedError> {
    let unplaced = if state.unplaced { store.unplaced_files(state.id).await? } else { Vec::new() };
    for temporary in &seen.temporary {
        if unplaced.iter().all(|of| names::temporary(&of.file) != *temporary) {
            folder.remove(temporary);
        }
    }
    if !state.unplaced {
        return Ok(false);
    }
    // Where one is lost, all are forgotten: until everything is written anew, that there are none tells of it.
    let mut is_lost = unplaced.is_empty();
    for FeedFileState { file, sha256, .. } in &unplaced {
        if !give_name(folder, file, sha256)? {
            tracing::warn!(feed = %state.name, file, "the file was lost before it had its name: all is written anew");
            is_lost = true;
        }
    }
    if is_lost {
        store.forget_unplaced_files(state.id).await?;
    } else {
        store.files_are_placed(state.id).await?;
    }
    Ok(is_lost)
}

/// Gives a committed file its name, if it lacks it; `false`: it is lost.
fn give_name(folder: Folder<'_>, file: &str, sha256: &str) -> Result<bool, FeedError> {
    if folder.holds(file, sha256) {
        return Ok(true);
    }
    let temporary = names::temporary(file);
    if folder.path(file).symlink_metadata().is_ok() || !folder.holds(&temporary, sha256) {
        folder.remove(&temporary);
        return Ok(false);
    }
    folder.place(file)?;
    Ok(true)
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
    /// The number of the next file.
    sequence: i64,
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
            sequence: plan.sequence,
            files: Vec::new(),
            queries: &ids,
            scope: plan.scope,
            removals: feed.removals,
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
        if rows.files.is_empty() && (plan.scope == Scope::Anew || (state.sequence == 0 && rows.is_proved)) {
            rows.begin_file()?;
        }
        let is_right = rows.held == 0 && lost_left.is_none();
        let removed = rows.removed;
        let files = plan.end(rows, lost_left, is_right, pass).await?;
        if !files.is_empty() {
            let rows = files.iter().map(|file| file.rows).sum();
            let files: Vec<String> = files.into_iter().map(|file| file.name).collect();
            outcome = Outcome { file: files.last().cloned(), files, rows, removed, ..outcome };
        }
        if !is_right {
            outcome.waits_for = unproved;
        }
        Ok(outcome)
    }

    async fn plan(&self, state: &FeedState, anew: Anew, tools: &mut Tools<'_>) -> Result<Plan, FeedError> {
        let highest = self.seen.highest();
        let lost_from = self.lost_from(state);
        let directory = self.feed.directory.display().to_string();
        let definition = scope::definition(self.feed, self.queries);
        let log = tools.store.log_span().await?;
        Ok(Plan {
            scope: scope::scope(state, self.seen, anew, &definition, &directory, log),
            lost_from,
            definition,
            directory,
            cursor: log.1,
            sequence: highest.max(state.sequence) + 1,
            now: (tools.clock)(),
        })
    }

    /// From which file on ids are told of that the store never knew, or that it removed where nobody sees it.
    fn lost_from(&self, state: &FeedState) -> Option<i64> {
        let newly = if self.seen.highest() > state.sequence {
            tracing::warn!(
                feed = %state.name, known = state.sequence, found = self.seen.highest(),
                "files are there that this store has not written, of before a restore or of another store: all is \
                 written anew after them"
            );
            Some(state.sequence + 1)
        } else {
            scope::is_behind(state, self.seen).then_some(0)
        };
        [state.lost_from, newly].into_iter().flatten().min()
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
        let first_kept = self.first_kept(state.sequence, store).await?;
        let gone = keep::let_go(self.folder, self.seen, first_kept, self.feed.keep_files, present);
        if gone > 0 {
            tracing::info!(feed = %self.feed.name, files = gone, "old files were let go");
        }
        // Of those that were there before this pass; its own have higher numbers.
        let first_left = self.seen.files.keys().nth(gone).copied().unwrap_or(self.seen.highest() + 1);
        Ok(store.forget_files(state.id, first_left.min(first_kept)).await?)
    }

    /// No file goes before it is handed over, however long that takes.
    async fn first_kept(&self, latest: i64, store: &mut Store) -> Result<i64, FeedError> {
        let mut first = latest;
        for way in self.feed.ways() {
            let handed_over = store.handover(&self.feed.name, way).await?.map_or(0, |known| known.sequence);
            first = first.min(handed_over + 1);
        }
        Ok(first)
    }

    fn unproved(&self) -> Vec<String> {
        let unproved = self.queries.iter().filter(|query| !query.is_proved);
        unproved.map(|query| query.name.clone()).collect()
    }
}

impl Plan {
    /// Brings the files to the disk and commits them with their rows.
    async fn end(
        &self,
        mut rows: Rows<'_>,
        lost_from: Option<i64>,
        is_right: bool,
        pass: FeedPass<'_>,
    ) -> Result<Vec<Finished>, FeedError> {
        let columns = serde_json::to_string(&rows.layout.headers()).expect("a list of text is always JSON");
        let written_at = time::to_text(self.now);
        rows.finish_file()?;
        let files: Vec<FeedFile<'_>> = rows
            .files
            .iter()
            .map(|file| FeedFile {
                sequence: file.sequence,
                name: &file.name,
                sha256: &file.sha256,
                rows: file.rows.cast_signed(),
                columns: &columns,
                written_at: &written_at,
            })
            .collect();
        pass.end(&FeedEnding {
            definition: is_right.then_some(&*self.definition),
            cursor: self.cursor,
            directory: &self.directory,
            files: &files,
            checked_at: is_right.then_some(&*written_at),
            lost_from,
        })
        .await?;
        Ok(rows.files)
    }
}
