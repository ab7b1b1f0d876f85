//! Organizations → rows of one file, a few at a time.

use std::path::PathBuf;

use jiff::Timestamp;
use roaring::RoaringTreemap;
use tokio_util::sync::CancellationToken;

use super::FeedError;
use super::file::NewFile;
use super::folder::Folder;
use super::layout::Layout;
use super::lost::Lost;
use super::scope::Scope;
use crate::config::settings::Content;
use crate::store::{FeedPass, FeedSubject, time};

/// The rows of one file, while they are written.
pub struct Rows<'a> {
    pub layout: Layout<'a>,
    pub folder: Folder<'a>,
    /// What the file will be called.
    pub name: &'a str,
    /// The queries of the feed, by their numbers in the store.
    pub queries: &'a [i64],
    pub scope: Scope,
    /// Who is no member is proved to be none.
    pub is_proved: bool,
    pub batch: usize,
    pub now: Timestamp,
    pub stop: &'a CancellationToken,
    pub file: Option<NewFile>,
    pub removed: u64,
    /// Removals that wait for a proof.
    pub held: u64,
    /// Rows that differ from what was written before.
    pub differing: u64,
}

impl Rows<'_> {
    /// Writes what differs, and whom it would have to take away; a snapshot, all members if anything differs.
    pub async fn write(&mut self, pass: &mut FeedPass<'_>, content: Content) -> Result<(), FeedError> {
        let members = match self.scope {
            Scope::Changed(since) => pass.changed(since).await?,
            Scope::All | Scope::Anew => pass.members(self.queries).await? | pass.written().await?,
        };
        for organizations in batches(&members, self.batch) {
            self.go_on()?;
            self.compare(pass, content, &organizations).await?;
        }
        if content == Content::Snapshot && (self.differing > 0 || self.scope == Scope::Anew) {
            self.all(pass).await?;
        }
        Ok(())
    }

    /// Removes the ids of a lost store's files that are no members.
    pub async fn remove_lost(
        &mut self,
        pass: &mut FeedPass<'_>,
        files: impl Iterator<Item = PathBuf>,
    ) -> Result<(), FeedError> {
        let mut lost = Lost::new(self.queries);
        for path in files {
            self.go_on()?;
            lost.read(&path, pass).await?;
        }
        let now = time::to_text(self.now);
        for id in lost.strangers(pass).await? {
            self.removed += 1;
            self.put(&self.layout.remove(&id, &now))?;
        }
        Ok(())
    }

    /// Makes sure that there is a file, if without rows.
    pub fn begin_file(&mut self) -> Result<&mut NewFile, FeedError> {
        match &mut self.file {
            Some(file) => Ok(file),
            none => Ok(none.insert(NewFile::begin(self.folder, self.name, &self.layout.head())?)),
        }
    }

    async fn compare(
        &mut self,
        pass: &mut FeedPass<'_>,
        content: Content,
        organizations: &[i64],
    ) -> Result<(), FeedError> {
        let mut written = Vec::new();
        for subject in pass.subjects(self.queries, organizations).await? {
            match &subject.document {
                Some(document) => {
                    let upsert = self.layout.upsert(&subject.business_id, document, &subject.changed_at);
                    let is_same = subject.hash.as_deref() == Some(&upsert.hash[..]);
                    if is_same && self.scope != Scope::Anew {
                        continue;
                    }
                    self.differing += u64::from(!is_same);
                    if content == Content::Delta {
                        self.put(&upsert.line)?;
                    }
                    written.push((subject.id, Some(upsert.hash)));
                }
                None if !subject.is_written => {}
                None if !self.is_proved => self.held += 1,
                None => {
                    self.differing += 1;
                    if content == Content::Delta {
                        self.removed += 1;
                        self.put(&self.removal(&subject))?;
                    }
                    written.push((subject.id, None));
                }
            }
        }
        Ok(pass.remember(&written).await?)
    }

    /// Writes every member.
    async fn all(&mut self, pass: &mut FeedPass<'_>) -> Result<(), FeedError> {
        let members = pass.members(self.queries).await?;
        for organizations in batches(&members, self.batch) {
            self.go_on()?;
            for subject in pass.subjects(self.queries, &organizations).await? {
                let Some(document) = &subject.document else { continue };
                self.put(&self.layout.upsert(&subject.business_id, document, &subject.changed_at).line)?;
            }
        }
        self.begin_file().map(|_| ())
    }

    fn removal(&self, subject: &FeedSubject) -> String {
        let now = time::to_text(self.now);
        self.layout.remove(&subject.business_id, subject.left_at.as_deref().unwrap_or(&now))
    }

    fn put(&mut self, line: &str) -> Result<(), FeedError> {
        self.begin_file()?.row(line)
    }

    fn go_on(&self) -> Result<(), FeedError> {
        if self.stop.is_cancelled() { Err(FeedError::Stopped) } else { Ok(()) }
    }
}

/// So many numbers at a time, ascending.
fn batches(numbers: &RoaringTreemap, size: usize) -> impl Iterator<Item = Vec<i64>> {
    let mut numbers = numbers.iter().map(u64::cast_signed);
    std::iter::from_fn(move || {
        let batch: Vec<i64> = numbers.by_ref().take(size).collect();
        (!batch.is_empty()).then_some(batch)
    })
}
