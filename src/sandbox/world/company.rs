//! One made-up company: each top-level key of its row, computed when asked for.

use jiff::Timestamp;
use serde::Serialize;

use super::dice::Dice;
use super::names::{Country, INDUSTRIES, MAKES, Place, TECHNOLOGIES, TITLES};
use super::records::{
    Address, BusinessUnit, Classifications, Contact, FinancialData, Modifications, OfficialIndustry,
    Technology, Title, Vehicle,
};

/// The top-level keys of a row, in their order.
pub const KEYS: [&str; 14] = [
    "business_id",
    "name",
    "website",
    "founded",
    "legal_entity",
    "status",
    "staff_number",
    "financial_data",
    "official_industries",
    "business_units",
    "contacts",
    "technology_data",
    "vehicles",
    "modifications",
];

/// A company as it is on one day.
#[derive(Clone, Copy)]
pub struct Company {
    pub country: &'static Country,
    /// The digits of its `business_id`.
    pub number: u64,
    /// How often it has changed.
    pub version: u64,
    /// When it last changed.
    pub modified: Timestamp,
    /// Decides what never changes.
    pub lasting: Dice,
    pub language: Language,
}

/// What `Accept-Language` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    #[default]
    English,
    Finnish,
    Swedish,
}

/// One number for each decision, so that none depends on another.
mod choice {
    pub const STEM: u64 = 0;
    pub const BRANCH: u64 = 1;
    pub const FORM: u64 = 2;
    pub const WEBSITE: u64 = 3;
    pub const FOUNDED: u64 = 4;
    pub const STAFF: u64 = 5;
    pub const REVENUE: u64 = 6;
    pub const INDUSTRY: u64 = 7;
    pub const UNITS: u64 = 100;
    pub const CONTACTS: u64 = 200;
    pub const TECHNOLOGIES: u64 = 300;
    pub const VEHICLES: u64 = 400;
    pub const STATEMENTS: u64 = 8;
    pub const STATUS: u64 = 9;
}

impl Company {
    /// The JSON text under a top-level key; `None` for a key that no company has.
    pub fn value(&self, key: &str) -> Option<String> {
        Some(match key {
            "business_id" => json(&self.business_id()),
            "name" => json(&self.name()),
            "website" => json(&self.website()),
            "founded" => json(&self.founded()),
            "legal_entity" => json(&self.country.forms[self.form()].name),
            "status" => json(&self.status()),
            "staff_number" => json(&self.staff_number()),
            "financial_data" => json(&self.financial_data()),
            "official_industries" => json(&self.industries()),
            "business_units" => json(&self.units()),
            "contacts" => json(&self.contacts()),
            "technology_data" => json(&self.technologies()),
            "vehicles" => json(&self.vehicles()),
            "modifications" => json(&self.modifications()),
            _ => return None,
        })
    }

    /// The whole row.
    pub fn row(&self) -> String {
        let mut row = String::with_capacity(2048);
        for key in KEYS {
            row.push_str(if row.is_empty() { "{\"" } else { ",\"" });
            row.push_str(key);
            row.push_str("\":");
            row.push_str(&self.value(key).expect("every key has a value"));
        }
        row.push('}');
        row
    }

    /// The database's code and the company's number.
    pub fn business_id(&self) -> String {
        format!("{}{}", self.country.code, self.number)
    }

    fn stem(&self) -> &'static str {
        self.lasting.pick(choice::STEM, self.country.stems)
    }

    fn branch(&self) -> usize {
        index(self.lasting.roll(choice::BRANCH, len(self.country.branches)))
    }

    fn form(&self) -> usize {
        index(self.lasting.roll(choice::FORM, len(self.country.forms)))
    }

    /// Every eighth change is a new name.
    fn name(&self) -> String {
        let renamed = if self.version % 8 == 7 { " Group" } else { "" };
        let branch = self.country.branches[self.branch()];
        format!("{}{branch}{renamed} {}", self.stem(), self.country.forms[self.form()].suffix)
    }

    fn website(&self) -> Option<String> {
        let has_one = self.lasting.roll(choice::WEBSITE, 8) != 0;
        has_one.then(|| format!("{}{}.{}", plain(self.stem()), self.number, self.country.domain))
    }

    fn founded(&self) -> String {
        let day = self.lasting.roll(choice::FOUNDED, 28);
        let month = self.lasting.roll(choice::FOUNDED + 50, 12);
        let year = self.lasting.roll(choice::FOUNDED + 60, 70);
        format!("{}-{:02}-{:02}", 1955 + year, 1 + month, 1 + day)
    }

    fn status(&self) -> &'static str {
        if self.lasting.roll(choice::STATUS, 40) == 0 { "in liquidation" } else { "active" }
    }

    /// Grows with every change, so that no change leaves the row as it was.
    fn staff_number(&self) -> u64 {
        self.lasting.roll(choice::STAFF, 1 + self.lasting.roll(choice::STAFF + 50, 400))
            + 1
            + 2 * self.version
    }

    fn financial_data(&self) -> FinancialData {
        let known = self.lasting.roll(choice::REVENUE, 10) != 0;
        // One in fifty is large.
        let scale = if self.lasting.roll(choice::REVENUE + 70, 50) == 0 { 20 } else { 1 };
        let revenue =
            scale * self.staff_number() * (60_000 + self.lasting.roll(choice::REVENUE + 50, 120_000));
        let margin = i64::try_from(self.lasting.roll(choice::REVENUE + 60, 30)).expect("below 30") - 5;
        let profit = i64::try_from(revenue / 100).expect("a revenue is far below 2^63") * margin;
        FinancialData {
            revenue: known.then_some(revenue),
            year: 2025,
            profit: known.then_some(profit),
            currency: self.country.currency,
        }
    }

    fn industries(&self) -> Vec<OfficialIndustry> {
        let first = self.branch() % INDUSTRIES.len();
        let second = index(self.lasting.roll(choice::INDUSTRY, len(&INDUSTRIES)));
        let mut industries = vec![first];
        industries.extend((second > 4 && second != first).then_some(second));
        industries.into_iter().map(|index| self.industry(index)).collect()
    }

    fn industry(&self, index: usize) -> OfficialIndustry {
        let industry = &INDUSTRIES[index];
        let description = match self.language {
            Language::English => industry.en,
            Language::Finnish => industry.fi,
            Language::Swedish => industry.sv,
        };
        OfficialIndustry { code: industry.code, description }
    }

    /// Every fifth change is a move of the first office.
    fn units(&self) -> Vec<BusinessUnit> {
        let count = 1 + self.lasting.roll(choice::UNITS, 4);
        (0..count)
            .map(|unit| {
                let moves = if unit == 0 { self.version / 5 } else { 0 };
                self.unit(choice::UNITS + 10 * unit + 1000 * moves)
            })
            .collect()
    }

    fn unit(&self, salt: u64) -> BusinessUnit {
        let place: Place = self.lasting.pick(salt + 1, self.country.places);
        let street = self.lasting.pick(salt + 2, self.country.streets);
        let has_phone = self.lasting.roll(salt + 3, 4) != 0;
        let subscriber = self.lasting.roll(salt + 4, 9_000_000) + 1_000_000;
        BusinessUnit {
            office_name: format!("{} {}", self.stem(), place.city),
            phone: has_phone.then(|| format!("{} {subscriber}", self.country.dialling)),
            visiting_address: Address {
                street: format!("{street} {}", self.lasting.roll(salt + 5, 120) + 1),
                postal_code: format!("{:05}", self.lasting.roll(salt + 6, 99_000) + 1000),
                city: place.city,
                coordinates: place.at,
            },
        }
    }

    fn contacts(&self) -> Vec<Contact> {
        let count = self.lasting.roll(choice::CONTACTS, 5);
        (0..count).map(|contact| self.contact(choice::CONTACTS + 10 * (contact + 1))).collect()
    }

    fn contact(&self, salt: u64) -> Contact {
        let first_name = self.lasting.pick(salt, self.country.first_names);
        let last_name = self.lasting.pick(salt + 1, self.country.last_names);
        let (title, functional_area) = self.lasting.pick(salt + 2, &TITLES);
        let website = self.website();
        let email = website.map(|site| format!("{}@{site}", plain(first_name)));
        let titles = [Title { title, classifications: Classifications { functional_area } }];
        Contact { first_name, last_name, email, titles }
    }

    fn technologies(&self) -> Vec<Technology> {
        let first = index(self.lasting.roll(choice::TECHNOLOGIES, len(&TECHNOLOGIES)));
        let count = index(self.lasting.roll(choice::TECHNOLOGIES + 1, 5));
        (first..first + count)
            .map(|index| TECHNOLOGIES[index % TECHNOLOGIES.len()])
            .map(|(name, category)| Technology { name, category })
            .collect()
    }

    fn vehicles(&self) -> Vec<Vehicle> {
        let count = self.lasting.roll(choice::VEHICLES, 6);
        (0..count).map(|vehicle| self.vehicle(choice::VEHICLES + 10 * (vehicle + 1))).collect()
    }

    fn vehicle(&self, salt: u64) -> Vehicle {
        let year = 2012 + self.lasting.roll(salt + 1, 14);
        let first_registered = format!("{year}-{:02}-15", 1 + self.lasting.roll(salt + 2, 12));
        Vehicle { make: self.lasting.pick(salt, &MAKES), first_registered }
    }

    fn modifications(&self) -> Modifications {
        let statements = self.lasting.roll(choice::STATEMENTS, 12) + 1;
        Modifications {
            basic: self.modified.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            financial_statements: format!("2025-{statements:02}-28T04:00:00Z"),
        }
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data always serialises")
}

fn len<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).expect("a table is short")
}

fn index(number: u64) -> usize {
    usize::try_from(number).expect("below a table's length")
}

/// `text` as a host name may hold it.
fn plain(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            'ä' | 'å' | 'æ' => Some('a'),
            'ö' | 'ø' => Some('o'),
            letter => letter.is_ascii_alphanumeric().then_some(letter),
        })
        .collect()
}
