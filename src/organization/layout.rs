use std::borrow::Cow;
use std::ops::Range;

use super::members::{Entries, Texts};

/// Where the entries of an object stand in its text, so that it need not be read again for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout(Box<[Entry]>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    key: Range<u32>,
    value: Range<u32>,
}

impl Layout {
    /// Of the entries that were read from `text`; `None` where a key does not stand there as it is.
    pub fn of(entries: &Entries, text: &str) -> Option<Self> {
        let place = |part: &str| {
            let start = part.as_ptr().addr() - text.as_ptr().addr();
            Some(u32::try_from(start).ok()?..u32::try_from(start + part.len()).ok()?)
        };
        // Room for all at once: `collect` would not know how much an `Option` takes.
        let mut layout = Vec::with_capacity(entries.0.len());
        for (key, value) in &entries.0 {
            let Cow::Borrowed(key) = key else { return None };
            layout.push(Entry { key: place(key)?, value: place(value.get())? });
        }
        Some(Self(layout.into()))
    }

    /// The members of the object, whose text is `text`.
    pub fn members<'a>(&self, text: &'a str) -> Texts<'a> {
        let part = |at: &Range<u32>| &text[at.start as usize..at.end as usize];
        self.0.iter().map(|entry| (Cow::Borrowed(part(&entry.key)), part(&entry.value))).collect()
    }
}
