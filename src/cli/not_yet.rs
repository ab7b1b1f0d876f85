//! Settings that this version accepts and does not act on.

use crate::config::{Loaded, Origin};

/// Keys, the query's name left out; what they are in the example; what happens instead.
const NOT_YET: [(&str, &str, &str); 1] = [("listen", "\"127.0.0.1:9464\"", "there is no listener")];

/// A sentence for each setting that somebody made and that has no effect yet.
pub fn notes(loaded: &Loaded) -> impl Iterator<Item = String> {
    let made = loaded.origins.iter().filter(|setting| setting.origin != Origin::Default);
    made.filter_map(|setting| {
        let last = setting.key.rsplit('.').next()?;
        let (_, example, instead) = NOT_YET.iter().find(|(key, ..)| *key == last)?;
        let without_it = [*example, "\"\""].contains(&&*setting.value);
        let note = format!("{}: {} has no effect in this version: {instead}", setting.origin, setting.key);
        (!without_it).then_some(note)
    })
}
