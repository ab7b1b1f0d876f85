//! Requests as Vainu's own client takes them, run from a file.

use std::fs;

use vainu_sync::sandbox::{AggregationKey, Endpoint, Options, Sandbox, Switches, World};

use crate::bench::Bench;
use crate::program::vainu_sync;

const PAYLOAD: &str = r#"{
  "_meta": {"recipe": "Vehicles by make"},
  "query": {"?MATCH": {"vehicles": {"?EQ": {"make": "SKODA"}}}},
  "fields": ["name", "business_id", "?skodas", "vehicles.make"],
  "aggregation": [
    {"id": "skodas", "?AGGREGATE": [
      {"?FILTER_SUBDOCUMENTS": {"path": "vehicles", "query": {"?EQ": {"make": "SKODA"}}}},
      {"?COUNT": {"path": "vehicles"}}
    ]}
  ],
  "limit": 10,
  "database": "SE"
}"#;

const QUERY: &str = "[[queries]]\nname = \"skodas\"\npayload_file = \"skodas.json\"\nschedule = \"@daily\"\n";

async fn bench(switches: Switches) -> Bench {
    let folder = tempfile::TempDir::new().unwrap();
    fs::write(folder.path().join("skodas.json"), format!("\u{feff}{PAYLOAD}")).unwrap();
    let options = Options { world: World::Generated { size: 300 }, switches, ..Options::default() };
    Bench::in_folder(folder, Sandbox::start(options).await.unwrap(), QUERY)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_request_is_synced_whichever_key_carries_the_result_of_its_aggregation() {
    for aggregation_key in [AggregationKey::Id, AggregationKey::Question] {
        let bench = bench(Switches { aggregation_key, ..Switches::default() }).await;
        let ended = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        let counted = "SELECT count(*) FROM members_skodas WHERE skodas > 0";
        let members = bench.number("SELECT count(*) FROM members_skodas").await;
        assert!(members > 10, "{members}: the request's own limit would give 10 at most");
        assert_eq!(bench.number(counted).await, members, "each member has one at least");
        let differ = "SELECT count(*) FROM members_skodas WHERE skodas > json_array_length(vehicles_make)";
        assert_eq!(bench.number(differ).await, 0);
        let again = vainu_sync(&bench, &["sync"]).await;
        assert!(again.out.contains("nothing new"), "{}", again.out);
        assert_eq!(bench.number("SELECT count(*) FROM changes WHERE kind <> 'created'").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_goes_out_as_it_was_written_but_for_its_page() {
    let bench = bench(Switches::default()).await;
    vainu_sync(&bench, &["sync"]).await;
    let asked = bench.control.requests_to(Endpoint::Organizations);
    let body = &asked[0].body;
    assert!(body.contains(r#""query":{"?MATCH": {"vehicles": {"?EQ": {"make": "SKODA"}}}}"#), "{body}");
    assert!(
        body.contains("\"limit\":1000") && body.contains(r#"{"id": "skodas", "?AGGREGATE": ["#),
        "{body}"
    );
    let counted = bench.control.requests_to(Endpoint::Count);
    assert!(!counted[0].body.contains("aggregation"));
}
