//! The request bodies that the client brings along as examples: scheduled here as they are, as `payload_file`,
//! and downloaded by the client.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use vainu_sync::sandbox::{AggregationKey, Members, SavedList};

use super::{Judge, WORLD, the_query};
use crate::vainu_cli::Auth;

/// Recipes for organizations, and whether they select one company alone.
const RECIPES: [(&str, bool); 9] = [
    ("01-amount-of-companies-matching-the-query", false),
    ("02-filter-contacts-return-only-ceos-of-companies", true),
    ("04-get-all-companies-in-vainu-list-async-sync", true),
    ("05-get-count-of-vehicles-with-make-and-registration", false),
    ("07-search-companies-with-geo-sphere-with-coordinates", false),
    ("08-simple-filtering-example-using-v3organizations", true),
    ("09-simple-oauth-client-credentials-example", true),
    ("10-technology-search-shopify", false),
    ("11-track-modifications", true),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_of_the_client_gives_the_store_what_it_gives_the_client() {
    let Some(judge) = Judge::start(WORLD, Auth::Jwt).await else { return };
    let someone = someone(&judge).await;
    let folder = recipes_folder(&judge).await;
    for (name, is_for_one) in RECIPES {
        let recipe = recipe(&folder, name, &someone);
        assert_agrees(name, is_for_one.then_some(&someone), &recipe, AggregationKey::Id).await;
    }
    let (counts, _) = RECIPES[3];
    assert_agrees(counts, None, &recipe(&folder, counts, &someone), AggregationKey::Question).await;
}

/// A company of many contacts.
async fn someone(judge: &Judge) -> String {
    let listed = judge.listed(&the_query(), "jsonl").await;
    let contacts = |row: &str| row.matches("first_name").count();
    listed.into_iter().max_by_key(|(_, row)| contacts(row.get())).unwrap().0
}

async fn recipes_folder(judge: &Judge) -> PathBuf {
    let first = format!("organizations_api/{}.json", RECIPES[0].0);
    let path = judge.client.prints(&["examples", "path", &first]).await;
    Path::new(path.trim()).parent().unwrap().to_owned()
}

/// A recipe whose placeholders are filled in and whose company is one that there is.
fn recipe(folder: &Path, name: &str, someone: &str) -> String {
    let text = fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    text.replace("<NOW_MINUS_10_SECONDS_ISO8601>", "2999-01-01T00:00:00")
        .replace("2026-03-20T06:48:00.323028", "2020-01-01T00:00:00")
        .replace("FI05381340", someone)
        .replace("FI25578642", someone)
}

/// In a store of its own, for queries that share an organization share its document.
async fn assert_agrees(name: &str, one: Option<&String>, recipe: &str, key: AggregationKey) {
    let Some(judge) = Judge::start(WORLD, Auth::Jwt).await else { return };
    judge.bench.control.switch(|switches| switches.aggregation_key = key);
    one.inspect(|id| judge.bench.control.save_list(list_of(id)));
    fs::write(judge.bench.folder.path().join("recipe.json"), recipe).unwrap();
    judge.configure(&[("recipe", "payload_file = 'recipe.json'".to_owned())]);
    judge.sync().await;
    let listed = judge.listed(&without_limit(recipe), "jsonl").await;
    assert!(!listed.is_empty(), "{name} selects nobody");
    assert!(one.is_none_or(|one| listed.keys().eq([one])), "{name} selects {}", listed.len());
    judge.assert_holds("recipe", &listed, name).await;
}

/// The list that a recipe names.
fn list_of(id: &str) -> SavedList {
    SavedList {
        id: "69b029b1febae898f87e40fc".into(),
        name: "Of the recipe".into(),
        country: "FI".into(),
        members: Members::Static(vec![id.into()]),
    }
}

/// A run reads everything; so shall the client.
fn without_limit(recipe: &str) -> Value {
    let mut body: Map<String, Value> = serde_json::from_str(recipe).unwrap();
    body.remove("limit");
    body.into()
}
