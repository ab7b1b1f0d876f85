//! Every request body that Vainu's own client brings along as an example, as a `payload_file`: taken as it
//! stands, or refused with a sentence that says why such a body can't be synced.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bench::Bench;
use crate::program::{Ended, vainu_sync};
use crate::vainu_cli::{self, Auth, VainuCli};

/// Examples that select organizations.
const TAKEN: [&str; 8] = [
    "organizations_api/01-amount-of-companies-matching-the-query.json",
    "organizations_api/02-filter-contacts-return-only-ceos-of-companies.json",
    "organizations_api/04-get-all-companies-in-vainu-list-async-sync.json",
    "organizations_api/05-get-count-of-vehicles-with-make-and-registration.json",
    "organizations_api/07-search-companies-with-geo-sphere-with-coordinates.json",
    "organizations_api/08-simple-filtering-example-using-v3organizations.json",
    "organizations_api/09-simple-oauth-client-credentials-example.json",
    "organizations_api/10-technology-search-shopify.json",
];

const UNWOUND: &str = "unwind_subdocument gives several rows for one organization";
const NEWS: &str =
    "is a body for POST https://api.vainu.io/api/v3/signals/news/, which gives no organizations";
const DATA_CHANGES: &str =
    "is a body for POST https://api.vainu.io/api/v3/signals/data-changes/, which gives no organizations";
const ENRICHMENT: &str =
    "is a body for POST https://api.vainu.io/api/v3/enrichment_agent/, which gives no organizations";

/// Examples that can't be synced as they stand, and what is said of each.
const REFUSED: [(&str, &str); 11] = [
    (
        "organizations_api/03-geospatial-business-unit-search-returning-only-matching-business_units.json",
        UNWOUND,
    ),
    ("organizations_api/06-simple-fuzzy-search-api.json", "search is a fuzzy search"),
    (
        "organizations_api/11-track-modifications.json",
        "holds the placeholder \"<NOW_MINUS_10_SECONDS_ISO8601>\"",
    ),
    ("organizations_api/12-count-companies-in-vainu-list.json", "holds the placeholder \"123abc-CHANGEME\""),
    ("signals_api/01-news-signals-for-one-company.json", NEWS),
    ("signals_api/02-news-signals-by-tags.json", NEWS),
    ("signals_api/03-news-signals-excluding-tags.json", NEWS),
    ("signals_api/04-news-signals-keyword-monitor.json", NEWS),
    ("signals_api/05-data-changes-for-companies.json", DATA_CHANGES),
    ("signals_api/06-data-changes-jsonl-paging.json", DATA_CHANGES),
    ("enrichment_agent_api/01-run-enrichment-agent-for-one-company.json", ENRICHMENT),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_client_is_taken_or_refused_with_the_reason() {
    let Some(program) = vainu_cli::program() else { return };
    let bench = Bench::with_rows([], "").await;
    let client = VainuCli::new(program, Auth::Jwt, &bench.sandbox);
    let folder = examples(&client).await;
    for example in TAKEN {
        let ended = check(&bench, &folder.join(example)).await;
        assert_eq!(ended.code, Some(0), "{example}: {}", ended.err);
    }
    for (example, reason) in REFUSED {
        let ended = check(&bench, &folder.join(example)).await;
        assert_eq!(ended.code, Some(78), "{example} is taken");
        assert!(ended.err.contains(example) && ended.err.contains(reason), "{example}: {}", ended.err);
        assert_eq!(ended.err.matches("queries.").count(), 1, "{example}: {}", ended.err);
    }
}

/// The folder of the examples, which are those that the tables above know.
async fn examples(client: &VainuCli) -> PathBuf {
    let listed = client.prints(&["examples", "list"]).await;
    let known = TAKEN.into_iter().chain(REFUSED.map(|(example, _)| example));
    assert_eq!(listed.lines().collect::<BTreeSet<_>>(), known.collect());
    let path = client.prints(&["examples", "path", TAKEN[0]]).await;
    PathBuf::from(path.trim().strip_suffix(TAKEN[0]).unwrap())
}

/// `vainu-sync check` of a query that takes all it can from `payload`.
async fn check(bench: &Bench, payload: &Path) -> Ended {
    let body: Value = serde_json::from_str(&std::fs::read_to_string(payload).unwrap()).unwrap();
    let lacks = |key: &str| body[key].is_null();
    let fields = if lacks("fields") { "fields = ['name']" } else { "" };
    let database = if lacks("database") { "database = 'FI'" } else { "" };
    let config = format!(
        "[[queries]]\nname = 'example'\nschedule = '@daily'\n{fields}\n{database}\npayload_file = '{}'\n",
        payload.display()
    );
    std::fs::write(bench.folder.path().join("config.toml"), config).unwrap();
    vainu_sync(bench, &["check"]).await
}
