//! The parts of a row that are objects, in the shape in which they go out.

use serde::Serialize;

#[derive(Serialize)]
pub struct FinancialData {
    pub revenue: Option<u64>,
    pub year: u16,
    pub profit: Option<i64>,
    pub currency: &'static str,
}

#[derive(Serialize)]
pub struct OfficialIndustry {
    pub code: &'static str,
    pub description: &'static str,
}

#[derive(Serialize)]
pub struct BusinessUnit {
    pub office_name: String,
    pub phone: Option<String>,
    pub visiting_address: Address,
}

#[derive(Serialize)]
pub struct Address {
    pub street: String,
    pub postal_code: String,
    pub city: &'static str,
    pub coordinates: [f64; 2],
}

#[derive(Serialize)]
pub struct Contact {
    pub first_name: &'static str,
    pub last_name: &'static str,
    pub email: Option<String>,
    pub titles: [Title; 1],
}

#[derive(Serialize)]
pub struct Title {
    pub title: &'static str,
    pub classifications: Classifications,
}

#[derive(Serialize)]
pub struct Classifications {
    pub functional_area: &'static str,
}

#[derive(Serialize)]
pub struct Technology {
    pub name: &'static str,
    pub category: &'static str,
}

#[derive(Serialize)]
pub struct Vehicle {
    pub make: &'static str,
    pub first_registered: String,
}

#[derive(Serialize)]
pub struct Modifications {
    pub basic: String,
    pub financial_statements: String,
}
