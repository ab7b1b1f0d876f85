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

/// Reads each file of JSON lines by pandas and by DuckDB as docs/feeds.md says, and replays what each of them reads.
/// DuckDB has texts and whole numbers as they are, and other numbers as floats; its lines are those of the file.
const JSON_LINES: &str = r#"
import duckdb, glob, json, pandas, sqlite3
from decimal import Decimal
exactly = lambda text: json.loads(text, parse_float=Decimal)
def told(value):
    if isinstance(value, dict):
        return {told(key): told(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [told(inner) for inner in value]
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(value) if isinstance(value, Decimal) else value
def replay(rows, read):
    for row in read:
        if row["change"] == "upsert":
            rows[row["business_id"]] = [row["Name"], row["Revenue"], row["Units"]]
        else:
            assert row["change"] == "remove" and row["Name"] is row["Revenue"] is row["Units"] is None, row
            del rows[row["business_id"]]
database, of_pandas, of_duckdb = duckdb.connect(), {}, {}
columns = ", ".join(f"{name}: 'VARCHAR'" for name in
    ["change", "business_id", "Name", "Revenue", "Units", "changed_at"])
for path in sorted(glob.glob("feeds/crm-*.jsonl")):
    with open(path, encoding="utf-8") as file:
        frame = pandas.DataFrame([exactly(line) for line in file], dtype=object)
    replay(of_pandas, frame.to_dict("records"))
    read = database.execute(f"SELECT * FROM read_ndjson(?, columns = {{{columns}}})", [path])
    names = [column[0] for column in read.description]
    replay(of_duckdb, [dict(zip(names, row)) for row in read.fetchall()])
    with open(path, encoding="utf-8") as file:
        lines = database.execute("SELECT json FROM read_ndjson_objects(?)", [path]).fetchall()
        assert [line + "\n" for line, in lines] == file.readlines(), path
members = {}
for id, document in sqlite3.connect("file:vainu.db?mode=ro", uri=True).execute(
    "SELECT o.business_id, o.document FROM memberships m JOIN organizations o USING (business_id)"
    " WHERE m.left_at IS NULL"):
    document = told(exactly(document))
    revenue = (document.get("financial_data") or {}).get("revenue")
    members[id] = [document.get("name"), revenue, document.get("business_units")]
assert of_pandas.keys() == of_duckdb.keys() == members.keys(), (len(of_pandas), len(of_duckdb), len(members))
for id, (name, revenue, units) in members.items():
    found = of_pandas[id]
    assert found == [name, revenue, units] and str(found[1]) == str(revenue), (id, found, members[id])
    found = [of_duckdb[id][0]] + [text and exactly(text) for text in of_duckdb[id][1:]]
    assert rounded(found) == rounded([name, revenue, units]), (id, found, members[id])
print(len(members))
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

/// Of ten nights in which companies come, go and change, some are read.
async fn read_night_after_night(script: &str, queries: &str) {
    let Some(python) = readers() else { return };
    let bench = Bench::start(World::Generated { size: 300 }, queries).await;
    folder(&bench);
    for night in 0..10 {
        bench.control.set_day(night * 5);
        bench.sync().await;
        write_feeds(&bench).await;
        if night % 3 == 0 {
            let read = run(&python, script, &bench).await;
            assert_eq!(read.out.trim(), bench.members("all").await.len().to_string());
        }
    }
}

async fn read_once(python: &OsString, script: &str, bench: &Bench, members: usize) {
    folder(bench);
    bench.sync().await;
    write_feeds(bench).await;
    assert_eq!(run(python, script, bench).await.out.trim(), members.to_string());
}

fn config() -> String {
    let query = named("all", r#"["name", "business_units.visiting_address.city"]"#);
    let columns = "Name = \"name\"\n\"City, of all\" = \"business_units[].visiting_address.city\"";
    format!("{query}max_departures = \"100%\"\n{}", feed("crm", "[\"all\"]", "", columns))
}

#[tokio::test(flavor = "multi_thread")]
async fn pandas_and_duckdb_read_the_files_as_python_does_night_after_night() {
    read_night_after_night(FILES, &config()).await;
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
    read_once(&python, FILES, &bench, names.len()).await;
}

fn json_lines() -> String {
    let query = named("all", r#"["name", "financial_data.revenue", "business_units.visiting_address.city"]"#);
    let columns = "Name = \"name\"\nRevenue = \"financial_data.revenue\"\nUnits = \"business_units\"";
    let feed = feed("crm", "[\"all\"]", "format = \"jsonl\"", columns);
    format!("{query}max_departures = \"100%\"\n{feed}")
}

#[tokio::test(flavor = "multi_thread")]
async fn pandas_and_duckdb_replay_json_lines_to_the_members_of_each_night() {
    read_night_after_night(JSON_LINES, &json_lines()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pandas_and_duckdb_read_hostile_json_lines_and_numbers_as_they_are() {
    let Some(python) = readers() else { return };
    let long = "x".repeat(2_000_000);
    let names = [
        "=cmd|' /C calc'!A0",
        "say \\\"hi\\\"",
        "two\\r\\nlines",
        "lone\\rCR",
        "a\\u0000b",
        "a;b,c\\td",
        "😀 \\ud83d\\ude00",
        "",
        "null",
        "NaN",
        "007",
        "2026-01-01",
        "{}",
        "\\u2028\\u0085",
        "\\ufeff",
        &long,
    ];
    let numbers = [
        "12345678901234567890123456789012345678901",
        "18446744073709551616",
        "-9223372036854775809",
        "9007199254740993",
        "12345678901234567890.10",
        "0.1000000000000000055511151231257827",
        "12.50",
        "-0.0",
        "1e400",
        "1E-7",
        "0",
        "null",
    ];
    let rows = names.iter().enumerate().map(|(n, name)| {
        let number = numbers[n % numbers.len()];
        format!(
            "{{\"business_id\":\"FI{n:02}\",\"name\":\"{name}\",\"financial_data\":{{\"revenue\":{number}}},\
             \"business_units\":[{{\"visiting_address\":{{\"city\":\"{name}\",\"n\":{number}}}}}]}}"
        )
    });
    let bench = Bench::with_rows(rows, &json_lines()).await;
    read_once(&python, JSON_LINES, &bench, names.len()).await;
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
