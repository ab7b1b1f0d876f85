//! How a feed's files are written.

use crate::config::parse::choice;
use crate::config::report::Reported;
use crate::config::settings::{Csv, Format};
use crate::config::suggest::{did_you_mean, nearest};
use crate::config::table::Table;
use crate::config::value::{Given, boolean};

/// The keys that say how CSV is written.
const OF_CSV: [&str; 7] = ["target", "delimiter", "line_ending", "bom", "null", "join", "spreadsheet_safe"];

/// How a feed's files are written.
pub(super) fn format(table: &mut Table<'_>) -> Result<Format, Reported> {
    // What names a database was told apart before.
    let words = [("csv", true), ("jsonl", false), ("postgres", false)];
    let is_csv = table.required("format", |given| choice(given, &words));
    match is_csv {
        Ok(true) => csv(table).map(Format::Csv),
        Ok(false) => jsonl(table),
        Err(reported) => {
            for key in OF_CSV {
                table.know(key);
            }
            Err(reported)
        }
    }
}

fn csv(table: &mut Table<'_>) -> Result<Csv, Reported> {
    let targets = table.layers().targets();
    let target = table.optional("target", |given| {
        let text = given.text()?;
        let all = targets.join(", ");
        let meant = did_you_mean(nearest(text, targets.iter().copied()));
        if targets.contains(&text) { Ok(()) } else { Err(format!("is none of {all}{meant}")) }
    });
    let delimiter = table.required("delimiter", delimiter);
    let crlf = table.required("line_ending", |given| choice(given, &[("crlf", true), ("lf", false)]));
    let bom = table.required("bom", boolean);
    let null = table.required("null", text_without_nul);
    let join = table.required("join", text_without_nul);
    let spreadsheet_safe = table.required("spreadsheet_safe", boolean);
    target?;
    Ok(Csv {
        delimiter: delimiter?,
        crlf: crlf?,
        bom: bom?,
        null: null?,
        join: join?,
        spreadsheet_safe: spreadsheet_safe?,
    })
}

/// Who writes an option of CSV there expects something of it.
fn jsonl(table: &mut Table<'_>) -> Result<Format, Reported> {
    let mut idle = Vec::new();
    for key in OF_CSV {
        table.know(key);
        if table.has(key) {
            idle.push(key);
        }
    }
    for key in &idle {
        let message = "is an option of CSV, and this feed has format = \"jsonl\"; leave one of the two out";
        table.contradiction(key, message.into());
    }
    if idle.is_empty() { Ok(Format::Jsonl) } else { Err(Reported) }
}

fn delimiter(given: &Given<'_>) -> Result<char, String> {
    let text = given.text()?;
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some('"' | '\r' | '\n' | '\0'), None) => {
            Err("has another meaning in CSV; write another character, as \",\" or \";\"".into())
        }
        (Some(letter), None) => Ok(letter),
        (None, _) => Err("is empty; write one character, as \",\" or \";\"".into()),
        _ if text == "\\t" || text.eq_ignore_ascii_case("tab") => {
            Err(r#"is more than one character; a tab is "\t", in double quotes"#.into())
        }
        _ => Err("is more than one character; write one, as \",\" or \";\"".into()),
    }
}

fn text_without_nul(given: &Given<'_>) -> Result<String, String> {
    match given.text()? {
        text if text.contains('\0') => Err("holds a NUL character, which no CSV file may have".into()),
        text => Ok(text.to_owned()),
    }
}
