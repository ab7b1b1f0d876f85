//! The feeds that `deploy/feeds/` shows, read back by the rules of the systems that they are for.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::bench::Bench;
use crate::consumer::{Consumer, feed, folder, numbered, rows};
use crate::feeds::{company, crm};
use crate::program::vainu_sync;

const EXAMPLES: [(&str, &str); 4] = [
    ("salesforce", include_str!("../../deploy/feeds/salesforce.toml")),
    ("hubspot", include_str!("../../deploy/feeds/hubspot.toml")),
    ("dynamics", include_str!("../../deploy/feeds/dynamics.toml")),
    ("pipedrive", include_str!("../../deploy/feeds/pipedrive.toml")),
];

/// What a system's import wants of a file.
struct Rules {
    bom: bool,
    line_end: &'static str,
    /// What stands for no value.
    empty: &'static str,
    rows: usize,
    bytes: usize,
}

fn rules(target: &str) -> Rules {
    let rules = Rules { bom: false, line_end: "\r\n", empty: "", rows: usize::MAX, bytes: usize::MAX };
    match target {
        "salesforce" => Rules { line_end: "\n", empty: "#N/A", bytes: 100_000_000, ..rules },
        "hubspot" => Rules { rows: 1_048_575, bytes: 512_000_000, ..rules },
        "dynamics" => Rules { bom: true, bytes: 8_000_000, ..rules },
        _ => Rules { rows: 50_000, bytes: 50_000_000, ..rules },
    }
}

fn full(id: u32, name: &str, city: Option<&str>) -> String {
    let units = city.map_or("[]".into(), |city| format!(r#"[{{"visiting_address":{{"city":"{city}"}}}}]"#));
    format!(
        r#"{{"business_id":"FI{id}","name":"{name}","website":null,"phone":"+358 40 1","staff_number":{id},
            "financial_data":{{"revenue":2000000.50}},"business_units":{units}}}"#
    )
}

/// Reads a file as the system would: its rows by header, after a look at all that it is strict about.
fn read(path: &Path, rules: &Rules) -> Vec<BTreeMap<String, String>> {
    let bytes = fs::read(path).unwrap();
    assert!(bytes.len() <= rules.bytes);
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.starts_with('\u{feff}'), rules.bom, "{}", path.display());
    let text = text.trim_start_matches('\u{feff}');
    assert!(text.ends_with(rules.line_end) && text.lines().next().is_some());
    assert_eq!(text.contains('\r'), rules.line_end == "\r\n");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        headers.iter().map(ToOwned::to_owned).zip(record.iter().map(ToOwned::to_owned)).collect()
    };
    let all: Vec<BTreeMap<String, String>> = reader.records().map(|record| row(record.unwrap())).collect();
    assert!(all.len() <= rules.rows);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn each_example_gives_files_by_the_rules_of_its_system() {
    for (target, example) in EXAMPLES {
        let rules = rules(target);
        let mut first = vec![full(1, "Åkerman, \\\"Oy\\\"", Some("Turku"))];
        first.extend((2..=10).map(|id| full(id, "b", None)));
        let bench = Bench::with_rows(first, example).await;
        let folder = folder(&bench);
        let done = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(done.code, Some(0), "{target}: {}{}", done.out, done.err);
        let paths = numbered(&folder, target);
        let [path] = paths.as_slice() else { panic!("{target}: {paths:?}") };
        let told = read(path, &rules);
        let cell = |row: &BTreeMap<String, String>, part: &str| {
            let (_, value) = row.iter().find(|(header, _)| header.ends_with(part)).unwrap();
            value.clone()
        };
        assert_eq!(told.len(), 10);
        assert_eq!(
            (cell(&told[0], "City"), cell(&told[1], "City")),
            ("Turku".into(), rules.empty.into()),
            "{target}"
        );
        assert!(told[0].values().any(|value| value == "Åkerman, \"Oy\""), "{target}: {:?}", told[0]);
        assert!(told[0].values().any(|value| value == "2000000.50"), "{target}: {:?}", told[0]);
        let mut second = vec![full(1, "a", Some("Turku")), full(2, "b", None)];
        second.extend((4..=30).map(|id| full(id, "b", None)));
        bench.control.set_rows("FI", second);
        let done = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(done.code, Some(0), "{target}: {}{}", done.out, done.err);
        let files = format!("{target}-00000002.csv to {target}-00000003.csv: 22 rows, 1 of them removals");
        assert!(done.out.contains(&files), "{}", done.out);
        let changes = |path: &Path| {
            let mut changes: Vec<String> =
                read(path, &rules).iter().map(|row| row["change"].clone()).collect();
            changes.dedup();
            changes
        };
        let paths = numbered(&folder, target);
        assert_eq!(changes(paths.last().unwrap()), ["remove"], "who left comes in a file of its own");
        for path in &paths[..paths.len() - 1] {
            assert_eq!(changes(path), ["upsert"], "{}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_beyond_a_limit_comes_in_another_file_and_nothing_is_lost() {
    let lines = "max_rows = 7\nremovals = \"files\"\nafter = [\"/bin/sh\", \"-c\", \"echo $VAINU_SYNC_SEQUENCE >>taken\"]";
    let small = feed("small", "[\"all\"]", "max_bytes = \"1kB\"", "Name = \"name\"");
    let night = |from: usize| -> Vec<String> {
        (from..from + 30).map(|id| company(&format!("FI{id:03}"), &format!("name {from}"), "")).collect()
    };
    let query = crm(lines).replacen("[[queries]]", "[[queries]]\nmax_departures = \"100%\"", 1);
    let bench = Bench::with_rows(night(0), &format!("{query}{small}")).await;
    let folder = folder(&bench);
    let done = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    assert!(done.out.contains("feed crm: crm-00000001.csv to crm-00000005.csv: 30 rows\n"), "{}", done.out);
    bench.control.set_rows("FI", night(20));
    let done = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    let sizes: Vec<usize> = numbered(&folder, "crm").iter().map(|path| rows(path).len()).collect();
    assert_eq!(sizes, [7, 7, 7, 7, 2, 7, 7, 7, 7, 2, 7, 7, 6]);
    let taken = fs::read_to_string(folder.join("taken")).unwrap();
    assert_eq!(taken.lines().collect::<Vec<_>>(), (1..=13).map(|at| at.to_string()).collect::<Vec<_>>());
    for path in numbered(&folder, "small") {
        assert!(fs::metadata(&path).unwrap().len() <= 1000, "{}", path.display());
    }
    for name in ["crm", "small"] {
        let members = Consumer::of(&folder, name);
        assert_eq!(members.len(), 30, "{name}");
        assert!(members.values().all(|row| row["Name"] == "name 20"), "{name}");
    }
    let told = crate::consumer::manifest(&folder, "crm");
    assert_eq!((&told["sequence"], &told["rows"]), (&13.into(), &6.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_lack_their_names_after_a_death_get_them_and_lost_ones_come_again() {
    for lost in [false, true] {
        let night =
            |name: &str| (0..20).map(|id| company(&format!("FI{id:02}"), name, "")).collect::<Vec<_>>();
        let bench = Bench::with_rows(night("a"), &crm("max_rows = 8")).await;
        let folder = folder(&bench);
        assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
        // As a death between the commit and the names leaves them: one has its name, the others have not.
        for part in [2, 3] {
            let name = format!("crm-0000000{part}.csv");
            fs::rename(folder.join(&name), folder.join(format!(".{name}.tmp"))).unwrap();
        }
        for table in ["_feeds", "_feed_files"] {
            bench.write(&format!("UPDATE {table} SET unplaced = 1")).await;
        }
        if lost {
            fs::remove_file(folder.join(".crm-00000003.csv.tmp")).unwrap();
        }
        assert_eq!(vainu_sync(&bench, &["feed"]).await.code, Some(0));
        assert_eq!(numbered(&folder, "crm").len(), if lost { 5 } else { 3 }, "{lost}");
        assert_eq!(Consumer::of(&folder, "crm").len(), 20, "{lost}");
        assert_eq!(bench.number("SELECT count(*) FROM _feed_files WHERE unplaced").await, 0);
    }
}
