//! What becomes of single rows.

use vainu_sync::store::Status;

use crate::bench::{ALL_OF_FI, Bench, row};

fn query(name: &str, fields: &str, more: &str) -> String {
    format!(
        "[[queries]]\nname = \"{name}\"\ndatabase = \"FI\"\nquery = '{{\"?ALL\": []}}'\nfields = {fields}\n\
         schedule = \"@daily\"\n{more}\n"
    )
}

#[tokio::test]
async fn integers_past_64_bits_and_long_fractions_are_kept_digit_by_digit() {
    let document = r#"{"business_id":"FI1","name":"Nul\u0000Byte","staff_number":12345678901234567890,"turnover":0.1000000000000000055511151231257827}"#;
    let fields = query("q0", r#"["name", "staff_number", "turnover"]"#, "");
    let bench = Bench::with_rows([document.to_owned()], &fields).await;
    assert_eq!(bench.sync_one().await.status, Status::Succeeded);
    assert_eq!(bench.members("q0").await["FI1"], document);
    assert_eq!(bench.texts("SELECT after FROM changes").await, [document]);
    let seen = bench.texts("SELECT typeof(staff_number) FROM members_q0 WHERE business_id = 'FI1'").await;
    assert_eq!(seen.len(), 1, "the view shows what SQLite makes of it");
    assert_eq!(bench.sync_one().await.numbers.unchanged, 1);
}

#[tokio::test]
async fn the_last_value_of_a_repeated_key_is_the_row() {
    let rows = [
        r#"{"business_id":"FI00000000","business_id":"FI12345678","name":"A"}"#.to_owned(),
        r#"{"business\u005fid":"FI2","name":"B"}"#.to_owned(),
    ];
    let bench = Bench::with_rows(rows, ALL_OF_FI).await;
    let report = bench.sync_one().await;
    assert_eq!((report.status, report.numbers.rejected), (Status::Succeeded, 0));
    let ids: Vec<String> = bench.members("all").await.into_keys().collect();
    assert_eq!(ids, ["FI12345678", "FI2"]);
}

#[tokio::test]
async fn rows_without_an_id_are_set_aside_counted_and_kept_to_look_at() {
    let rows = [
        row("FI1", "A"),
        r#"{"name":"Nobody"}"#.to_owned(),
        r#"{"business_id":"","name":"Empty"}"#.to_owned(),
        r#"{"business_id":7,"name":"Number"}"#.to_owned(),
        "[1]".to_owned(),
        r#"{"business_id":"FI\ud800","name":"Half"}"#.to_owned(),
        row("FI2", "B"),
    ];
    let bench = Bench::with_rows(rows, ALL_OF_FI).await;
    let report = bench.sync_one().await;
    let numbers = report.numbers;
    assert_eq!(
        (report.status, numbers.created, numbers.rejected, numbers.fetched),
        (Status::Succeeded, 2, 5, 7)
    );
    let reasons = bench.texts("SELECT reason FROM rejects ORDER BY reason").await;
    assert_eq!(
        reasons,
        [
            "business_id holds half a surrogate pair",
            "business_id is empty",
            "business_id is not text",
            "no business_id",
            "not a JSON object"
        ]
    );
}

#[tokio::test]
async fn of_one_id_twice_the_first_row_wins_even_pages_apart() {
    let mut rows: Vec<String> = (1..=250).map(|n| row(&format!("FI{n:03}"), "first")).collect();
    rows.push(row("FI001", "second"));
    rows.insert(1, row("FI001", "second"));
    let bench = Bench::with_rows(rows, ALL_OF_FI).await;
    bench.control.switch(|switches| {
        switches.page_cap = Some(100);
        switches.order = vainu_sync::sandbox::Order::Ignored;
    });
    let report = bench.sync_one().await;
    assert_eq!(
        (report.status, report.numbers.created, report.numbers.fetched),
        (Status::Succeeded, 250, 252)
    );
    assert_eq!(bench.members("all").await["FI001"], row("FI001", "first"));
    let again = bench.sync_one().await;
    assert_eq!((again.numbers.unchanged, again.numbers.updated), (250, 0));
}

#[tokio::test]
async fn two_queries_with_different_fields_never_erase_each_other() {
    let text = query("names", r#"["name"]"#, "") + &query("sites", r#"["website"]"#, "");
    let both = r#"{"business_id":"FI1","name":"A","website":"a.example"}"#.to_owned();
    let bench = Bench::with_rows([both.clone()], &text).await;
    for _ in 0..2 {
        assert!(bench.sync().await.iter().all(|report| report.status == Status::Succeeded));
        assert_eq!(bench.members("names").await["FI1"], both);
        assert_eq!(bench.members("sites").await["FI1"], both);
    }
    assert_eq!(bench.log().await, ["created FI1", "entered FI1", "updated FI1"]);
}

#[tokio::test]
async fn an_id_that_another_database_holds_is_set_aside() {
    let text =
        query("fi", r#"["name"]"#, "") + &query("se", r#"["website"]"#, "").replace("\"FI\"", "\"SE\"");
    let bench = Bench::with_rows([row("X1", "Finnish")], &text).await;
    bench.control.set_rows("SE", vec![row("X1", "Swedish"), row("X2", "Swedish")]);
    let reports = bench.sync().await;
    assert_eq!(reports[1].numbers.rejected, 1);
    assert_eq!(bench.texts("SELECT reason FROM rejects").await, ["business_id is held in database FI"]);
    assert_eq!(bench.texts("SELECT database FROM organizations WHERE business_id = 'X1'").await, ["FI"]);
}

#[tokio::test]
async fn changes_under_quiet_keys_are_stored_but_not_logged() {
    let text = query("q", r#"["name", "modifications"]"#, r#"quiet = ["modifications"]"#);
    let company = |name: &str, day: u8| {
        format!(r#"{{"business_id":"FI1","modifications":{{"basic":{day}}},"name":"{name}"}}"#)
    };
    let bench = Bench::with_rows([company("A", 1)], &text).await;
    bench.sync_one().await;
    bench.control.set_rows("FI", vec![company("A", 2)]);
    let report = bench.sync_one().await;
    assert_eq!((report.numbers.updated, report.numbers.unchanged), (0, 1));
    assert_eq!(bench.members("q").await["FI1"], company("A", 2));
    assert_eq!(bench.log().await, ["created FI1"]);
    bench.control.set_rows("FI", vec![company("B", 3)]);
    bench.sync_one().await;
    let logged =
        bench.rows::<(String, String)>("SELECT before, after FROM changes WHERE kind = 'updated'").await;
    assert_eq!(logged, [(r#"{"name":"A"}"#.to_owned(), r#"{"name":"B"}"#.to_owned())]);
}

#[tokio::test]
async fn null_and_a_missing_key_are_no_change_either_way() {
    let bench = Bench::with_rows([r#"{"business_id":"FI1","name":null}"#.to_owned()], ALL_OF_FI).await;
    bench.sync_one().await;
    bench.control.set_rows("FI", vec![r#"{"business_id":"FI1"}"#.to_owned()]);
    assert_eq!(bench.sync_one().await.numbers.unchanged, 1);
    assert_eq!(bench.log().await, ["created FI1"]);
}

#[tokio::test]
async fn views_show_nested_values_and_lists_of_them() {
    let document = r#"{"business_id":"FI1","business_units":[{"visiting_address":{"city":"Oulu"}},{"visiting_address":{"city":"Turku"}}],"financial_data":{"revenue":12}}"#;
    let fields =
        query("my-view", r#"["financial_data.revenue", "business_units.visiting_address.city"]"#, "");
    let bench = Bench::with_rows([document.to_owned()], &fields).await;
    bench.sync_one().await;
    let seen = bench
        .rows::<(String, i64, String)>(
            "SELECT business_id, financial_data_revenue, business_units_visiting_address_city FROM members_my_view",
        )
        .await;
    assert_eq!(seen, [("FI1".to_owned(), 12, r#"["Oulu","Turku"]"#.to_owned())]);
}
