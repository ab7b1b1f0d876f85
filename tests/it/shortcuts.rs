//! Rows that came last time, too, are not looked at, and rows are stored batch by batch as their pages come. A store in
//! which every row is looked at, all in one commit, is the plain way to compare with.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;
use vainu_sync::run;
use vainu_sync::sandbox::Order;
use vainu_sync::store::Status;

use crate::bench::{ALL_OF_FI, Bench, numbered, row};

/// Fields that queries can ask for; all share some.
const FIELDS: [&str; 4] = [
    r#"["name", "website"]"#,
    r#"["website", "staff_number"]"#,
    r#"["name", "staff_number", "founded"]"#,
    r#"["founded"]"#,
];

/// Few, so that much happens to each.
const COMPANIES: usize = 8;

/// How one company reads.
#[derive(Debug, Clone)]
struct Company {
    name: u8,
    website: Option<u8>,
    staff: u8,
    is_turned: bool,
    is_listed: bool,
}

#[derive(Debug, Clone)]
enum Step {
    /// These companies read so from now on.
    World(Vec<(usize, Company)>),
    /// All read as they did before the last such step.
    Back,
    /// A query asks for other fields, or for companies of another size.
    Edit { query: usize, fields: usize, least: u8 },
    /// The keys of a query whose changes are not logged.
    Quiet { query: usize, is_quiet: bool },
}

#[derive(Debug, Clone)]
struct Query {
    fields: usize,
    least: u8,
    is_quiet: bool,
}

impl Company {
    fn text(&self, number: usize) -> String {
        let mut members = vec![
            format!(r#""business_id":"FI{number:05}""#),
            format!(r#""name":"N{}""#, self.name),
            format!(r#""staff_number":{}"#, self.staff),
            format!(r#""founded":"19{}""#, 10 + self.name),
        ];
        members.extend(self.website.map(|website| format!(r#""website":"w{website}""#)));
        if self.is_turned {
            members.reverse();
        }
        format!("{{{}}}", members.join(","))
    }
}

fn company() -> impl Strategy<Value = Company> {
    (0..3_u8, proptest::option::of(0..3_u8), 0..9_u8, any::<bool>(), prop::bool::weighted(0.8)).prop_map(
        |(name, website, staff, is_turned, is_listed)| Company { name, website, staff, is_turned, is_listed },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let world = proptest::collection::vec((0..COMPANIES, company()), 1..COMPANIES);
    prop_oneof![
        4 => world.prop_map(Step::World),
        3 => Just(Step::Back),
        2 => (0..3_usize, 0..FIELDS.len(), 0..6_u8)
            .prop_map(|(query, fields, least)| Step::Edit { query, fields, least }),
        1 => (0..3_usize, any::<bool>()).prop_map(|(query, is_quiet)| Step::Quiet { query, is_quiet }),
    ]
}

fn configuration(queries: &[Query]) -> String {
    queries.iter().enumerate().fold(String::new(), |mut text, (number, query)| {
        let asked = format!(r#"{{"?GTE": {{"staff_number": {}}}}}"#, query.least);
        let table =
            ALL_OF_FI.replace("\"all\"", &format!("\"q{number}\"")).replace(r#"{"?ALL": []}"#, &asked);
        text += &table.replace(r#"["name"]"#, FIELDS[query.fields]);
        let quiet = if query.is_quiet { r#"["website", "founded"]"# } else { "[]" };
        writeln!(text, "quiet = {quiet}\nmax_departures = \"100%\"").unwrap();
        text
    })
}

/// Whatever a user can read of a store but for its times.
async fn told(bench: &Bench) -> BTreeSet<String> {
    let of = [
        "SELECT json_array(business_id, database, name, document, gone_at IS NULL) FROM organizations",
        "SELECT json_array(query, business_id, left_at IS NULL) FROM memberships",
        "SELECT json_array(seq, run_id, query, business_id, kind, before, after) FROM changes",
        "SELECT json_array(id, query, mode, status, fetched, created, updated, unchanged, entered, \"left\", \
         candidates, error) FROM runs",
    ];
    let mut told = BTreeSet::new();
    for sql in of {
        told.extend(bench.texts(&format!("{sql} ORDER BY 1")).await);
    }
    told
}

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(25);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_store_that_passes_over_what_is_the_same_tells_what_one_tells_that_looks_at_all(
        first in proptest::collection::vec(company(), COMPANIES),
        steps in proptest::collection::vec((step(), proptest::array::uniform3(prop::bool::weighted(0.6))), 1..12),
        (page_size, batch_rows, concurrency) in (2..6_u32, 1..5_usize, 1..4_u32),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut world, mut before) = (first.clone(), first);
            let mut queries =
                [0, 1, 2].map(|fields| Query { fields, least: 0, is_quiet: false });
            let mut fast = Bench::with_rows([], &configuration(&queries)).await;
            let mut plain = Bench::with_rows([], &configuration(&queries)).await;
            fast.batch_rows = batch_rows;
            plain.batch_rows = usize::MAX;
            let small_pages = format!("page_size = {page_size}\nconcurrency = {concurrency}");
            let all = (Step::World(Vec::new()), [true; 3]);
            for (step, runs) in std::iter::once(all).chain(steps) {
                match step {
                    Step::Back => std::mem::swap(&mut world, &mut before),
                    Step::World(companies) => {
                        before.clone_from(&world);
                        for (number, company) in companies {
                            world[number] = company;
                        }
                    }
                    Step::Edit { query, fields, least } => {
                        queries[query] = Query { fields, least, ..queries[query] };
                    }
                    Step::Quiet { query, is_quiet } => queries[query].is_quiet = is_quiet,
                }
                let listed = world.iter().enumerate().filter(|(_, company)| company.is_listed);
                let rows: Vec<String> = listed.map(|(number, company)| company.text(number)).collect();
                for (bench, api) in [(&mut fast, small_pages.as_str()), (&mut plain, "")] {
                    bench.control.set_rows("FI", rows.clone());
                    bench.configure(api, &configuration(&queries));
                    let mut runs = runs.into_iter();
                    bench.settings.queries.retain(|_| runs.next() == Some(true));
                }
                if plain.store_path().exists() {
                    plain.write("UPDATE _memberships SET fingerprint = NULL").await;
                }
                fast.sync().await;
                plain.sync().await;
                let (fast, plain) = (told(&fast).await, told(&plain).await);
                let only_fast: Vec<_> = fast.difference(&plain).collect();
                let only_plain: Vec<_> = plain.difference(&fast).collect();
                prop_assert!(only_fast.is_empty() && only_plain.is_empty(), "{only_fast:#?}\n{only_plain:#?}");
            }
            Ok(())
        })?;
    }
}

/// What somebody wrote into the store by hand.
const BY_HAND: &str =
    r#"UPDATE organizations SET document = '{"business_id":"FI00001","name":"other"}' WHERE id = 1"#;

#[tokio::test]
async fn a_row_that_came_last_time_too_is_passed_over() {
    let bench = Bench::with_rows(numbered(3), ALL_OF_FI).await;
    bench.sync_one().await;
    bench.write(BY_HAND).await;
    assert_eq!(bench.sync_one().await.numbers.unchanged, 3);
    bench.write("UPDATE _memberships SET fingerprint = NULL").await;
    let report = bench.sync_one().await;
    assert_eq!((report.numbers.unchanged, report.numbers.updated), (2, 1), "it can fail");
}

/// The way back for a store into which somebody wrote.
#[tokio::test]
async fn a_full_run_by_hand_looks_at_each_row() {
    let bench = Bench::with_rows(numbered(3), ALL_OF_FI).await;
    bench.sync_one().await;
    bench.write(BY_HAND).await;
    let full = run::Order { full: true, ..run::Order::default() };
    let report = bench.sync_as(full).await.remove(0);
    assert_eq!((report.numbers.unchanged, report.numbers.updated), (2, 1));
    let again = bench.sync_as(full).await.remove(0);
    assert_eq!((again.numbers.unchanged, again.numbers.updated), (3, 0));
}

#[tokio::test]
async fn the_first_row_of_an_id_wins_also_where_a_later_page_has_the_one_of_last_time() {
    let bench = Bench::with_rows(numbered(20), ALL_OF_FI).await;
    bench.sync_one().await;
    let mut rows = numbered(20);
    let as_it_was = rows[1].clone();
    rows[1] = row("FI00002", "renamed");
    rows.push(as_it_was);
    bench.control.switch(|switches| {
        switches.page_cap = Some(5);
        switches.order = Order::Ignored;
    });
    bench.control.set_rows("FI", rows);
    let numbers = bench.sync_one().await.numbers;
    assert_eq!((numbers.updated, numbers.unchanged), (1, 19));
    let name = "SELECT name FROM organizations WHERE business_id = 'FI00002'";
    assert_eq!(bench.texts(name).await, ["renamed"]);
}

#[tokio::test]
async fn what_was_created_stays_in_the_log_as_it_was() {
    let bench = Bench::with_rows([row("FI1", "first"), row("FI2", "b")], ALL_OF_FI).await;
    bench.sync_one().await;
    let created = "SELECT after FROM changes WHERE kind = 'created' ORDER BY business_id";
    assert_eq!(bench.texts(created).await, [row("FI1", "first"), row("FI2", "b")]);
    assert_eq!(bench.number("SELECT count(after) FROM _changes").await, 0, "it stands in the store once");
    for name in ["second", "third"] {
        bench.control.set_rows("FI", vec![row("FI1", name), row("FI2", "b")]);
        assert_eq!(bench.sync_one().await.status, Status::Succeeded);
        assert_eq!(bench.texts(created).await, [row("FI1", "first"), row("FI2", "b")]);
    }
    let updates =
        bench.texts("SELECT before || after FROM changes WHERE kind = 'updated' ORDER BY seq").await;
    assert_eq!(updates, [r#"{"name":"first"}{"name":"second"}"#, r#"{"name":"second"}{"name":"third"}"#]);
}
