//! The companies that the sandbox knows: made up from a seed, or rows that a test gave.

mod company;
mod dice;
mod names;
mod population;
mod records;
mod timeline;

use std::borrow::Cow;
use std::sync::Arc;

pub use company::Language;
pub use dice::mix;
pub use population::MAX_SIZE;
pub use timeline::Timeline;

use self::company::Company;
use self::dice::Dice;
use self::names::Country;
use self::population::Population;
use super::vql::Row;

/// The codes of Vainu's databases.
pub const DATABASES: [&str; 5] = ["FI", "SE", "NO", "DK", "NL"];

/// One database at one moment. Cheap to clone, and unmoved by what happens to the world afterwards.
#[derive(Clone)]
pub enum Snapshot {
    Generated(Generated),
    Fixed(Arc<Vec<String>>),
}

/// A database of made-up companies on one day.
#[derive(Clone)]
pub struct Generated {
    country: &'static Country,
    seed: u64,
    population: Population,
    timeline: Arc<Timeline>,
    day: u32,
}

impl Generated {
    /// `None` if there is no database of that code.
    pub fn new(seed: u64, size: u32, database: &str, timeline: Arc<Timeline>) -> Option<Self> {
        let country = names::country(database)?;
        let own = database.bytes().fold(seed, |seed, byte| mix(seed, u64::from(byte)));
        let day = timeline.today();
        Some(Self { country, seed: own, population: Population::new(own, size), timeline, day })
    }

    fn company(&self, slot: u32, language: Language) -> Company {
        let (version, since) = self.population.version(slot, self.day);
        let since = since.max(self.population.arrival(slot, self.day));
        Company {
            country: self.country,
            number: self.population.number(slot, self.country.digits),
            version,
            modified: self.timeline.moment(since),
            lasting: Dice(mix(self.seed, u64::from(slot) << 32)),
            language,
        }
    }

    /// The ids of the first `count` companies.
    pub fn first_ids(&self, count: usize) -> Vec<String> {
        let id = |slot| self.company(slot, Language::default()).business_id();
        self.population.on(self.day).take(count).map(id).collect()
    }

    /// Without an order the API promises none; ids that come in order would hide a client that relies on it.
    fn shuffled(&self) -> Vec<u32> {
        let mut slots: Vec<u32> = self.population.on(self.day).collect();
        slots.sort_by_cached_key(|slot| mix(self.seed, u64::from(*slot)));
        slots
    }
}

impl Snapshot {
    /// The position of every row, in the order that a request without `order` sees.
    pub fn positions(&self) -> Vec<u32> {
        match self {
            Self::Generated(generated) => generated.shuffled(),
            Self::Fixed(rows) => (0..).zip(rows.iter()).map(|(position, _)| position).collect(),
        }
    }

    /// The text of the row at `position`.
    pub fn row(&self, position: u32, language: Language) -> Cow<'_, str> {
        match self {
            Self::Generated(generated) => Cow::Owned(generated.company(position, language).row()),
            Self::Fixed(rows) => Cow::Borrowed(fixed(rows, position)),
        }
    }

    /// The row at `position` for a filter.
    pub fn filterable(&self, position: u32) -> impl Row {
        match self {
            Self::Generated(generated) => RowOf::Generated(generated.company(position, Language::default())),
            Self::Fixed(rows) => RowOf::Fixed(fixed(rows, position)),
        }
    }
}

/// Positions outlive no snapshot; one past the end would be a mistake of the sandbox, shown as an empty row.
fn fixed(rows: &[String], position: u32) -> &str {
    usize::try_from(position).ok().and_then(|position| rows.get(position)).map_or("{}", String::as_str)
}

enum RowOf<'a> {
    Generated(Company),
    Fixed(&'a str),
}

impl Row for RowOf<'_> {
    fn value(&self, key: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Generated(company) => company.value(key).map(Cow::Owned),
            Self::Fixed(text) => super::json::member(text, key).map(Cow::Borrowed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    fn world(seed: u64, size: u32, database: &str, day: u32) -> Snapshot {
        let mut timeline = Timeline::default();
        if day > 0 {
            timeline.begin(day, jiff::Timestamp::UNIX_EPOCH);
        }
        Snapshot::Generated(Generated::new(seed, size, database, Arc::new(timeline)).unwrap())
    }

    fn rows(snapshot: &Snapshot) -> HashMap<String, String> {
        let row = |position| snapshot.row(position, Language::English).into_owned();
        let all = snapshot.positions().into_iter().map(row);
        all.map(|row| (super::super::json::member(&row, "business_id").unwrap().to_owned(), row)).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_world_and_another_seed_another() {
        let once = rows(&world(42, 200, "FI", 3));
        assert_eq!(once, rows(&world(42, 200, "FI", 3)));
        assert_ne!(once, rows(&world(43, 200, "FI", 3)));
    }

    #[test]
    fn ids_are_distinct_carry_their_database_and_differ_between_databases() {
        let mut seen = HashSet::new();
        for database in DATABASES {
            let companies = rows(&world(1, 300, database, 0));
            assert_eq!(companies.len(), 300, "{database}");
            assert!(companies.keys().all(|id| id.starts_with(&format!("\"{database}"))), "{database}");
            seen.extend(companies.into_keys().map(|id| id[3..].to_owned()));
        }
        assert!(seen.len() > 1490, "the databases share their numbers");
    }

    #[test]
    fn a_day_changes_takes_and_brings_companies_and_leaves_the_rest() {
        let (before, after) = (rows(&world(5, 500, "SE", 0)), rows(&world(5, 500, "SE", 1)));
        let stayed = before.iter().filter(|(id, _)| after.contains_key(*id));
        let changed = stayed.clone().filter(|(id, row)| after[*id] != **row).count();
        assert!((1..=15).contains(&changed), "{changed} changed");
        assert!(stayed.count() < 500);
        assert!(after.keys().any(|id| !before.contains_key(id)));
    }

    #[test]
    fn a_row_is_json_of_about_a_kilobyte_and_a_half_with_every_key() {
        let rows = rows(&world(8, 1000, "NO", 0));
        let bytes: usize = rows.values().map(String::len).sum();
        assert!((1400..1600).contains(&(bytes / rows.len())), "{} bytes a row", bytes / rows.len());
        for row in rows.values() {
            let parsed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(row).unwrap();
            assert_eq!(parsed.len(), company::KEYS.len());
        }
    }

    #[test]
    fn rows_do_not_come_in_the_order_of_their_ids_unasked() {
        let snapshot = world(2, 50, "DK", 0);
        assert!(!snapshot.positions().is_sorted());
    }

    #[test]
    fn accept_language_changes_the_descriptions_alone() {
        let snapshot = world(2, 20, "FI", 0);
        let position = snapshot.positions()[0];
        let [english, finnish] = [Language::English, Language::Finnish]
            .map(|language| snapshot.row(position, language).into_owned());
        assert_ne!(english, finnish);
        let industries =
            |row: &str| super::super::json::member(row, "official_industries").unwrap().to_owned();
        assert_eq!(english.replace(&industries(&english), ""), finnish.replace(&industries(&finnish), ""));
    }
}
