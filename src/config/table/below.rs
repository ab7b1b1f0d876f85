//! A table below another, whose keys are its user's own: `[feeds.columns]`.

use figment::value::Value;

use super::super::document::join;
use super::super::problem::Origin;
use super::super::report::{Reported, Setting};
use super::super::value::{Given, brief, kind, shown};
use super::Table;

/// A key of a table below another, and what it holds.
pub(in crate::config) struct Below<'a> {
    pub key: &'a str,
    pub value: &'a Value,
    /// How messages call it.
    pub shown: String,
    pub origin: Origin,
}

impl<'a> Table<'a> {
    /// The keys of the table under `key`, in the order of the file; `None` if there is none. `shape` says how to
    /// write one.
    pub fn table_below(
        &mut self,
        key: &'static str,
        shape: &str,
    ) -> Result<Option<Vec<Below<'a>>>, Reported> {
        let Some(hit) = self.hit(key) else { return Ok(None) };
        let Some(keys) = hit.value.as_dict() else {
            self.wrong(hit.shown, format!("is {}; {shape}", kind(hit.value)), hit.origin);
            return Err(Reported);
        };
        let below = |(key, value): (&'a String, &'a Value)| {
            let path = join(&hit.path, key);
            let place = self.layers.place_in_file(&path);
            let origin = self.layers.origin(value, &path);
            (place, Below { key, value, shown: format!("{}.{key:?}", hit.shown), origin })
        };
        let mut entries: Vec<(usize, Below<'a>)> = keys.iter().map(below).collect();
        entries.sort_by_key(|(place, _)| *place);
        Ok(Some(entries.into_iter().map(|(_, entry)| entry).collect()))
    }

    /// The value of a key in a table below this one.
    pub fn value_below<T>(
        &mut self,
        below: &Below<'a>,
        parse: impl FnOnce(&Given<'_>) -> Result<T, String>,
    ) -> Result<T, Reported> {
        let Below { value, shown: name, origin, .. } = below;
        match parse(&Given { value, origin, base: self.layers.base(origin) }) {
            Ok(parsed) => {
                let setting = Setting { key: name.clone(), value: shown(value), origin: origin.clone() };
                self.report.settings.push(setting);
                Ok(parsed)
            }
            Err(reason) => {
                self.wrong(name.clone(), format!("{} {reason}", brief(&shown(value))), origin.clone());
                Err(Reported)
            }
        }
    }
}
