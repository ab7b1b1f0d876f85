//! Who leaves, and who does not.

use vainu_sync::run::Order;
use vainu_sync::sandbox::{Endpoint, Fault, InFilters};
use vainu_sync::store::Status;

use crate::bench::{ALL_OF_FI, Bench, numbered, row};

#[tokio::test]
async fn who_is_gone_leaves_and_comes_back_under_the_same_id() {
    let rows = numbered(30);
    let bench = Bench::with_rows(rows.clone(), ALL_OF_FI).await;
    bench.sync_one().await;
    bench.control.set_rows("FI", rows[..28].to_vec());
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.left, report.numbers.candidates), (Status::Succeeded, 2, 2));
    assert_eq!(bench.texts("SELECT business_id FROM organizations WHERE gone_at IS NOT NULL").await.len(), 2);
    bench.control.set_rows("FI", rows.clone());
    let report = bench.sync_one().await;
    assert_eq!((report.numbers.entered, report.numbers.created), (2, 0));
    let log = bench.log().await;
    assert_eq!(log[30..], ["left FI00029", "left FI00030", "entered FI00029", "entered FI00030"]);
    assert_eq!(bench.number("SELECT count(*) FROM organizations WHERE gone_at IS NOT NULL").await, 0);
}

#[tokio::test]
async fn a_listing_that_breaks_off_lets_nobody_go() {
    let rows = numbered(300);
    let mut bench = Bench::with_rows(rows.clone(), ALL_OF_FI).await;
    bench.configure("retry_for = \"100ms\"", ALL_OF_FI);
    bench.control.switch(|switches| switches.page_cap = Some(100));
    bench.sync_one().await;
    bench.control.fail_after(Endpoint::Organizations, 1, Fault::status(503), 1000);
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.left), (Status::Failed, 0));
    assert_eq!(bench.members("all").await.len(), 300);
}

#[tokio::test]
async fn more_departures_than_allowed_are_held_until_a_person_lets_them_through() {
    let rows = numbered(100);
    let bench = Bench::with_rows(rows.clone(), ALL_OF_FI).await;
    bench.sync_one().await;
    bench.control.set_rows("FI", rows[..70].to_vec());
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.left), (Status::Held, 0));
    assert!(report.error.unwrap().contains("`vainu-sync sync all --accept`"));
    assert_eq!(bench.members("all").await.len(), 100);
    let report = bench.sync_as(Order { accept: true, ..Order::default() }).await.remove(0);
    assert_eq!((report.status, report.numbers.left), (Status::Succeeded, 30));
}

#[tokio::test]
async fn an_empty_listing_is_held_where_there_were_members() {
    let bench = Bench::with_rows(numbered(5), ALL_OF_FI).await;
    bench.sync_one().await;
    bench.control.set_rows("FI", Vec::new());
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.left), (Status::Held, 0));
}

#[tokio::test]
async fn a_count_far_above_the_members_is_held_before_anything_is_stored() {
    let bench = Bench::with_rows(numbered(120), ALL_OF_FI).await;
    bench.sync_one().await;
    bench.control.set_rows("FI", numbered(300));
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.created), (Status::Held, 0));
    assert!(report.error.unwrap().contains("300 companies are counted where 120 are members"));
    assert_eq!(bench.members("all").await.len(), 120);
    let report = bench.sync_as(Order { accept: true, ..Order::default() }).await.remove(0);
    assert_eq!((report.status, report.numbers.created), (Status::Succeeded, 180));
}

#[tokio::test]
async fn where_departures_cannot_be_asked_for_a_second_listing_must_lack_them() {
    let mut rows = numbered(200);
    let bench = Bench::with_rows(rows.clone(), ALL_OF_FI).await;
    bench.control.switch(|switches| {
        switches.in_filters = InFilters::Ignored;
        // A count above what is listed does not prove that nothing else is there.
        switches.count_offset = 1;
    });
    bench.sync_one().await;
    let gone = rows.remove(10);
    bench.control.set_rows("FI", rows.clone());
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.left, report.numbers.candidates), (Status::Succeeded, 0, 1));
    rows.push(gone);
    bench.control.set_rows("FI", rows.clone());
    assert_eq!(bench.sync_one().await.numbers.candidates, 0);
    rows.pop();
    bench.control.set_rows("FI", rows.clone());
    assert_eq!(bench.sync_one().await.numbers.left, 0, "it was there in between");
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.left), (Status::Succeeded, 1));
}

#[tokio::test]
async fn where_departures_cannot_be_asked_for_a_count_that_is_reached_lets_them_go() {
    let rows = numbered(50);
    let bench = Bench::with_rows(rows.clone(), ALL_OF_FI).await;
    bench.control.switch(|switches| switches.in_filters = InFilters::Ignored);
    bench.sync_one().await;
    bench.control.set_rows("FI", rows[1..].to_vec());
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.left), (Status::Succeeded, 1));
}

#[tokio::test]
async fn nobody_leaves_unasked_while_a_row_without_an_id_might_be_anyone() {
    let mut rows = numbered(50);
    let bench = Bench::with_rows(rows.clone(), ALL_OF_FI).await;
    bench.control.switch(|switches| switches.in_filters = InFilters::Ignored);
    bench.sync_one().await;
    rows[20] = r#"{"name":"Nobody"}"#.to_owned();
    bench.control.set_rows("FI", rows);
    for _ in 0..3 {
        let report = bench.sync_one().await;
        assert_eq!((report.status, report.numbers.left), (Status::Succeeded, 0));
    }
}

#[tokio::test]
async fn who_answers_when_asked_stays_though_the_listing_lacked_it() {
    let rows = numbered(250);
    let bench = Bench::with_rows(rows.clone(), ALL_OF_FI).await;
    bench.control.switch(|switches| switches.page_cap = Some(100));
    bench.sync_one().await;
    let mut fewer = rows.clone();
    fewer.remove(120);
    bench.control.set_rows("FI", fewer);
    // Pages end with the proof of the end; the question after it sees the company again.
    let before = bench.control.hits(Endpoint::Organizations);
    let pages = 4;
    bench.control.on_request(Endpoint::Organizations, pages + 1, move |control| control.set_rows("FI", rows));
    let report = bench.sync_one().await;
    assert!(bench.control.hits(Endpoint::Organizations) > before + pages);
    assert_eq!((report.status, report.numbers.candidates, report.numbers.left), (Status::Succeeded, 1, 0));
    assert_eq!(bench.members("all").await.len(), 250);
}

#[tokio::test]
async fn keys_of_a_query_that_lets_go_leave_a_shared_document() {
    let text = |name: &str, field: &str| {
        format!(
            "[[queries]]\nname = \"{name}\"\ndatabase = \"FI\"\nfields = [\"{field}\"]\nschedule = \"@daily\"\n\
             query = '{{\"?EQ\": {{\"{field}\": \"x\"}}}}'\nmax_departures = \"100%\"\n"
        )
    };
    let company = |website: &str| format!(r#"{{"business_id":"FI1","name":"x","website":"{website}"}}"#);
    let queries = text("names", "name") + &text("sites", "website");
    let other = r#"{"business_id":"FI2","name":"x","website":"x"}"#.to_owned();
    let bench = Bench::with_rows([company("x"), other.clone()], &queries).await;
    bench.sync().await;
    bench.control.set_rows("FI", vec![company("y"), other]);
    let reports = bench.sync().await;
    assert_eq!(reports[1].numbers.left, 1);
    assert_eq!(bench.members("names").await["FI1"], row("FI1", "x"));
    let last = bench.rows::<(String, String, String)>(
        "SELECT kind, before, after FROM changes WHERE business_id = 'FI1' AND kind = 'updated' ORDER BY seq DESC LIMIT 1",
    );
    let expected = ("updated".to_owned(), r#"{"website":"x"}"#.to_owned(), "{}".to_owned());
    assert_eq!(last.await, [expected]);
}

#[tokio::test]
async fn a_listing_without_one_usable_row_is_held_like_an_empty_one() {
    let bench = Bench::with_rows(numbered(50), ALL_OF_FI).await;
    bench.sync_one().await;
    let renamed = |n: usize| format!(r#"{{"id":"FI{n:05}","name":"Company {n}"}}"#);
    bench.control.set_rows("FI", (1..=50).map(renamed).collect());
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.rejected, report.numbers.left), (Status::Held, 50, 0));
}

#[tokio::test]
async fn many_departures_want_two_words_at_most() {
    let rows = numbered(900);
    let bench = Bench::with_rows(rows.clone(), ALL_OF_FI).await;
    bench.control.switch(|switches| switches.page_cap = Some(100));
    bench.sync_one().await;
    bench.control.set_rows("FI", rows[..300].to_vec());
    assert_eq!(bench.sync_one().await.status, Status::Held);
    let accept = Order { accept: true, ..Order::default() };
    let named = bench.sync_as(accept).await.remove(0);
    assert_eq!(named.status, Status::Held, "asked to the end, it names them all");
    assert!(named.error.unwrap().contains("600 of 900 members"));
    let report = bench.sync_as(accept).await.remove(0);
    assert_eq!((report.status, report.numbers.left), (Status::Succeeded, 600));
}

#[tokio::test]
async fn a_query_that_moves_to_another_database_takes_no_organization_of_others_with_it() {
    let queries = |database: &str| {
        let second = ALL_OF_FI.replace("\"all\"", "\"moved\"").replace("[\"name\"]", "[\"website\"]");
        format!("{ALL_OF_FI}{}", second.replace("\"FI\"", &format!("\"{database}\"")))
    };
    let with_website = |id: &str| format!(r#"{{"business_id":"{id}","name":"x","website":"x"}}"#);
    let mut bench = Bench::with_rows([with_website("FI1"), with_website("FI2")], &queries("FI")).await;
    bench.control.set_rows("SE", vec![with_website("SE1"), with_website("SE2")]);
    bench.sync().await;
    bench.configure("", &queries("SE"));
    let moved = bench.sync().await.remove(1);
    assert_eq!((moved.status, moved.numbers.created, moved.numbers.left), (Status::Succeeded, 2, 2));
    let all = bench.sync().await.remove(0);
    assert_eq!((all.numbers.rejected, all.numbers.unchanged), (0, 2), "{:?}", all.error);
    assert_eq!(bench.members("all").await["FI1"], row("FI1", "x"));
}
