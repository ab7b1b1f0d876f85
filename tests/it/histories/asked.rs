//! What the configuration asks for.

use std::collections::BTreeSet;

use proptest::prelude::*;
use vainu_sync::config::settings::Fetch;

use super::world::{Company, Database};

/// The queries, by name.
pub const NAMES: [&str; 2] = ["everyone", "companies"];

/// The id of a saved list of everybody that is an OY.
pub const LIST: &str = "69b029b1febae898f87e4a01";

/// What the saved list asks for.
pub const LISTED: &str = r#"{"?EQ": {"legal_entity": "OY"}}"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Name,
    Website,
    Founded,
    Modifications,
}

impl Field {
    pub const ALL: [Self; 4] = [Self::Name, Self::Website, Self::Founded, Self::Modifications];

    pub fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Website => "website",
            Self::Founded => "founded",
            Self::Modifications => "modifications",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    Everyone,
    Oy,
    Founded(u8),
    /// The saved list.
    List,
}

impl Filter {
    pub fn passes(self, company: Company) -> bool {
        match self {
            Self::Everyone => true,
            Self::Oy | Self::List => company.is_oy,
            Self::Founded(year) => company.founded == year,
        }
    }

    /// Whether rows pass that have a name and are an OY, and nothing else.
    pub fn passes_broken_rows(self) -> bool {
        !matches!(self, Self::Founded(_))
    }

    fn toml(self) -> String {
        match self {
            Self::Everyone => r#"query = '{"?ALL": []}'"#.to_owned(),
            Self::Oy => format!("query = '{LISTED}'"),
            Self::Founded(year) => format!(r#"query = '{{"?EQ": {{"founded": "200{year}"}}}}'"#),
            Self::List => format!("list = \"{LIST}\""),
        }
    }
}

/// One `[[queries]]` table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a key of its own in the configuration")]
pub struct Asked {
    pub database: Database,
    pub filter: Filter,
    pub fields: BTreeSet<Field>,
    /// `modifications` is quiet.
    pub quiet: bool,
    /// `full_every` is set.
    pub incremental: bool,
    /// With the default `max_departures` and `max_arrivals`; else nothing but an empty listing is held.
    pub guarded: bool,
    /// The configuration has it.
    pub present: bool,
}

impl Asked {
    /// The percentages of `max_departures` and `max_arrivals`.
    pub fn limits(&self) -> (usize, usize) {
        if self.guarded { (20, 100) } else { (100, 100_000) }
    }

    pub fn is_quiet(&self) -> bool {
        self.quiet && self.fields.contains(&Field::Modifications)
    }

    pub fn is_incremental(&self) -> bool {
        self.incremental && self.filter != Filter::List
    }

    pub fn toml(&self, name: &str, fetch: Fetch) -> String {
        let fields: Vec<&str> = self.fields.iter().map(|field| field.key()).collect();
        let fetch = match fetch {
            Fetch::Auto => "auto",
            Fetch::Pages => "pages",
            Fetch::Export => "export",
        };
        let (departures, arrivals) = self.limits();
        let mut toml = format!(
            "[[queries]]\nname = \"{name}\"\nschedule = \"@daily\"\ndatabase = \"{}\"\nfields = {fields:?}\n{}\n\
             fetch = \"{fetch}\"\nmax_departures = \"{departures}%\"\nmax_arrivals = \"{arrivals}%\"\n",
            self.database.code(),
            self.filter.toml(),
        );
        if self.is_quiet() {
            toml.push_str("quiet = [\"modifications\"]\n");
        }
        if self.is_incremental() {
            toml.push_str("full_every = \"7d\"\n");
        }
        toml
    }
}

/// The queries that a history begins with.
pub fn first() -> impl Strategy<Value = [Asked; 2]> {
    let of = |filter, fields: &[Field]| Asked {
        database: Database::Fi,
        filter,
        fields: fields.iter().copied().collect(),
        quiet: true,
        incremental: false,
        guarded: false,
        present: true,
    };
    let everyone = of(Filter::Everyone, &[Field::Name, Field::Website, Field::Modifications]);
    let companies = of(Filter::Oy, &[Field::Name, Field::Founded]);
    proptest::collection::vec(any::<bool>(), 4).prop_map(move |flags| {
        let everyone = Asked { incremental: flags[0], guarded: flags[1], ..everyone.clone() };
        [everyone, Asked { incremental: flags[2], guarded: flags[3], ..companies.clone() }]
    })
}

/// What a query is edited to.
pub fn edited() -> impl Strategy<Value = Asked> {
    let filter = prop_oneof![
        3 => Just(Filter::Everyone),
        3 => Just(Filter::Oy),
        1 => (0..3_u8).prop_map(Filter::Founded),
        1 => Just(Filter::List),
    ];
    let database = prop_oneof![4 => Just(Database::Fi), 1 => Just(Database::Se)];
    let fields = proptest::sample::subsequence(Field::ALL.to_vec(), 1..=4);
    (database, filter, fields, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(database, filter, fields, quiet, incremental, guarded)| Asked {
            database,
            filter,
            fields: fields.into_iter().collect(),
            quiet,
            incremental,
            guarded,
            present: true,
        },
    )
}
