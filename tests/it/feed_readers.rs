//! A program that is not ours reads the files back: Python's own csv module.

use std::fs;
use std::process::Command;

use vainu_sync::sandbox::World;

use crate::bench::{Bench, named};
use crate::consumer::{feed, folder, write_feeds};
use crate::program::to_its_end;

/// Replays the files of a feed, and compares them with the members in the store and their documents.
const READER: &str = r##"
import csv, glob, json, sqlite3, sys
csv.field_size_limit(10**8)
rows = {}
for path in sorted(glob.glob("feeds/crm-*.csv")):
    raw = open(path, "rb").read()
    assert b"\0" not in raw, path
    with open(path, newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file, delimiter=";", strict=True):
            if row["change"] == "upsert":
                rows[row["business_id"]] = row
            else:
                assert row["change"] == "remove", row
                del rows[row["business_id"]]

def text(value):
    if value is None or value == "" or value == []:
        return "#N/A"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace("\0", "\ufffd")

store = sqlite3.connect("file:vainu.db?mode=ro", uri=True)
members = {}
for id, document in store.execute(
    "SELECT o.business_id, o.document FROM memberships m JOIN organizations o USING (business_id)"
    " WHERE m.left_at IS NULL"):
    members[id] = json.loads(document, parse_int=str, parse_float=str)
assert rows.keys() == members.keys(), (len(rows), len(members), rows.keys() ^ members.keys())
for id, document in members.items():
    row = rows[id]
    units = document.get("business_units") or []
    cities = [(unit.get("visiting_address") or {}).get("city") for unit in units]
    expected = {
        "Name": text(document.get("name")),
        "Revenue": text((document.get("financial_data") or {}).get("revenue")),
        "City": text(cities[0] if cities else None),
        "Cities": text("; ".join(city for city in cities if city)),
    }
    told = {key: row[key] for key in expected}
    assert told == expected, (id, told, expected)
    if units:
        assert json.loads(row["Units"], parse_int=str, parse_float=str) == units, row["Units"]
    else:
        assert row["Units"] == "#N/A"
print(len(rows))
"##;

fn config() -> String {
    let columns = r#"
Name = "name"
Revenue = "financial_data.revenue"
City = "business_units[0].visiting_address.city"
Cities = "business_units[].visiting_address.city"
Units = "business_units""#;
    let query = named("all", r#"["name", "financial_data.revenue", "business_units.visiting_address.city"]"#);
    let query = format!("{query}max_departures = \"100%\"\n");
    format!("{query}{}", feed("crm", "[\"all\"]", "delimiter = \";\"\nbom = true\nnull = \"#N/A\"", columns))
}

/// How many members Python found, all of them right; `None`: there is no Python.
async fn read_back(bench: &Bench) -> Option<usize> {
    let mut python = Command::new("python3");
    python.args(["-c", READER]).current_dir(bench.folder.path());
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: reading files back wants python3");
        return None;
    }
    let ended = to_its_end(python).await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    Some(ended.out.trim().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_nights_read_back_by_another_program_are_the_members_each_night() {
    let bench = Bench::start(World::Generated { size: 400 }, &config()).await;
    folder(&bench);
    for night in 0..30 {
        bench.control.set_day(night * 2);
        bench.sync().await;
        write_feeds(&bench).await;
        let Some(read) = read_back(&bench).await else { return };
        assert_eq!(read, bench.members("all").await.len());
    }
    assert!(fs::read_dir(bench.folder.path().join("feeds")).unwrap().count() > 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_values_read_back_as_they_are() {
    let long = "x".repeat(2_000_000);
    let names = [
        "=cmd|' /C calc'!A0",
        "+358 40 123",
        "say \\\"hi\\\"",
        "two\\r\\nlines",
        "lone\\rCR",
        "lone\\nLF",
        "a\\u0000b",
        "a;b,c\\td",
        "😀 \\ud83d\\ude00",
        "#N/A",
        "",
        "'",
        " spaces ",
        "\\ufeffmark",
        "\\u2028",
        "\\\\",
        "\\\"",
        &long,
    ];
    let rows = names.iter().enumerate().map(|(n, name)| {
        format!(
            "{{\"business_id\":\"FI{n:02}\",\"name\":\"{name}\",\"financial_data\":{{\"revenue\":-1.{n}0e5}},\
             \"business_units\":[{{\"visiting_address\":{{\"city\":\"{name}\"}}}},{{\"visiting_address\":null}}]}}"
        )
    });
    let bench = Bench::with_rows(rows, &config()).await;
    folder(&bench);
    bench.sync().await;
    write_feeds(&bench).await;
    // NUL is written as U+FFFD, within JSON too; everything else comes back as it is in the documents.
    bench.write("UPDATE organizations SET document = replace(document, '\\u0000', '\\ufffd')").await;
    if let Some(read) = read_back(&bench).await {
        assert_eq!(read, names.len());
    }
}
