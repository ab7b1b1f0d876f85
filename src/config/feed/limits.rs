//! How large a file may be, and what becomes of who is no member any more.

use crate::config::parse::choice;
use crate::config::report::Reported;
use crate::config::settings::{Content, Limits, Removals};
use crate::config::table::Table;
use crate::config::value::Given;

/// `max_rows` and `max_bytes`.
pub(super) fn limits(table: &mut Table<'_>) -> Result<Limits, Reported> {
    let rows = table.optional("max_rows", |given| given.integer(1..=u32::MAX));
    let bytes = table.optional("max_bytes", size);
    Ok(Limits { rows: rows?, bytes: bytes? })
}

/// `removals`, which has another default and other values for tables of a database.
pub(super) fn removals(table: &mut Table<'_>) -> Result<Removals, Reported> {
    let words = [("rows", Removals::Rows), ("files", Removals::Files)];
    Ok(table.optional("removals", |given| choice(given, &words))?.unwrap_or(Removals::Rows))
}

/// A snapshot is one file.
pub(super) fn refuse_with_snapshot(table: &mut Table<'_>, content: Content) -> Result<(), Reported> {
    if content == Content::Delta {
        return Ok(());
    }
    let mut is_refused = false;
    for key in ["target", "max_rows", "max_bytes"] {
        if table.has(key) {
            let message = "is for a delta, and this feed has content = \"snapshot\", which is one file with \
                           every member; leave one of the two out";
            table.contradiction(key, message.into());
            is_refused = true;
        }
    }
    if is_refused { Err(Reported) } else { Ok(()) }
}

/// A number of bytes, in thousands of thousands as the systems give them.
fn size(given: &Given<'_>) -> Result<u64, String> {
    const UNITS: [(&str, u64); 4] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000), ("B", 1)];
    const LEAST: u64 = 1000;
    let example = r#"write a size with its unit, as "100MB""#;
    let text = given.text().map_err(|reason| format!("{reason}, as \"100MB\""))?.trim();
    let parsed = UNITS.iter().find_map(|(unit, size)| {
        let number = text.strip_suffix(unit)?.trim_end();
        let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| number.parse::<u64>().ok()?.checked_mul(*size)).flatten()
    });
    match parsed {
        Some(bytes) if bytes < LEAST => Err(r#"is too small for a row; write "1kB" or more"#.into()),
        Some(bytes) => Ok(bytes),
        None => Err(format!("is no size; {example}, with B, kB, MB or GB")),
    }
}
