//! What the account's API does where its documents are silent, and what a run makes of it.

use vainu_sync::sandbox::{
    Absent, Endpoint, Fault, InFilters, Members, Options, Sandbox, SavedList, Switches, World,
};
use vainu_sync::store::Status;

use crate::bench::{ALL_OF_FI, Bench, numbered, row};

#[tokio::test]
async fn a_server_that_heeds_only_some_of_the_ids_it_is_asked_for_lets_nobody_go_at_once() {
    let all = numbered(1000);
    let without: Vec<String> = all.iter().filter(|row| !row.contains("FI0050")).cloned().collect();
    for heeded in 1..15 {
        let bench = Bench::with_rows(all.clone(), ALL_OF_FI).await;
        bench.sync_one().await;
        bench.control.switch(|switches| {
            switches.in_filters = InFilters::First(heeded);
            switches.count_offset = 10;
        });
        // Ten that this listing lacks, though they are there and were counted.
        bench.control.set_rows("FI", without.clone());
        let again = all.clone();
        bench.control.on_request(Endpoint::Organizations, 3, move |control| {
            control.set_rows("FI", again);
        });
        let report = bench.sync_one().await;
        let numbers = report.numbers;
        assert_eq!((report.status, numbers.candidates, numbers.left), (Status::Succeeded, 10, 0), "{heeded}");
        assert_eq!(bench.members("all").await.len(), 1000, "{heeded}");
    }
}

#[tokio::test]
async fn one_whose_row_is_unusable_when_asked_for_stays_and_the_others_leave() {
    let bench = Bench::with_rows(numbered(30), ALL_OF_FI).await;
    bench.sync_one().await;
    let without = |ids: &'static [&str]| -> Vec<String> {
        numbered(30).into_iter().filter(|row| !ids.iter().any(|id| row.contains(id))).collect()
    };
    bench.control.set_rows("FI", without(&["FI00003", "FI00004"]));
    bench.control.on_request(Endpoint::Organizations, 3, move |control| {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let mut rows = without(&["FI00003", "FI00004"]);
        rows.push(format!(r#"{{"business_id":"FI00003","name":{deep}}}"#));
        control.set_rows("FI", rows);
    });
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.left), (Status::Succeeded, 1), "{report:?}");
    assert_eq!(bench.log().await[30..], ["left FI00004"]);
}

const LIST: &str = "[[queries]]\nname = \"picked\"\ndatabase = \"FI\"\nlist = \"69b029b1febae898f87e40fc\"\n\
                    fields = [\"name\"]\nschedule = \"@daily\"\n";

fn picked(ids: &[&str]) -> SavedList {
    SavedList {
        id: "69b029b1febae898f87e40fc".into(),
        name: "Picked".into(),
        country: "FI".into(),
        members: Members::Static(ids.iter().map(|id| (*id).to_owned()).collect()),
    }
}

#[tokio::test]
async fn who_was_taken_off_a_list_leaves_when_the_count_says_that_nobody_else_is_there() {
    let bench = Bench::with_rows(numbered(5), LIST).await;
    bench.control.save_list(picked(&["FI00001", "FI00002", "FI00003"]));
    assert_eq!(bench.sync_one().await.numbers.created, 3);
    bench.control.save_list(picked(&["FI00001", "FI00003"]));
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.left), (Status::Succeeded, 1), "{report:?}");
    assert_eq!(bench.log().await[3..], ["left FI00002"]);
}

#[tokio::test]
async fn without_a_count_who_was_taken_off_a_list_leaves_after_a_second_listing() {
    let bench = Bench::with_rows(numbered(5), LIST).await;
    bench.control.save_list(picked(&["FI00001", "FI00002", "FI00003"]));
    bench.control.fail_always(Endpoint::Count, Fault::status(400));
    bench.sync_one().await;
    bench.control.save_list(picked(&["FI00001", "FI00003"]));
    let first = bench.sync_one().await.numbers;
    assert_eq!((first.left, first.candidates), (0, 1));
    assert_eq!(bench.sync_one().await.numbers.left, 1);
}

#[tokio::test]
async fn whether_a_field_without_a_value_is_null_or_missing_is_no_change() {
    let query = "[[queries]]\nname = \"all\"\ndatabase = \"FI\"\nquery = '{\"?ALL\": []}'\nschedule = \"@daily\"\n\
                 fields = [\"name\", \"website\", \"financial_data\", \"business_units\", \"contacts\"]\n";
    let bench = Bench::start(World::Generated { size: 300 }, query).await;
    bench.sync_one().await;
    for absent in [Absent::Missing, Absent::Null] {
        bench.control.switch(|switches| switches.absent = absent);
        let numbers = bench.sync_one().await.numbers;
        assert_eq!((numbers.unchanged, numbers.updated), (300, 0), "{absent:?}");
    }
}

#[tokio::test]
async fn a_count_that_is_still_being_made_is_waited_for() {
    for zero_age_restarts in [false, true] {
        let switches = Switches { count_polls: 3, zero_age_restarts, ..Switches::default() };
        let world = World::Fixed(vec![row("FI00001", "One")]);
        let sandbox = Sandbox::start(Options { world, switches, ..Options::default() }).await.unwrap();
        let bench = Bench::in_folder(tempfile::TempDir::new().unwrap(), sandbox, ALL_OF_FI);
        let numbers = bench.sync_one().await.numbers;
        assert_eq!((numbers.expected, numbers.created), (Some(1), 1), "{zero_age_restarts}");
    }
}
