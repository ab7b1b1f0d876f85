//! What each pure part of a run takes: a page is split into rows, each row gets its fingerprint, becomes or changes a
//! document, and goes into a feed.
//!
//! `cargo bench --bench parts`; `-- NAME` does those alone whose names hold this. Each figure is of a thousand rows.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark ends with a panic where it can't measure"
)]

#[allow(dead_code, reason = "the rows alone are wanted here")]
#[path = "side_by_side/listing.rs"]
mod listing;

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use vainu_sync::config::settings::{Column, Content, Csv, Feed, Format, Limits, Removals};
use vainu_sync::feed::Layout;
use vainu_sync::merge::{Keys, Merged, Owners, first_document, merge, owned_keys};
use vainu_sync::organization::{Row, rows};
use vainu_sync::run::Fingerprints;

/// Rows of a page.
const ROWS: usize = 1000;

type Group<'c> = BenchmarkGroup<'c, WallTime>;

criterion_group!(benches, parts);
criterion_main!(benches);

fn parts(criterion: &mut Criterion) {
    let texts = tokio::runtime::Runtime::new().unwrap().block_on(listing::rows(ROWS));
    let page = page(&texts);
    let read = read(&page);
    let own = owned_keys(&listing::FIELDS.map(str::to_owned));
    let documents: Vec<String> = read.iter().map(|row| first_document(&row.members(), &own)).collect();

    let mut group = criterion.benchmark_group("1000 rows");
    group.throughput(Throughput::ElementsAndBytes { elements: ROWS as u64, bytes: page.len() as u64 });
    group.bench_function("split", |bencher| bencher.iter(|| rows(black_box(&page)).unwrap()));
    fingerprint(&mut group, &read);
    group.bench_function("first document", |bencher| {
        bencher.iter(|| all(&read, |row| first_document(&row.members(), &own)));
    });
    merging(&mut group, &read, &documents, &own);
    for (name, format) in [("feed row, CSV", csv()), ("feed row, JSON lines", Format::Jsonl)] {
        feed_row(&mut group, name, format, &documents);
    }
    group.finish();
}

fn fingerprint(group: &mut Group, read: &[Row]) {
    let fingerprints = Fingerprints::new(1, "{}", &HashMap::new());
    group.bench_function("fingerprint", |bencher| bencher.iter(|| all(read, |row| fingerprints.of(row))));
}

/// Rows that say what is stored, and rows whose names are others.
fn merging(group: &mut Group, read: &[Row], documents: &[String], own: &Keys) {
    let none = Keys::new();
    let owners = Owners { own, others: &none, quiet: &none };
    let merged = |stored: &[String], read: &[Row]| -> Vec<Merged> {
        let pairs = black_box(stored).iter().zip(read);
        pairs.map(|(stored, row)| merge(stored, &row.members(), owners)).collect()
    };
    let other: Vec<String> =
        documents.iter().map(|document| document.replacen(r#""name":""#, r#""name":"Old "#, 1)).collect();
    assert!(merged(documents, read).iter().all(|merged| *merged == Merged::Same));
    assert!(merged(&other, read).iter().all(|merged| matches!(merged, Merged::Updated { .. })));
    group.bench_function("merge, the same", |bencher| bencher.iter(|| merged(documents, read)));
    group.bench_function("merge, another name", |bencher| bencher.iter(|| merged(&other, read)));
}

fn feed_row(group: &mut Group, name: &str, format: Format, documents: &[String]) {
    let feed = feed(format);
    let layout = Layout::of(&feed);
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            all(documents, |document| layout.upsert("FI10002069", document, "2026-11-28T01:00:00.000Z"))
        });
    });
}

fn all<T, U>(of: &[T], part: impl FnMut(&T) -> U) -> Vec<U> {
    black_box(of).iter().map(part).collect()
}

fn page(rows: &[String]) -> String {
    format!("[{}]", rows.join(","))
}

fn read(page: &str) -> Vec<Row> {
    rows(page).unwrap().into_iter().map(Result::unwrap).collect()
}

fn csv() -> Format {
    Format::Csv(Csv {
        delimiter: ',',
        crlf: false,
        bom: false,
        null: String::new(),
        join: "; ".into(),
        spreadsheet_safe: false,
    })
}

/// The columns of an import of accounts.
fn feed(format: Format) -> Feed {
    let columns = [
        ("Account Number", "business_id"),
        ("Account Name", "name"),
        ("Website", "website"),
        ("Annual Revenue", "financial_data.revenue"),
        ("Number of Employees", "staff_number"),
        ("Industries", "official_industries[].description"),
        ("City", "business_units[0].visiting_address.city"),
        ("Contacts", "contacts"),
    ];
    Feed {
        name: "crm".into(),
        queries: vec!["all".into()],
        format,
        directory: "feeds".into(),
        content: Content::Delta,
        keep_files: Duration::from_secs(1),
        limits: Limits::default(),
        removals: Removals::Rows,
        after: None,
        webhook: None,
        columns: columns
            .into_iter()
            .map(|(header, path)| Column { header: header.into(), path: path.parse().unwrap() })
            .collect(),
    }
}
