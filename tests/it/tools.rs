//! What analysts read with, on the files of a feed and on the store beside the daemon: pandas, DuckDB, `sqlite3`.
//!
//! The variable `VAINU_SYNC_READERS` names a Python that has pandas, DuckDB and its extension for SQLite
//! (`pip install pandas duckdb-extension-sqlite-scanner`); without it these tests are skipped.

use std::ffi::OsString;
use std::process::Command;

use jiff::Timestamp;
use vainu_sync::sandbox::World;

use crate::bench::{Bench, named, rows_named};
use crate::consumer::{feed, folder, write_feeds};
use crate::life::Service;
use crate::program::{Ended, to_its_end, until};
use crate::questions::six_nights;

/// Reads each file by three readers, and replays what they read.
const FILES: &str = r#"
import csv, glob, duckdb, pandas, sqlite3
csv.field_size_limit(10**8)
rows, database = {}, duckdb.connect()
for path in sorted(glob.glob("feeds/crm-*.csv")):
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, strict=True)
        expected = list(reader)
    frame = pandas.read_csv(path, dtype=str, keep_default_na=False)
    assert list(frame.columns) == reader.fieldnames, (path, frame.columns)
    assert frame.to_dict("records") == expected, path
    read = database.execute(
        "SELECT * FROM read_csv(?, header = true, auto_detect = false, quote = '\"', escape = '\"', nullstr = '\x01',"
        " max_line_size = 20000000, columns = MAP_FROM_ENTRIES(?))".replace(
            "MAP_FROM_ENTRIES(?)", "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in reader.fieldnames) + "}"),
        [path])
    names = [column[0] for column in read.description]
    assert [dict(zip(names, row)) for row in read.fetchall()] == expected, path
    for row in frame.to_dict("records"):
        if row["change"] == "upsert":
            rows[row["business_id"]] = row["Name"]
        else:
            del rows[row["business_id"]]
members = dict(sqlite3.connect("file:vainu.db?mode=ro", uri=True).execute(
    "SELECT o.business_id, coalesce(o.document ->> 'name', '') FROM memberships m"
    " JOIN organizations o USING (business_id) WHERE m.left_at IS NULL"))
assert rows == members, (len(rows), len(members))
print(len(rows))
"#;

/// Reads the store by DuckDB and by Python's sqlite3.
const STORE: &str = r#"
import duckdb, sqlite3, duckdb_extension_sqlite_scanner as extension
from pathlib import Path
database = duckdb.connect()
found = next(Path(extension.__file__).parent.rglob("sqlite_scanner.duckdb_extension"))
database.execute(f"LOAD '{found}'")
database.execute("ATTACH 'vainu.db' AS vainu (TYPE sqlite, READ_ONLY)")
store = sqlite3.connect("file:vainu.db?mode=ro", uri=True)
key = lambda row: tuple((cell is not None, str(cell)) for cell in row)
for table in ["organizations", "memberships", "changes", "runs"]:
    told = database.execute(f"SELECT * FROM vainu.{table}")
    columns = ", ".join(f'"{column[0]}"' for column in told.description)
    expected = sorted(store.execute(f"SELECT {columns} FROM {table}").fetchall(), key=key)
    assert sorted(told.fetchall(), key=key) == expected and expected, table
# Views whose SQL is SQLite's own, SQLite answers; numbers come as text.
for view in ["latest_changes", "members_finnish_software"]:
    asked = f"SELECT * FROM {view}"
    told = database.execute(f"SELECT * FROM sqlite_query('vainu', '{asked}')").fetchall()
    expected = store.execute(asked).fetchall()
    assert sorted(map(key, told)) == sorted(map(key, expected)) and expected, view
largest = database.execute(
    "SELECT document ->> '$.name' FROM vainu.organizations ORDER BY business_id LIMIT 1").fetchone()
print(largest[0])
"#;

/// A Python with the readers; `None`, said, where there is none.
fn readers() -> Option<OsString> {
    let python = std::env::var_os("VAINU_SYNC_READERS").filter(|named| !named.is_empty());
    if python.is_none() {
        eprintln!(
            "skipped: VAINU_SYNC_READERS names no Python with pandas, DuckDB and its extension for SQLite"
        );
    }
    python
}

async fn run(python: &OsString, script: &str, bench: &Bench) -> Ended {
    let mut command = Command::new(python);
    command.args(["-c", script]).current_dir(bench.folder.path());
    let ended = to_its_end(command).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    ended
}

fn config() -> String {
    let query = named("all", r#"["name", "business_units.visiting_address.city"]"#);
    let columns = "Name = \"name\"\n\"City, of all\" = \"business_units[].visiting_address.city\"";
    format!("{query}max_departures = \"100%\"\n{}", feed("crm", "[\"all\"]", "", columns))
}

#[tokio::test(flavor = "multi_thread")]
async fn pandas_and_duckdb_read_the_files_as_python_does_night_after_night() {
    let Some(python) = readers() else { return };
    let bench = Bench::start(World::Generated { size: 300 }, &config()).await;
    folder(&bench);
    for night in 0..10 {
        bench.control.set_day(night * 5);
        bench.sync().await;
        write_feeds(&bench).await;
        if night % 3 == 0 {
            let read = run(&python, FILES, &bench).await;
            assert_eq!(read.out.trim(), bench.members("all").await.len().to_string());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pandas_and_duckdb_read_hostile_values_as_they_are() {
    let Some(python) = readers() else { return };
    let long = "x".repeat(2_000_000);
    let names = [
        "=cmd|' /C calc'!A0",
        "+358 40",
        "\"hi\"",
        "a\r\nb",
        "a\rb",
        "a\nb",
        "a,b;c\t",
        "😀",
        "",
        "NULL",
        "nan",
        "007",
        &long,
    ];
    let bench = Bench::with_rows(rows_named(&names), &config()).await;
    folder(&bench);
    bench.sync().await;
    write_feeds(&bench).await;
    assert_eq!(run(&python, FILES, &bench).await.out.trim(), names.len().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn duckdb_reads_the_store_beside_the_daemon() {
    let Some(python) = readers() else { return };
    let bench = six_nights(Timestamp::now()).await;
    let daemon = Service::start(&bench);
    until("the daemon plans", async || daemon.log().contains("next run")).await;
    let read = run(&python, STORE, &bench).await;
    assert!(read.out.starts_with("Company "), "{}", read.out);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite3_reads_the_store_beside_the_daemon() {
    if Command::new("sqlite3").arg("--version").output().is_err() {
        return eprintln!("skipped: sqlite3 is not installed");
    }
    let bench = six_nights(Timestamp::now()).await;
    let daemon = Service::start(&bench);
    until("the daemon plans", async || daemon.log().contains("next run")).await;
    for table in ["organizations", "changes", "latest_changes", "members_finnish_software"] {
        let mut command = Command::new("sqlite3");
        command.args(["-readonly", "vainu.db", &format!("SELECT count(*) FROM {table}")]);
        command.current_dir(bench.folder.path());
        let ended = to_its_end(command).await;
        let count = bench.number(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!((ended.code, ended.out.trim()), (Some(0), &*count.to_string()), "{table}: {}", ended.err);
    }
    assert_eq!(daemon.stop().await, Some(0));
}
