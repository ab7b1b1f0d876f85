//! Requests as Vainu's own client takes them.

use super::{Folder, QUERY, origin};
use crate::config::settings::Ask;

/// A query that takes everything it can from its payload.
const BY_PAYLOAD: &str = "[[queries]]\nname = 'all'\npayload_file = 'body.json'\nschedule = '@daily'\n";

const COUNTED: &str = r#"{
  "_meta": {"recipe": "Vehicles", "endpoint": "POST https://api.vainu.io/api/v3/organizations/?format=csv"},
  "query": {"?MATCH": {"vehicles": {"?GT": {"weight": 1.0e3}}}},
  "fields": ["name", "business_id", "?skodas"],
  "aggregation": [
    {"id": "skodas", "?AGGREGATE": [{"?COUNT": {"path": "vehicles"}}]}
  ],
  "limit": 1000000,
  "database": "SE"
}"#;

fn folder(text: &str, payload: &str) -> Folder {
    let folder = Folder::with(text);
    folder.write("body.json", payload);
    folder
}

/// The one message that a payload draws.
#[track_caller]
fn told(text: &str, payload: &str) -> String {
    let message = folder(text, payload).load().unwrap_err().to_string();
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

#[test]
fn a_whole_request_is_taken_as_it_was_written() {
    let loaded = folder(BY_PAYLOAD, COUNTED).load().unwrap();
    let query = &loaded.settings.queries[0];
    assert_eq!(query.ask, Ask::Query(r#"{"?MATCH": {"vehicles": {"?GT": {"weight": 1.0e3}}}}"#.into()));
    assert_eq!((query.database.code(), query.fields.join(" ")), ("SE", "business_id name ?skodas".into()));
    assert_eq!(query.aggregations[0].id, "skodas");
    assert!(query.aggregations[0].json.ends_with(r#""path": "vehicles"}}]}"#));
    let (database, place) = origin(&loaded, "queries.all.database");
    assert!(database == "\"SE\"" && place.ends_with("body.json:9"), "{database} {place}");
    let note = loaded.notes.iter().find(|note| note.contains("limit")).unwrap();
    assert!(note.contains("body.json") && note.contains("ignored") && !note.contains("order"), "{note}");
}

#[test]
fn what_a_payload_lacks_comes_from_the_table_or_the_defaults() {
    let text = format!("[defaults]\nfields = ['name']\n{BY_PAYLOAD}database = 'NO'\n");
    let loaded = folder(&text, "\u{feff}{\r\n \"list\": \"69b0\", \"query\": null}").load().unwrap();
    let query = &loaded.settings.queries[0];
    assert_eq!((&query.ask, query.database.code()), (&Ask::List("69b0".into()), "NO"));
    assert_eq!(query.fields, ["business_id", "name"]);
    let message = told(BY_PAYLOAD, r#"{"list": "69b0", "fields": ["name"]}"#);
    assert!(message.contains("config.toml:1: queries.all: database is missing"), "{message}");
}

#[test]
fn what_the_table_itself_and_its_payload_both_give_is_told_with_both_places() {
    for (key, line) in [("database = 'SE'", 9), ("fields = ['name']", 4)] {
        let message = told(&format!("{BY_PAYLOAD}{key}\n"), COUNTED);
        assert!(message.contains("config.toml:5: queries.all."), "{message}");
        assert!(message.contains(&format!("body.json:{line}")) && message.contains("keep one"), "{message}");
    }
    let message = told(&format!("{BY_PAYLOAD}query = '{{}}'\n"), COUNTED);
    assert!(message.contains("payload_file (config.toml:3) both say what to ask"), "{message}");
}

/// Payloads, and the words that their one message must have.
const MISTAKES: &[(&str, &[&str])] = &[
    ("{", &["body.json:1", "is not JSON"]),
    ("[]", &["no object"]),
    ("{\n\"database\": \"SE\"}", &["neither query nor list"]),
    (r#"{"search": "volvo", "database": "SE"}"#, &["search is a fuzzy search", "write a query"]),
    (
        "{\"query\": {},\n\"unwind_subdocument\": \"x\"}",
        &["body.json:2", "several rows for one organization"],
    ),
    ("{\"query\": {\"?EQ\": {\"a\":\n\"<LIST_ID>\"}}}", &["placeholder \"<LIST_ID>\"", "put a value"]),
    (
        r#"{"query": {"?RANGE": {"modifications.basic": ["2026-03-20", "<NOW>"]}}}"#,
        &["placeholder \"<NOW>\"", "set full_every"],
    ),
    (r#"{"list": "123abc-CHANGEME"}"#, &["placeholder \"123abc-CHANGEME\""]),
    (r#"{"query": {}, "filter": {}}"#, &["\"filter\" is no key of a request"]),
    (r#"{"query": {}, "databse": "SE"}"#, &["did you mean database?"]),
    (r#"{"query": "{}"}"#, &["query is JSON but no object"]),
    (r#"{"query": {}, "list": "69b0"}"#, &["both say what to ask"]),
    (r#"{"list": 5}"#, &["list is no id of a list"]),
    (r#"{"query": {}, "database": "XX"}"#, &["database \"XX\" is"]),
    (r#"{"query": {}, "fields": "name"}"#, &["fields is no list of texts"]),
    (r#"{"query": {}, "fields": ["a..b"]}"#, &["fields holds \"a..b\""]),
    (r#"{"query": {}, "fields": []}"#, &["fields names no field"]),
    (r#"{"query": {}, "aggregation": {}}"#, &["aggregation is no list"]),
    (r#"{"query": {}, "aggregation": [{}]}"#, &["aggregation holds one without an id"]),
    (r#"{"query": {}, "aggregation": [{"id": "a"}, {"id": "a"}]}"#, &["two of the id \"a\""]),
    (
        r#"{"_meta": {"endpoint": "POST https://api.vainu.io/api/v3/signals/news/"}, "query": {}}"#,
        &["a body for POST", "signals/news", "gives no organizations"],
    ),
];

#[test]
fn a_mistake_in_a_payload_is_told_alone_with_place_and_remedy() {
    for (payload, words) in MISTAKES {
        let message = told(BY_PAYLOAD, payload);
        assert!(message.contains("body.json") && message.contains("queries.all.payload_file"), "{message}");
        for word in *words {
            assert!(message.contains(word), "{word:?} is not in {message:?}, told of {payload}");
        }
    }
}

#[test]
fn a_payload_that_is_not_there_is_told() {
    let message = Folder::with(BY_PAYLOAD).load().unwrap_err().to_string();
    assert!(message.contains("config.toml:3: queries.all.payload_file"), "{message}");
    assert!(message.contains("body.json: there is no such file"), "{message}");
}

#[test]
fn a_result_without_its_aggregation_is_told_and_an_aggregation_that_nobody_asks_for_is_noted() {
    let message = told(&QUERY.replace("'name'", "'name', '?skodas'"), "{}");
    assert!(message.contains("config.toml:5") && message.contains("no aggregation has the id"), "{message}");
    let unasked = COUNTED.replace(", \"?skodas\"", "");
    let notes = folder(BY_PAYLOAD, &unasked).load().unwrap().notes;
    assert!(notes.iter().any(|note| note.contains("\"skodas\" has no effect")), "{notes:?}");
}

#[test]
fn a_placeholder_in_the_table_is_told_too() {
    let message = told(&QUERY.replace("{\"?ALL\": []}", "{\"?IN\": {\"a\": [\"<IDS>\"]}}"), "{}");
    assert!(message.contains("config.toml:4: queries.all.query"), "{message}");
    assert!(message.contains("placeholder \"<IDS>\""), "{message}");
}

#[test]
fn queries_that_ask_one_key_through_other_aggregations_are_named_with_both_places() {
    let two = |other: &str, fields: &str| {
        let folder = folder(
            &format!("{BY_PAYLOAD}{}", BY_PAYLOAD.replace("'all'", "'b'").replace("body", "other")),
            COUNTED,
        );
        folder.write("other.json", other.replace(", \"?skodas\"", fields));
        folder.load().map_err(|error| error.to_string())
    };
    two(COUNTED, ", \"?skodas\"").unwrap();
    two(&COUNTED.replace(": [{\"?COUNT", ":[ {\"?COUNT"), ", \"?skodas\"").unwrap();
    let other_count = COUNTED.replace("\"path\": \"vehicles\"", "\"path\": \"contacts\"");
    let message = two(&other_count, ", \"?skodas\"").unwrap_err();
    for words in
        ["other.json:4", "body.json:4", "queries.b.fields", "?skodas through the aggregation {\"id\""]
    {
        assert!(message.contains(words), "{message}");
    }
    let message = two(COUNTED, ", \"skodas\"").unwrap_err();
    assert!(message.contains("asks SE for skodas through") && message.contains("?skodas"), "{message}");
}

#[test]
fn each_query_knows_the_line_on_which_what_it_asks_begins() {
    let text = |asked: &str| {
        format!("[[queries]]\nname = 'q'\ndatabase = 'FI'\n{asked}\nschedule = '@daily'\nfields = ['name']\n")
    };
    let payload = "{\"database\": \"FI\",\n\"fields\": [\"name\"],\n\"query\":\n {\"?ALL\": []}}";
    let only_asked = "[[queries]]\nname = 'q'\npayload_file = 'p.json'\nschedule = '@daily'\n";
    for (config, asked_at, fields_at) in [
        (text("query = '{\"?ALL\": []}'"), "config.toml:4", "config.toml:6"),
        (text("query = '''\n{\"?ALL\": []}'''"), "config.toml:5", "config.toml:7"),
        (text("list = '69b0'"), "config.toml:4", "config.toml:6"),
        (text("query_file = 'q.json'"), "q.json:1", "config.toml:6"),
        (only_asked.to_owned(), "p.json:4", "p.json:2"),
    ] {
        let folder = Folder::with(&config);
        folder.write("q.json", "{\"?ALL\": []}");
        folder.write("p.json", payload);
        let query = folder.load().unwrap().settings.queries.remove(0);
        let places = (query.asked_at.to_string(), query.fields_at.to_string());
        assert!(places.0.ends_with(asked_at) && places.1.ends_with(fields_at), "{config}: {places:?}");
    }
}
