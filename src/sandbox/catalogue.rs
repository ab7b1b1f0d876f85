//! `GET /v3/organizations_fields/`: which paths there are. A query's comparison on any other is ignored.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::state::Shared;
use super::world::DATABASES;

/// A path that a row may hold.
struct Field {
    path: &'static str,
    kind: &'static str,
    name: &'static str,
    uses: Uses,
}

/// Where a path may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Uses {
    /// In `query` and in `fields`.
    Both,
    /// In `fields` alone.
    Output,
}

const fn field(path: &'static str, kind: &'static str, name: &'static str) -> Field {
    Field { path, kind, name, uses: Uses::Both }
}

const fn output(path: &'static str, kind: &'static str, name: &'static str) -> Field {
    Field { path, kind, name, uses: Uses::Output }
}

static FIELDS: [Field; 34] = [
    field("business_id", "string", "Business ID"),
    field("name", "string", "Company name"),
    field("website", "string", "Website"),
    field("founded", "date", "Founded"),
    field("legal_entity", "string", "Legal entity"),
    field("status", "string", "Status"),
    field("staff_number", "integer", "Number of employees"),
    output("financial_data", "object", "Financial data"),
    field("financial_data.revenue", "integer", "Revenue"),
    field("financial_data.year", "integer", "Financial year"),
    field("financial_data.profit", "integer", "Profit"),
    output("financial_data.currency", "string", "Currency"),
    output("official_industries", "object", "Official industries"),
    field("official_industries.code", "string", "Industry code"),
    field("official_industries.description", "string", "Industry"),
    output("business_units", "object", "Business units"),
    field("business_units.office_name", "string", "Office name"),
    field("business_units.phone", "string", "Phone"),
    field("business_units.visiting_address.street", "string", "Street"),
    field("business_units.visiting_address.postal_code", "string", "Postal code"),
    field("business_units.visiting_address.city", "string", "City"),
    field("business_units.visiting_address.coordinates", "geo_point", "Coordinates"),
    output("contacts", "object", "Contacts"),
    output("contacts.first_name", "string", "First name"),
    output("contacts.last_name", "string", "Last name"),
    output("contacts.email", "string", "Email"),
    field("contacts.titles.title", "string", "Title"),
    field("contacts.titles.classifications.functional_area", "string", "Functional area"),
    field("technology_data.name", "string", "Technology"),
    field("technology_data.category", "string", "Technology category"),
    field("vehicles.make", "string", "Make"),
    field("vehicles.first_registered", "date", "First registered"),
    field("modifications.basic", "date", "Basic data modified"),
    field("modifications.financial_statements", "date", "Financial statements modified"),
];

/// Whether `path`, or a path below it, is in the catalogue.
pub fn knows(path: &str) -> bool {
    FIELDS.iter().any(|field| {
        field.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// The catalogue.
pub async fn fields(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let gated = shared.lock().switches.gated.clone();
    Json(FIELDS.iter().map(|field| field.describe(&gated)).collect())
}

impl Field {
    fn describe(&self, gated: &[String]) -> Value {
        let top = self.top();
        let permission: Vec<&str> = gated.iter().map(String::as_str).filter(|gated| *gated == top).collect();
        json!({
            "api": { "v3": { "path": self.path } },
            "meta_data": { "type": self.kind },
            "application_availability": self.availability(),
            "allowed_operators": self.operators(),
            "requires_permission": permission,
            "main_category": if self.path.contains('.') { top } else { "basic" },
            "databases": DATABASES,
            "names": { "translations": { "en": self.name } },
            "description": format!("{} (made up by the sandbox)", self.name),
        })
    }

    fn top(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(top, _)| top)
    }

    fn availability(&self) -> &'static [&'static str] {
        match self.uses {
            Uses::Both => &["filter", "search", "export", "profile"],
            Uses::Output => &["export", "profile"],
        }
    }

    fn operators(&self) -> &'static [&'static str] {
        match (self.uses, self.kind) {
            (Uses::Output, _) => &[],
            (_, "string") => &["?EQ", "?IN", "?STARTSWITH", "?ICONTAINS"],
            (_, "geo_point") => &["?GEO_WITHIN_SPHERE"],
            _ => &["?EQ", "?GT", "?GTE", "?LT", "?LTE", "?RANGE", "?IN"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_what_it_leads_to_are_known_and_a_typo_is_not() {
        for known in ["name", "business_units.visiting_address", "vehicles", "modifications.basic"] {
            assert!(knows(known), "{known}");
        }
        for unknown in ["nam", "names", "financial_data.revenu", "business_units.visiting_address.city.x", ""]
        {
            assert!(!knows(unknown), "{unknown}");
        }
    }
}
