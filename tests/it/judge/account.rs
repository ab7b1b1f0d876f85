//! What the client reads beside organizations: counts, lists, the catalogue, its own set-up and tokens.

use serde_json::{Value, json};
use vainu_sync::sandbox::Endpoint;

use super::{FIELDS, Judge, WORLD, body, the_query};
use crate::vainu_cli::Auth;

#[tokio::test(flavor = "multi_thread")]
async fn the_client_counts_as_many_as_there_are_members() {
    for auth in Auth::BOTH {
        let Some(judge) = Judge::start(WORLD, auth).await else { return };
        judge.sync().await;
        let control = &judge.bench.control;
        control.switch(|switches| switches.count_polls = 2);
        let before = control.hits(Endpoint::Count);
        let payload = body(&the_query());
        let args = ["organizations-count", "--recount", "--poll-interval", "0", "--payload", &payload];
        let count: Value = serde_json::from_str(&judge.client.prints(&args).await).unwrap();
        assert_eq!(count["status"], "ready");
        assert_eq!(count["count"], judge.bench.members("rich").await.len());
        assert_eq!(control.hits(Endpoint::Count) - before, 3, "scheduled, process, ready");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_list_has_the_same_members_for_both() {
    for auth in Auth::BOTH {
        let Some(judge) = Judge::start(WORLD, auth).await else { return };
        let lists: Vec<Value> = serde_json::from_str(&judge.client.prints(&["lists"]).await).unwrap();
        let here: Vec<&Value> = lists.iter().filter(|list| list["country"] == "FI").collect();
        let queries = here.iter().map(|list| (kind(list), format!("list = \"{}\"", id(list))));
        judge.configure(&queries.collect::<Vec<_>>());
        judge.sync().await;
        assert_eq!(here.len(), 2);
        for list in here {
            let got = judge.client.prints(&["lists", "get", id(list)]).await;
            assert_eq!(serde_json::from_str::<Value>(&got).unwrap(), *list);
            let listed = judge.listed(&json!({ "list": list["id"] }), "jsonl").await;
            assert!((50..400).contains(&listed.len()), "{} rows", listed.len());
            judge.assert_holds(kind(list), &listed, &format!("{auth:?}, {list}")).await;
        }
    }
}

fn id(list: &Value) -> &str {
    list["id"].as_str().unwrap()
}

fn kind(list: &Value) -> &str {
    list["type"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_knows_every_field_that_is_asked_for_from_the_catalogue() {
    for auth in Auth::BOTH {
        let Some(judge) = Judge::start(WORLD, auth).await else { return };
        let args = ["fields", "organizations", "--returnable", "--database", "FI", "--view", "json"];
        let catalogue: Vec<Value> = serde_json::from_str(&judge.client.prints(&args).await).unwrap();
        let paths: Vec<&str> =
            catalogue.iter().map(|field| field["api"]["v3"]["path"].as_str().unwrap()).collect();
        for field in FIELDS {
            let below = format!("{field}.");
            assert!(
                paths.iter().any(|path| *path == field || path.starts_with(&below)),
                "{field}: {paths:?}"
            );
        }
        let args = ["fields", "organizations", "--filterable", "--search", "revenue"];
        let table = judge.client.prints(&args).await;
        let words: Vec<&str> = table.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(words, ["financial_data.revenue", "Revenue", "yes", "yes", "integer"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_finds_its_set_up_whole() {
    for (auth, found) in
        [(Auth::Jwt, "JWT: refresh token set"), (Auth::OAuth, "OAuth: client ID + secret set")]
    {
        let Some(judge) = Judge::start(WORLD, auth).await else { return };
        let doctor = judge.client.prints(&["doctor"]).await;
        assert!(doctor.contains(found) && doctor.contains("All checks passed"), "{doctor}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_sign_in_asks_its_own_endpoint_and_a_revoked_token_is_replaced() {
    let Some(judge) = Judge::start(WORLD, Auth::OAuth).await else { return };
    let control = &judge.bench.control;
    for tokens in [1, 1, 2] {
        if tokens == 2 {
            control.revoke_tokens();
        }
        judge.client.prints(&["lists"]).await;
        assert_eq!(control.hits(Endpoint::OAuthToken), tokens, "the client keeps a token while it works");
    }
    assert_eq!(control.hits(Endpoint::Token), 0);
    judge.sync().await;
    assert_eq!((control.hits(Endpoint::Token), control.hits(Endpoint::OAuthToken)), (0, 3));
}
