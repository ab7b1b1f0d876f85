//! `check --online`: what it tells of paths, counts and the API's ways.

use std::fmt::Write as _;

use vainu_sync::sandbox::{
    AboveCap, Absent, Endpoint, Fault, InFilters, Members, Order, SavedList, UnknownField, World,
};

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::{Ended, program, signal, until, vainu_sync};

const GENERATED: World = World::Generated { size: 3000 };

async fn generated() -> Bench {
    Bench::start(GENERATED, ALL_OF_FI).await
}

async fn check(bench: &Bench) -> Ended {
    vainu_sync(bench, &["check", "--online"]).await
}

/// What is told of the account under `name`.
async fn told(bench: &Bench, name: &str) -> String {
    let check = check(bench).await;
    assert_eq!(check.code, Some(0), "{}{}", check.out, check.err);
    let line = check.out.lines().find_map(|line| line.trim().strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("nothing is told of {name}: {}", check.out)).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_account_is_told_in_few_requests() {
    let bench = generated().await;
    let check = check(&bench).await;
    assert_eq!(check.code, Some(0), "{}{}", check.out, check.err);
    for line in
        ["catalogue: 34 fields", "query all (FI):", "  count: 3,000 companies, after ", "  rows: 20 came"]
    {
        assert!(check.out.contains(line), "{line}: {}", check.out);
    }
    let requests = bench.control.requests();
    assert_eq!(
        requests.len(),
        9,
        "token, catalogue, count, rows; page, a larger one, overlap, no order, ?IN"
    );
    assert!(check.out.ends_with("requests: 9\n"), "{}", check.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_path_is_told_with_its_file_and_line_and_what_was_meant() {
    let mut bench = generated().await;
    let vql = "'''\n{\"?ALL\": [\n  {\"?GTE\": {\"financial_data.revenu\": 1}},\n  {\"?EQ\": {\"contacts.email\": \"x\"}}]}'''";
    let queries = ALL_OF_FI
        .replace(r#"'{"?ALL": []}'"#, vql)
        .replace(r#"["name"]"#, r#"["name", "websiet", "business_units"]"#);
    bench.configure("", &queries);
    let text = std::fs::read_to_string(bench.folder.path().join("config.toml")).unwrap();
    let line_of = |part: &str| text.lines().position(|line| line.contains(part)).unwrap() + 1;
    let check = check(&bench).await;
    assert_eq!(check.code, Some(1), "{}", check.err);
    for (line, words) in [
        (
            line_of("revenu\""),
            r#"queries.all.query: the catalogue does not know "financial_data.revenu", and Vainu ignores the filter on it, so that too many companies match; did you mean "financial_data.revenue"?"#,
        ),
        (
            line_of("contacts.email"),
            r#"queries.all.query: the catalogue does not offer "contacts.email" for filters"#,
        ),
        (
            line_of("websiet"),
            r#"queries.all.fields: the catalogue does not know "websiet", and Vainu leaves it out or refuses the query; did you mean "website"?"#,
        ),
    ] {
        let told = check.out.lines().find(|told| told.contains(words));
        let told = told.unwrap_or_else(|| panic!("{words}: {}", check.out));
        assert!(told.contains(&format!("config.toml:{line}: ")), "line {line}: {told}");
    }
    assert_eq!(check.out.matches("problem:").count(), 3, "{}", check.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_in_a_query_file_or_a_payload_is_told_with_its_own_file() {
    let mut bench = generated().await;
    std::fs::write(bench.folder.path().join("q.json"), "{\"?EQ\":\n{\"nmae\": \"x\"}}").unwrap();
    let payload = "{\"database\": \"FI\", \"fields\": [\"name\"], \"query\":\n{\"?ALL\": [\n{\"?EQ\": {\"foundde\": 1}}]}}";
    std::fs::write(bench.folder.path().join("p.json"), payload).unwrap();
    let mut queries = ALL_OF_FI.replace(r#"query = '{"?ALL": []}'"#, "query_file = \"q.json\"");
    write!(queries, "[[queries]]\nname = \"paid\"\nschedule = \"@daily\"\npayload_file = \"p.json\"\n")
        .unwrap();
    bench.configure("", &queries);
    let check = check(&bench).await;
    assert_eq!(check.code, Some(1), "{}", check.err);
    assert!(
        check.out.contains("q.json:2: queries.all.query: ")
            && check.out.contains("p.json:3: queries.paid.query: "),
        "{}",
        check.out
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_refused_is_told_and_the_next_one_asked() {
    let other = ALL_OF_FI.replace("\"all\"", "\"other\"");
    let gated = ALL_OF_FI.replace(r#"["name"]"#, r#"["name", "vehicles"]"#);
    let mut bench = generated().await;
    bench.configure("", &format!("{gated}{other}"));
    bench.control.switch(|switches| switches.gated = vec!["vehicles".into()]);
    let check = check(&bench).await;
    assert_eq!(check.code, Some(1), "{}", check.err);
    for words in [
        "Insufficient permissions for fields: vehicles",
        "is for accounts with the permission vehicles",
        "query other (FI):",
        "this account, as query other shows:",
    ] {
        assert!(check.out.contains(words), "{words}: {}", check.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_vainu_does_not_know_may_be_refused_too() {
    for switch in [UnknownField::Refused, UnknownField::Forbidden] {
        let mut bench = generated().await;
        bench.configure("", &ALL_OF_FI.replace(r#"["name"]"#, r#"["name", "colour"]"#));
        bench.control.switch(|switches| switches.unknown_field = switch);
        let check = check(&bench).await;
        assert_eq!(check.code, Some(1), "{}", check.err);
        assert!(
            check.out.contains("does not know \"colour\", and Vainu leaves it out or refuses the query\n"),
            "{}",
            check.out
        );
        assert!(check.out.contains("problem: no rows: ") && check.out.contains("colour"), "{}", check.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_cap_is_told_whether_it_is_silent_or_not() {
    let bench = generated().await;
    let page_size = async |cap: Option<u32>, above: AboveCap| {
        bench.control.switch(|switches| (switches.page_cap, switches.above_cap) = (cap, above));
        told(&bench, "page size").await
    };
    let capped = "1,000 rows came for a limit of 1,000";
    assert_eq!(
        page_size(Some(100), AboveCap::Capped).await,
        "100 rows came for a limit of 1,000: the cap, which runs find by themselves"
    );
    assert_eq!(
        page_size(Some(100), AboveCap::Refused).await,
        "a limit of 1,000 is refused; 100 rows came for a limit of 100"
    );
    assert_eq!(
        page_size(Some(1000), AboveCap::Capped).await,
        format!("{capped}; no more for 2,000: that is the cap")
    );
    assert_eq!(page_size(Some(1000), AboveCap::Refused).await, format!("{capped}; 2,000 is refused"));
    assert_eq!(
        page_size(None, AboveCap::Capped).await,
        format!("{capped}; 2,000 for 2,000: api.page_size may be raised")
    );
    let bench = Bench::with_rows(numbered(3), ALL_OF_FI).await;
    assert!(told(&bench, "page size").await.ends_with("all there are, so that the cap can't be told"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_not_kept_is_told_from_one_that_only_looks_so() {
    let order = "order by business_id";
    let bench = generated().await;
    assert!(told(&bench, order).await.starts_with("honoured: "));
    bench.control.switch(|switches| switches.order = Order::Ignored);
    assert!(told(&bench, order).await.starts_with("not honoured: "));
    bench.control.switch(|switches| switches.unstable = true);
    assert!(told(&bench, order).await.starts_with("two overlapping pages disagree"));
    bench.control.switch(|switches| switches.order = Order::Refused);
    assert!(told(&bench, order).await.starts_with("refused"));
    let bench = Bench::with_rows(numbered(300), ALL_OF_FI).await;
    bench.control.switch(|switches| switches.order = Order::Ignored);
    assert!(told(&bench, order).await.contains("can't be told"), "rows that lie in order prove nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_ids_can_be_asked_for_is_told() {
    let name = "?IN on business_id inside ?ALL";
    let bench = generated().await;
    assert!(told(&bench, name).await.starts_with("honoured"));
    bench.control.switch(|switches| switches.in_filters = InFilters::Ignored);
    assert!(told(&bench, name).await.starts_with("not honoured"));
    let bench = Bench::with_rows(numbered(2), ALL_OF_FI).await;
    assert_eq!(told(&bench, name).await, "too few companies to tell");
}

#[tokio::test(flavor = "multi_thread")]
async fn how_a_field_without_a_value_comes_is_told() {
    let mut bench = generated().await;
    bench.configure("", &ALL_OF_FI.replace(r#"["name"]"#, r#"["name", "website", "founded"]"#));
    let name = "fields without a value";
    assert_eq!(told(&bench, name).await, "come as null");
    bench.control.switch(|switches| switches.absent = Absent::Missing);
    assert_eq!(told(&bench, name).await, "are missing from the row");
    bench.configure("", ALL_OF_FI);
    assert_eq!(told(&bench, name).await, "none among 20 rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_takes_long_is_polled_and_one_that_takes_longer_is_told() {
    let mut bench = generated().await;
    bench.control.switch(|switches| (switches.count_polls, switches.zero_age_restarts) = (2, false));
    let polled = check(&bench).await;
    assert!(polled.out.contains("  count: 3,000 companies, after "), "{}", polled.out);
    assert_eq!((polled.code, bench.control.hits(Endpoint::Count)), (Some(0), 3));
    bench.configure("count_timeout = \"100ms\"", ALL_OF_FI);
    bench.control.switch(|switches| switches.count_polls = 1000);
    let check = check(&bench).await;
    assert_eq!(check.code, Some(0), "{}", check.err);
    assert!(check.out.contains("  count: not ready after 100ms; a run waits for 100ms"), "{}", check.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_counted_too_and_what_it_can_not_tell_is_said() {
    let list = ALL_OF_FI.replace(r#"query = '{"?ALL": []}'"#, r#"list = "0123456789abcdef01234567""#);
    let bench = Bench::start(GENERATED, &list).await;
    let members = Members::Dynamic(serde_json::json!({"?ALL": []}));
    let (id, name) = ("0123456789abcdef01234567".to_owned(), "Everyone".to_owned());
    bench.control.save_list(SavedList { id, name, country: "FI".to_owned(), members });
    let check = check(&bench).await;
    assert_eq!(check.code, Some(0), "{}", check.err);
    assert!(
        check.out.contains("count: 3,000 companies") && check.out.contains("a list can't be narrowed"),
        "{}",
        check.out
    );
    bench.control.fail_always(Endpoint::Count, Fault::status(400));
    let uncounted = vainu_sync(&bench, &["check", "--online"]).await;
    assert_eq!(uncounted.code, Some(0), "whether a list can be counted is open: {}", uncounted.out);
    assert!(uncounted.out.contains("count: none, so that runs are not guarded"), "{}", uncounted.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_a_catalogue_is_told_so_and_the_rest_goes_on() {
    let mut bench = generated().await;
    bench.configure("retry_for = \"50ms\"", &ALL_OF_FI.replace("name\"]", "nmae\"]"));
    for (fault, code) in [(Fault::status(403), 0), (Fault::status(404), 0), (Fault::status(503), 75)] {
        bench.control.heal();
        bench.control.fail_always(Endpoint::Catalogue, fault);
        let check = check(&bench).await;
        assert_eq!(check.code, Some(code), "{}", check.out);
        assert!(
            check.out.contains("catalogue: none to be had") && check.out.contains("page size: "),
            "{}",
            check.out
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_are_77_and_an_api_that_is_down_is_75() {
    let mut bench = generated().await;
    bench.configure("retry_for = \"50ms\"", ALL_OF_FI);
    bench.control.fail_always(Endpoint::Count, Fault::Reset);
    let down = check(&bench).await;
    assert_eq!(down.code, Some(75), "{}", down.err);
    bench.control.heal();
    bench.control.fail_always(Endpoint::Organizations, Fault::status(401));
    assert_eq!(check(&bench).await.code, Some(77));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_it_at_once_wherever_it_waits() {
    for endpoint in [Endpoint::Catalogue, Endpoint::Count, Endpoint::Organizations] {
        let bench = generated().await;
        bench.control.fail_always(endpoint, Fault::Stall);
        let mut command = program(bench.folder.path());
        let mut check =
            command.args(["check", "--online"]).stdout(std::process::Stdio::null()).spawn().unwrap();
        until("it waits", async || bench.control.hits(endpoint) > 0).await;
        signal(&check, "INT");
        let ended = tokio::task::spawn_blocking(move || check.wait().unwrap()).await.unwrap();
        assert_eq!(ended.code(), Some(1), "{endpoint:?}");
    }
}
