//! What the world and the configuration are, and how they change.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use serde_json::json;

use crate::consumer::feed;

/// Names as they come, and worse.
pub const NAMES: [&str; 10] =
    ["Acme", "=cmd", "say \"hi\"", "two\r\nlines", "lone\rCR", "a\0b", "😀", "+358 40", "", "x;y,z"];

/// Headers and the keys below them.
pub const MAPPINGS: [&[(&str, &str)]; 3] = [
    &[("Name", "name"), ("Site", "website")],
    &[("Name", "name")],
    &[("Name", "website"), ("X", "business_id")],
];

#[derive(Debug, Clone, Copy)]
pub struct Company {
    pub name: usize,
    pub website: Option<u8>,
    pub is_oy: bool,
}

#[derive(Debug, Clone)]
pub struct Model {
    pub world: BTreeMap<u8, Company>,
    pub mapping: usize,
    pub null: bool,
    pub has_feeds: bool,
}

#[derive(Debug, Clone)]
pub enum Step {
    /// These come or change, those go, and all is synced.
    Night(Vec<(u8, Company)>, Vec<u8>),
    /// The API fails from this request on.
    SyncInVain(u64),
    Feed,
    Snapshot,
    /// The process dies after so many polls.
    Die(u64),
    Map(usize),
    Null(bool),
    /// Taken out of the configuration, a sync, and put in again.
    Away,
    Backup,
    Restore,
    /// The beginning of the log is let go.
    Forget,
    /// `companies` is renamed, and back.
    Rename,
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        proptest::collection::btree_map(0..20_u8, company(), 1..12)
            .prop_map(|world| Self { world, mapping: 0, null: false, has_feeds: true })
            .boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        prop_oneof![
            8 => night(),
            1 => (1..4_u64).prop_map(Step::SyncInVain),
            5 => Just(Step::Feed),
            1 => Just(Step::Snapshot),
            8 => (1..150_u64).prop_map(Step::Die),
            2 => (0..MAPPINGS.len()).prop_map(Step::Map),
            1 => any::<bool>().prop_map(Step::Null),
            1 => Just(Step::Away),
            1 => Just(Step::Backup),
            2 => Just(Step::Restore),
            2 => Just(Step::Forget),
            1 => Just(Step::Rename),
        ]
        .boxed()
    }

    fn apply(mut model: Self, step: &Step) -> Self {
        match step {
            Step::Night(come, gone) => {
                model.world.extend(come.iter().copied());
                // A world without a company at all is held: a case of its own.
                for id in gone.iter().filter(|id| come.iter().all(|(come, _)| come != *id)) {
                    if model.world.len() > 1 {
                        model.world.remove(id);
                    }
                }
            }
            Step::Map(mapping) => model.mapping = *mapping,
            Step::Null(null) => model.null = *null,
            _ => {}
        }
        model
    }
}

pub fn night() -> impl Strategy<Value = Step> {
    let come = proptest::collection::vec((0..20_u8, company()), 0..5);
    (come, proptest::collection::vec(0..20_u8, 0..5)).prop_map(|(come, gone)| Step::Night(come, gone))
}

pub fn company() -> impl Strategy<Value = Company> {
    (0..NAMES.len(), proptest::option::of(0..3_u8), any::<bool>())
        .prop_map(|(name, website, is_oy)| Company { name, website, is_oy })
}

impl Model {
    pub fn rows(&self) -> Vec<String> {
        let row = |(id, company): (&u8, &Company)| {
            let website = company.website.map(|site| format!("{site}.example"));
            json!({
                "business_id": format!("FI{id:02}"), "name": NAMES[company.name], "website": website,
                "legal_entity": if company.is_oy { "OY" } else { "KY" },
            })
            .to_string()
        };
        self.world.iter().map(row).collect()
    }

    pub fn null(&self) -> &'static str {
        if self.null { "#N/A" } else { "" }
    }

    pub fn config(&self) -> String {
        let queries = r#"
[defaults]
database = "FI"
schedule = "@daily"
max_departures = "100%"
max_arrivals = "100000%"
fields = ["name", "website"]
[[queries]]
name = "companies"
query = '{"?EQ": {"legal_entity": "OY"}}'
[[queries]]
name = "nobodies"
query = '{"?EQ": {"website": "0.example"}}'
"#;
        if !self.has_feeds {
            return queries.to_owned();
        }
        let columns = MAPPINGS[self.mapping].iter().map(|(header, key)| format!("{header} = \"{key}\"\n"));
        let columns = columns.collect::<String>();
        let both = "[\"companies\", \"nobodies\"]";
        let null = format!("null = \"{}\"", self.null());
        [
            queries.to_owned(),
            feed("crm", both, &null, &columns),
            feed("whole", both, &format!("{null}\ncontent = \"snapshot\""), &columns),
            feed("lake", "[\"companies\"]", "format = \"jsonl\"", &columns),
        ]
        .concat()
    }
}
