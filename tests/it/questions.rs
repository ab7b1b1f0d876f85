//! The questions of `docs/data-model.md`, each asked as it stands there.

use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::bench::{Bench, named};

/// The company whose history the document asks for.
const ASKED: u32 = 5;

pub fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Each block of SQL in the document, with the heading above it.
pub fn questions() -> Vec<(String, String)> {
    let text = read("docs/data-model.md");
    let mut questions = Vec::new();
    for section in text.split("\n## ").flat_map(|chapter| chapter.split("\n### ")) {
        let heading = section.lines().next().unwrap();
        for block in section.split("```sql\n").skip(1) {
            let sql = block.split("```").next().unwrap().trim().trim_end_matches(';');
            questions.push((heading.to_owned(), sql.to_owned()));
        }
    }
    questions
}

#[derive(Clone)]
struct Company {
    number: u32,
    site: String,
    revenue: u32,
}

impl Company {
    fn new(number: u32) -> Self {
        Self { number, site: format!("{number}.example"), revenue: number * 100 }
    }

    /// Company 1 has no office, each odd one has one in Espoo, all have two in Oulu.
    fn row(&self) -> String {
        let Self { number, site, revenue } = self;
        let unit = |city: &str| format!(r#"{{"visiting_address":{{"city":"{city}"}}}}"#);
        let units = match number {
            1 => Vec::new(),
            number if number % 2 == 1 => vec![unit("Oulu"), unit("Espoo"), unit("Oulu")],
            _ => vec![unit("Oulu"), unit("Oulu")],
        };
        format!(
            r#"{{"business_id":"{}","name":"Company {number}","website":"{site}","financial_data":{{"revenue":{revenue}}},"business_units":[{}]}}"#,
            id(*number),
            units.join(","),
        )
    }
}

fn id(number: u32) -> String {
    format!("FI{}", 10_000_000 + number)
}

fn ids(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(id).collect()
}

/// Two queries, of which the first sees changes that concern the second.
fn both() -> String {
    let exporters = named("finnish-exporters", r#"["name", "website", "financial_data.revenue"]"#)
        .replace(r#"{"?ALL": []}"#, r#"{"?GTE": {"financial_data.revenue": 1000}}"#);
    format!("{exporters}{}", software())
}

fn software() -> String {
    named(
        "finnish-software",
        r#"["name", "website", "financial_data.revenue", "business_units.visiting_address.city"]"#,
    )
}

/// Companies as they are at first.
pub fn at_first(numbers: impl Iterator<Item = u32>) -> Vec<String> {
    numbers.map(|number| Company::new(number).row()).collect()
}

/// A store of six nights, the last one just now.
pub async fn six_nights(now: Timestamp) -> Bench {
    let mut companies: Vec<Company> = (1..=20).map(Company::new).collect();
    let rows = |companies: &[Company]| companies.iter().map(Company::row).collect::<Vec<_>>();
    let mut bench = Bench::with_rows(rows(&companies), &both()).await;
    for days_ago in [40, 20, 10, 3, 1, 0] {
        match days_ago {
            20 => companies.retain(|company| company.number != 2),
            10 => {
                companies[1].revenue = 900;
                "new.example".clone_into(&mut companies[10].site);
                companies.retain(|company| company.number != ASKED);
            }
            3 => {
                companies.extend([Company::new(ASKED), Company::new(21)]);
                companies[3].revenue = 500;
            }
            1 => {
                companies.push(Company::new(23));
                bench.configure("", &software());
            }
            0 => {
                companies.push(Company::new(22));
                companies[10].revenue = 1350;
            }
            _ => {}
        }
        bench.control.set_rows("FI", rows(&companies));
        for report in bench.sync_at(now - SignedDuration::from_hours(24 * days_ago)).await {
            assert_eq!(report.error, None, "{days_ago} days ago");
        }
    }
    bench
}

/// What the document's SQL answers under this heading: of each row what `columns` makes of it.
async fn answer(bench: &Bench, heading: &str, columns: &str) -> Vec<String> {
    let questions = questions();
    let (_, sql) = questions.iter().find(|(asked, _)| asked == heading).unwrap();
    bench.texts(&format!("SELECT {columns} FROM ({sql})")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_question_gets_its_answer() {
    let now = Timestamp::now();
    let bench = six_nights(now).await;
    let of = async |heading: &str, columns: &str| answer(&bench, heading, columns).await;
    let mut new = of("Who is new this week?", "business_id").await;
    new.sort();
    assert_eq!(new, ids([ASKED, 21, 22, 23]));
    let left = of("Who left in the last 30 days, and when?", "business_id || ' ' || date(left_at)").await;
    let day = |days_ago: i64| (now - SignedDuration::from_hours(24 * days_ago)).strftime("%F").to_string();
    assert_eq!(left, [format!("{} {}", id(2), day(20))], "who came back has not left");
    let grew = of("Whose revenue grew?", "name || ': ' || was || ' to ' || became").await;
    assert_eq!(grew, ["Company 3: 300 to 900", "Company 13: 1300 to 1350"]);
    let two = of("Which companies are in two queries?", "business_id").await;
    assert_eq!(two, ids(10..=21));
    let sites = of("Who has another website now?", "name || ': ' || was || ' to ' || became").await;
    assert_eq!(sites, ["Company 12: 12.example to new.example"]);
    let stale = "Which queries have not succeeded since yesterday?";
    assert_eq!(
        of(stale, "query || ' ' || date(last_success)").await,
        [format!("finnish-exporters {}", day(3))]
    );
    let cities = of("How many companies have an office in each city?", "city || ' ' || companies").await;
    assert_eq!(cities, ["Oulu 21", "Espoo 11"]);
    let history = of("What happened to one company?", "date(at) || ' ' || kind").await;
    let expected = [(40, "created"), (10, "left"), (3, "entered")];
    assert_eq!(history, expected.map(|(days_ago, kind)| format!("{} {kind}", day(days_ago))));
    let members = of("How has the number of members gone?", "day || ' ' || members").await;
    let expected = [(40, 20), (20, 19), (10, 18), (3, 20), (1, 21), (0, 22)];
    assert_eq!(members, expected.map(|(days_ago, members)| format!("{} {members}", day(days_ago))));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_a_member_is_known_of_each_day() {
    let now = Timestamp::now();
    let bench = six_nights(now).await;
    let questions = questions();
    let (_, sql) =
        questions.iter().find(|(heading, _)| heading == "Who was a member at the end of a date?").unwrap();
    for (days_ago, expected) in [
        (41, Vec::new()),
        (40, ids(1..=20)),
        (20, ids((1..=20).filter(|number| *number != 2))),
        (5, ids((1..=20).filter(|number| ![2, ASKED].contains(number)))),
        (0, ids((1..=23).filter(|number| *number != 2))),
    ] {
        let day = (now - SignedDuration::from_hours(24 * days_ago)).strftime("%F").to_string();
        let mut members =
            bench.texts(&format!("SELECT business_id FROM ({})", sql.replace("2026-03-31", &day))).await;
        members.sort();
        assert_eq!(members, expected, "{days_ago} days ago");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_night_is_shown_and_not_the_one_before() {
    let bench = six_nights(Timestamp::now()).await;
    let latest = "query || ' ' || kind || ' ' || business_id || ' ' || name || ' ' || (before IS NULL) || ' ' || (after ->> '$.website' IS NULL)";
    let expected = [
        "finnish-exporters created FI10000021 Company 21 1 0",
        "finnish-software created FI10000022 Company 22 1 0",
        "finnish-software updated FI10000013 Company 13 0 1",
    ];
    let of_view = bench.texts(&format!("SELECT {latest} FROM latest_changes ORDER BY 1")).await;
    assert_eq!(of_view, expected);
    let counted = "SELECT query || ' ' || kind || ' ' || companies FROM";
    let questions = questions();
    let [(_, members), (_, latest)] = &questions[..2] else { panic!("{questions:?}") };
    let counts = bench.texts(&format!("{counted} ({latest})")).await;
    assert_eq!(
        counts,
        ["finnish-exporters created 1", "finnish-software created 1", "finnish-software updated 1"]
    );
    let richest =
        bench.texts(&format!("SELECT name || ' ' || financial_data_revenue FROM ({members})")).await;
    assert_eq!((richest.len(), &*richest[0], &*richest[9]), (10, "Company 23 2300", "Company 14 1400"));
    // The same entries as in the log, whatever of them it works out.
    let entry = "seq, at, query, business_id, kind, before, after";
    let strange = format!(
        "SELECT count(*) FROM (SELECT {entry} FROM latest_changes EXCEPT SELECT {entry} FROM changes)"
    );
    assert_eq!(bench.number(&strange).await, 0);
    // A night that brings nothing is shown as that.
    bench.sync_at(Timestamp::now() + SignedDuration::from_hours(24)).await;
    let queries = bench.texts("SELECT DISTINCT query FROM latest_changes").await;
    assert_eq!(queries, ["finnish-exporters"]);
}

#[test]
fn datasette_has_the_ten_questions_and_hides_what_is_internal() {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let offered = squeezed(&read("deploy/datasette.yaml"));
    let ten: Vec<_> = questions().into_iter().skip(2).collect();
    assert_eq!(ten.len(), 10);
    for (heading, sql) in ten {
        let sql = sql
            .replace("'finnish-software'", ":query")
            .replace("'finnish-exporters'", ":other_query")
            .replace("'FI10000005'", ":business_id")
            .replace("'2026-03-31'", ":date");
        assert!(offered.contains(&squeezed(&format!("title: {heading} sql: |- {sql}"))), "{heading}");
    }
    let migrations = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations")).unwrap();
    for path in migrations.map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(path).unwrap();
        for table in text.split("\nCREATE TABLE ").skip(1).filter_map(|rest| rest.split([' ', '(']).next()) {
            let hidden = format!("{table}: {{hidden: true}}");
            let described = format!("{table}: description: ");
            let told = if table.starts_with('_') { hidden } else { described };
            assert!(offered.contains(&told), "{told}");
        }
    }
}
