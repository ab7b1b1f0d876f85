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
use crate::config::settings::{Content, Removals};
use crate::store::{FeedPass, FeedSubject, time};

/// A file that is on the disk, under its temporary name.
pub struct Finished {
    pub sequence: i64,
    pub name: String,
    pub sha256: String,
    pub rows: u64,
}

/// The rows of one pass, while they are written: of one file, or of several where one would be too large.
pub struct Rows<'a> {
    pub layout: Layout<'a>,
    pub folder: Folder<'a>,
    /// The number of the file that is being written, or of the next one.
    pub sequence: i64,
    /// Those that are done.
    pub files: Vec<Finished>,
    /// The queries of the feed, by their numbers in the store.
    pub queries: &'a [i64],
    pub scope: Scope,
    pub removals: Removals,
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
        let mut gone = RoaringTreemap::new();
        for organizations in batches(&members, self.batch) {
            self.go_on()?;
            let apart = (self.removals == Removals::Files).then_some(&mut gone);
            self.compare(pass, content, &organizations, apart).await?;
        }
        if self.removals == Removals::Files {
            // Who is gone comes in a file of its own.
            self.finish_file()?;
        }
        for organizations in batches(&gone, self.batch) {
            self.go_on()?;
            self.compare(pass, content, &organizations, None).await?;
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
            none => {
                let name = self.layout.file(self.sequence);
                Ok(none.insert(NewFile::begin(self.folder, &name, &self.layout.head())?))
            }
        }
    }

    /// Brings the file that is being written to the disk.
    pub fn finish_file(&mut self) -> Result<(), FeedError> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let (sequence, rows) = (self.sequence, file.rows);
        let sha256 = file.finish()?;
        self.files.push(Finished { sequence, name: self.layout.file(sequence), sha256, rows });
        self.sequence += 1;
        Ok(())
    }

    /// Writes what differs of these; who is no member is put into `apart`, where there is one, and looked at later.
    async fn compare(
        &mut self,
        pass: &mut FeedPass<'_>,
        content: Content,
        organizations: &[i64],
        mut apart: Option<&mut RoaringTreemap>,
    ) -> Result<(), FeedError> {
        let mut written = Vec::new();
        for subject in pass.subjects(self.queries, organizations).await? {
            if let (None, Some(apart)) = (&subject.document, &mut apart) {
                apart.insert(subject.id.unsigned_abs());
                continue;
            }
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
        let limits = self.layout.limits();
        if self.file.as_ref().is_some_and(|file| file.is_full(limits, line)) {
            self.finish_file()?;
        }
        self.begin_file()?.row(line)
    }

    fn go_on(&self) -> Result<(), FeedError> {
        if self.stop.is_cancelled() { Err(FeedError::Stopped) } else { Ok(()) }
    }
}

/// So many numbers at a time, ascending.
pub fn batches(numbers: &RoaringTreemap, size: usize) -> impl Iterator<Item = Vec<i64>> {
    let mut numbers = numbers.iter().map(u64::cast_signed);
    std::iter::from_fn(move || {
        let batch: Vec<i64> = numbers.by_ref().take(size).collect();
        (!batch.is_empty()).then_some(batch)
    })
}
