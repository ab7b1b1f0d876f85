//! `[[feeds]]` with `format = "postgres"`: tables of a database in the place of files.

use figment::value::{Dict, Value};
use secrecy::SecretString;

use super::column::warehouse_columns;
use super::credential::note_if_open;
use super::feed::{self, All};
use super::layers::Layers;
use super::parse::choice;
use super::problem::Origin;
use super::report::{Report, Reported};
use super::settings::{Departed, Secret, Warehouse};
use super::table::Table;
use super::value::{Given, path};

/// The keys of a database alone.
pub(super) const OF_WAREHOUSE: [&str; 4] = ["url", "url_file", "schema", "table"];

/// The keys of files alone.
const OF_FILES: [&str; 17] = [
    "directory",
    "content",
    "keep_files",
    "delimiter",
    "line_ending",
    "bom",
    "null",
    "join",
    "spreadsheet_safe",
    "target",
    "max_rows",
    "max_bytes",
    "after",
    "after_timeout",
    "webhook_url",
    "webhook_secret",
    "webhook_secret_file",
];

/// What PostgreSQL takes of a name. It cuts longer ones off without a word.
pub(super) const LONGEST_NAME: usize = 63;

/// The longest ending of the tables beside the named one: `_memberships`.
const LONGEST_ENDING: usize = 12;

/// Whether a feed's table is one of these.
pub(super) fn is_warehouse(keys: &Dict) -> bool {
    keys.get("format").and_then(Value::as_str) == Some("postgres")
}

pub(super) fn warehouse(
    layers: &Layers,
    report: &mut Report,
    path: &str,
    keys: &Dict,
    all: &All<'_>,
) -> Result<(Warehouse, Origin), Reported> {
    let mut table = feed::table(layers, report, path, keys);
    let (name, queries) = (feed::name(&mut table), feed::queries(&mut table, all));
    let format = table.required("format", |given| given.text().map(|_| ()));
    let url = url(&mut table);
    let schema = table.required("schema", |given| identifier(given, LONGEST_NAME));
    let named = table.required("table", |given| identifier(given, LONGEST_NAME - LONGEST_ENDING));
    let words = [("mark", Departed::Marked), ("delete", Departed::Deleted)];
    let removals = table.optional("removals", |given| choice(given, &words));
    let columns = warehouse_columns(&mut table, queries.as_deref().unwrap_or_default(), all.right);
    let idle =
        refuse(&mut table, &OF_FILES, "belongs to feeds of files, and this one has format = \"postgres\"");
    let place = table.origin_of("name");
    table.finish();
    format?;
    idle?;
    let warehouse = Warehouse {
        name: name?,
        queries: queries?,
        url: url?,
        schema: schema?,
        table: named?,
        removals: removals?.unwrap_or(Departed::Marked),
        columns: columns?,
    };
    Ok((warehouse, place))
}

/// Makes these keys known, and reports those that the table has: who writes one there expects something of it.
pub(super) fn refuse(table: &mut Table<'_>, keys: &[&'static str], why: &str) -> Result<(), Reported> {
    let mut idle = false;
    for key in keys {
        table.know(key);
        if table.has(key) {
            idle = true;
            table.contradiction(key, format!("{why}; leave one of the two out"));
        }
    }
    if idle { Err(Reported) } else { Ok(()) }
}

/// The address with its password: in a file, or as it is.
fn url(table: &mut Table<'_>) -> Result<Secret, Reported> {
    let (has_value, has_file) = (table.has("url"), table.has("url_file"));
    if has_value && has_file {
        table.know("url_file");
        table.contradiction("url", "is set beside url_file; keep one of them".into());
        return Err(Reported);
    }
    if has_value {
        table.know("url_file");
        return table.required("url", |given| match given.text()?.trim() {
            "" => Err("is empty; write postgres://USER:PASSWORD@HOST/DATABASE".into()),
            url => Ok(Secret::Value(SecretString::from(url))),
        });
    }
    table.know("url");
    if !has_file {
        table.missing(
            "url_file is missing; it names a file that holds the database's address, as \
             postgres://USER:PASSWORD@HOST/DATABASE",
        );
        return Err(Reported);
    }
    let file = table.required("url_file", |given| match given.text()? {
        // Its value would be shown.
        text if text.contains("://") => Ok(None),
        _ => path(given).map(Some),
    })?;
    let Some(file) = file else {
        table.contradiction(
            "url_file",
            "holds an address; write that into a file, and name the file here".into(),
        );
        return Err(Reported);
    };
    note_if_open(&file, table.report());
    Ok(Secret::File(file))
}

fn identifier(given: &Given<'_>, longest: usize) -> Result<String, String> {
    match given.text()? {
        "" => Err("is empty; give it a name".into()),
        text if text.contains('\0') => Err("holds a NUL character, which no name may have".into()),
        text if text.len() > longest => Err(format!(
            "is longer than the {longest} bytes that PostgreSQL leaves for it; write a shorter one"
        )),
        text => Ok(text.to_owned()),
    }
}
