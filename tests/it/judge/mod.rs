//! Vainu's own client as an independent judge: it asks the sandbox that the program asks, so that the sandbox
//! is not our own reading of the API alone, and what it downloads equals what the store holds, value by value.

mod download;

mod account;
mod organizations;
mod recipes;

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use vainu_sync::organization::json::same;
use vainu_sync::sandbox::World;

use self::download::{Rows, raw, rows};
use crate::bench::Bench;
use crate::program::{program, to_its_end};
use crate::vainu_cli::{self, Auth, VainuCli};

const WORLD: World = World::Generated { size: 400 };

const QUERY: &str = r#"{"?ANY": [{"?GTE": {"financial_data.revenue": 5000000}},
    {"?MATCH": {"vehicles": {"?EQ": {"make": "SKODA"}}}}, {"?EQ": {"business_units.visiting_address.city": "Oulu"}}]}"#;

/// Texts, numbers, fractions, nulls, objects, and lists of objects that hold both.
const FIELDS: [&str; 12] = [
    "business_id",
    "name",
    "website",
    "founded",
    "staff_number",
    "financial_data",
    "official_industries.description",
    "business_units.phone",
    "business_units.visiting_address",
    "contacts",
    "vehicles.make",
    "modifications.basic",
];

/// The program with its store and Vainu's own client, before the same sandbox.
struct Judge {
    bench: Bench,
    client: VainuCli,
}

impl Judge {
    /// `None` where there is no client. The program is told by the client's variables alone where the API is
    /// and who asks.
    async fn start(world: World, auth: Auth) -> Option<Self> {
        let client = vainu_cli::program()?;
        let bench = Bench::start(world, "").await;
        let client = VainuCli::new(client, auth, &bench.sandbox);
        let judge = Self { bench, client };
        judge.configure(&[("rich", format!("query = '''{QUERY}'''"))]);
        Some(judge)
    }

    /// Queries for [`FIELDS`] in FI, each by its name and what it asks.
    fn configure(&self, queries: &[(&str, String)]) {
        let defaults = format!("[defaults]\ndatabase = \"FI\"\nschedule = \"@daily\"\nfields = {FIELDS:?}\n");
        let tables = queries.iter().map(|(name, asks)| format!("[[queries]]\nname = \"{name}\"\n{asks}\n"));
        // Less than there is, so that the program reads several pages where the client reads one.
        let text = format!("[api]\npage_size = 60\n{defaults}{}", tables.collect::<String>());
        fs::write(self.bench.folder.path().join("config.toml"), text).unwrap();
    }

    async fn sync(&self) {
        let mut command = program(self.bench.folder.path());
        command.envs(self.client.variables.clone()).arg("sync");
        let ended = to_its_end(command).await;
        assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    }

    async fn listed(&self, asks: &Value, format: &str) -> Rows {
        rows(&self.client.prints(&["organizations", "--format", format, "--payload", &body(asks)]).await)
    }

    async fn exported(&self, asks: &Value, format: &str) -> Rows {
        let payload = body(asks);
        let args = ["organizations-async", "--poll-interval", "0", "--format", format, "--payload", &payload];
        rows(&self.client.writes(&args).await)
    }

    /// The members of `query` are those that the client downloaded, and each document is its row.
    async fn assert_holds(&self, query: &str, downloaded: &Rows, how: &str) {
        let members = self.bench.members(query).await;
        let (stored, listed): (BTreeSet<_>, BTreeSet<_>) =
            (members.keys().collect(), downloaded.keys().collect());
        assert!(stored == listed, "{how}: not in both: {:?}", &stored ^ &listed);
        for (id, document) in members {
            let row = &downloaded[&id];
            assert!(same(raw(&document).get(), row.get()), "{how}: stored\n{document}\ndownloaded\n{row}");
        }
    }
}

/// What is selected by [`QUERY`].
fn the_query() -> Value {
    json!({ "query": serde_json::from_str::<Value>(QUERY).unwrap() })
}

/// A request body for [`FIELDS`] of all that `asks` selects in FI.
fn body(asks: &Value) -> String {
    let mut body = json!({ "database": "FI", "fields": FIELDS, "order": "business_id", "limit": 1000 });
    body.as_object_mut().unwrap().extend(asks.as_object().unwrap().clone());
    body.to_string()
}
