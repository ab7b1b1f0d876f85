//! The body of a request for organizations, a count or an export.

use serde_json::{Map, Value};

use super::aggregate::{self, Aggregation};
use super::catalogue;
use super::project::Fields;
use super::refusal::Refusal;
use super::state::Inner;
use super::switches::{AggregationKey, Order, Switches, UnknownField};
use super::world::DATABASES;

/// Which organizations are asked for, and in what order.
#[derive(Debug, Clone)]
pub struct Asked {
    pub database: String,
    pub query: Value,
    /// `None` where `order` is absent or not honoured.
    pub order: Option<OrderBy>,
    pub fields: Fields,
    pub aggregations: Vec<Aggregation>,
    pub limit: Option<usize>,
    pub offset: usize,
}

/// A field to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    pub path: String,
    pub descending: bool,
}

impl Asked {
    /// # Errors
    /// A refusal where Vainu would give one, or where a switch says that it does.
    pub fn parse(body: &[u8], inner: &Inner) -> Result<Self, Refusal> {
        let body = object(body)?;
        Ok(Self {
            order: order(&body, inner.switches.order)?,
            fields: fields(&body, &inner.switches)?,
            aggregations: aggregate::parse(&body, inner.switches.aggregation_key)?,
            limit: number(&body, "limit")?,
            offset: number(&body, "offset")?.unwrap_or(0),
            ..Self::selection(&body, inner)?
        })
    }

    /// What is selected alone, as a count takes it: every other key is ignored.
    pub fn selection(body: &Map<String, Value>, inner: &Inner) -> Result<Self, Refusal> {
        let (database, query) = selection(body, inner)?;
        let fields = Fields::everything();
        Ok(Self { database, query, order: None, fields, aggregations: Vec::new(), limit: None, offset: 0 })
    }
}

/// The body as a JSON object.
pub fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(Refusal::bad_request("The body must be a JSON object")),
        Err(error) => Err(Refusal::bad_request(format!("JSON parse error - {error}"))),
    }
}

/// The database and the query, either as given or as a saved list supplies them.
fn selection(body: &Map<String, Value>, inner: &Inner) -> Result<(String, Value), Refusal> {
    let database = database(body)?;
    match (body.get("list").and_then(Value::as_str), body.get("query")) {
        (Some(id), _) => {
            let list = inner.lists.get(id).ok_or_else(Refusal::not_found)?;
            if database.is_none() && inner.switches.list_needs_database {
                return Err(Refusal::bad_request("database: This field is required."));
            }
            Ok((database.unwrap_or_else(|| list.country.clone()), list.as_query()))
        }
        (None, Some(query)) => {
            let database =
                database.ok_or_else(|| Refusal::bad_request("database: This field is required."))?;
            Ok((database, query.clone()))
        }
        (None, None) => Err(Refusal::bad_request("query: This field is required.")),
    }
}

fn database(body: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let Some(given) = body.get("database").filter(|given| !given.is_null()) else { return Ok(None) };
    let known = given.as_str().filter(|code| DATABASES.contains(code));
    let known = known.ok_or_else(|| Refusal::bad_request("Database not supported permission"))?;
    Ok(Some(known.to_owned()))
}

fn order(body: &Map<String, Value>, switch: Order) -> Result<Option<OrderBy>, Refusal> {
    let Some(order) = body.get("order").filter(|order| !order.is_null()) else { return Ok(None) };
    let invalid = || Refusal::bad_request("invalid order by value");
    match switch {
        Order::Ignored => Ok(None),
        Order::Refused => Err(invalid()),
        Order::Honoured => {
            let text = order.as_str().ok_or_else(invalid)?;
            let path = text.trim_start_matches('-').to_owned();
            Ok(Some(OrderBy { path, descending: text.starts_with('-') }))
        }
    }
}

fn fields<'a>(body: &'a Map<String, Value>, switches: &Switches) -> Result<Fields, Refusal> {
    let Some(fields) = body.get("fields").filter(|fields| !fields.is_null()) else {
        return Ok(Fields::everything());
    };
    let names: Option<Vec<&str>> =
        fields.as_array().and_then(|names| names.iter().map(Value::as_str).collect());
    let names = names.ok_or_else(|| Refusal::bad_request("fields: Expected a list of strings."))?;
    refuse_gated(&names, switches)?;
    refuse_unknown(&names, switches.unknown_field)?;
    let key_of = |name: &'a str| match switches.aggregation_key {
        AggregationKey::Id => name.trim_start_matches('?'),
        AggregationKey::Question => name,
    };
    Ok(Fields::of(names.into_iter().map(key_of)))
}

fn refuse_gated(names: &[&str], switches: &Switches) -> Result<(), Refusal> {
    let is_gated = |name: &str| switches.gated.iter().any(|gated| name.split('.').next() == Some(gated));
    let gated: Vec<&str> = names.iter().copied().filter(|name| is_gated(name)).collect();
    if gated.is_empty() { Ok(()) } else { Err(Refusal::forbidden_fields(&gated)) }
}

/// `?X` is the result of an aggregation, which no catalogue lists.
fn refuse_unknown(names: &[&str], switch: UnknownField) -> Result<(), Refusal> {
    let is_unknown = |name: &&str| !name.starts_with('?') && !catalogue::knows(name);
    let unknown: Vec<&str> = names.iter().copied().filter(is_unknown).collect();
    match switch {
        _ if unknown.is_empty() => Ok(()),
        UnknownField::Ignored => Ok(()),
        UnknownField::Refused => {
            Err(Refusal::bad_request(format!("fields: unknown fields: {}", unknown.join(", "))))
        }
        UnknownField::Forbidden => Err(Refusal::forbidden_fields(&unknown)),
    }
}

fn number(body: &Map<String, Value>, key: &str) -> Result<Option<usize>, Refusal> {
    let Some(given) = body.get(key).filter(|given| !given.is_null()) else { return Ok(None) };
    let number = given.as_u64().and_then(|number| usize::try_from(number).ok());
    number.map(Some).ok_or_else(|| Refusal::bad_request(format!("{key}: A valid integer is required.")))
}
