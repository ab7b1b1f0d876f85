//! The fields of a query, and the names that they and the query get in the store.

use std::collections::HashMap;

use super::payload::Payload;
use super::report::Reported;
use super::table::Table;
use super::value::Given;

/// The view of a query's members: `finnish-software` is `members_finnish_software`.
#[must_use]
pub fn view_name(query_name: &str) -> String {
    format!("members_{}", query_name.replace(['-', '.'], "_"))
}

/// A field's column in that view: `financial_data.revenue` is `financial_data_revenue`, `?offices` is `offices`.
#[must_use]
pub fn column_name(field: &str) -> String {
    field.strip_prefix('?').unwrap_or(field).replace('.', "_")
}

/// `fields` of the table or its payload, with `business_id` first and none twice.
pub(super) fn fields(table: &mut Table<'_>, payload: Option<&Payload>) -> Result<Vec<String>, Reported> {
    let given = match payload.and_then(|payload| payload.fields.as_ref()) {
        Some((fields, origin)) => table.given_by_payload("fields", fields, &format!("{fields:?}"), origin)?,
        None => table.required("fields", field_paths)?,
    };
    refuse_meeting_columns(table, &given)?;
    let mut fields = vec!["business_id".to_owned()];
    for field in given {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    Ok(fields)
}

/// `SQLite` compares names without case, and would rename one of two that meet without a word.
fn refuse_meeting_columns(table: &mut Table<'_>, fields: &[String]) -> Result<(), Reported> {
    let mut columns = HashMap::from([("business_id".to_owned(), ("business_id", None))]);
    for (index, field) in fields.iter().enumerate() {
        let column = column_name(field);
        let (first, first_index) =
            *columns.entry(column.to_lowercase()).or_insert((field.as_str(), Some(index)));
        if first != field {
            let place = first_index.map(|index| table.origin_of_element("fields", index));
            let place = place.map(|origin| format!(" ({origin})")).unwrap_or_default();
            let message = format!(
                "{field:?} and {first:?}{place} would be one column, {column}, of the query's view, where case does not count; leave one out"
            );
            table.contradiction("fields", message);
            return Err(Reported);
        }
    }
    Ok(())
}

fn field_paths(given: &Given<'_>) -> Result<Vec<String>, String> {
    let fields = given.texts()?;
    if fields.is_empty() {
        return Err(r#"names no field; write those to keep, as ["name", "website"]"#.into());
    }
    match fields.iter().find_map(|field| not_a_field(field)) {
        Some(reason) => Err(reason),
        None => Ok(fields),
    }
}

/// Why `field` can't stand in `fields`, to be read on after `fields`; nothing if it can.
pub(super) fn not_a_field(field: &str) -> Option<String> {
    if is_field(field) {
        return None;
    }
    let parts: Vec<&str> = field.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let advice = match parts[..] {
        [_, _, ..] if parts.iter().all(|part| is_field(part)) => {
            format!("write each by itself, as {parts:?}")
        }
        _ if field == "*" => "name those to keep, as [\"name\", \"website\"]".into(),
        _ => "write names joined by dots, as \"financial_data.revenue\"".into(),
    };
    Some(format!("holds {field:?}, which is no field path; {advice}"))
}

/// `quiet`: keys at the top level of a document.
pub(super) fn quiet_keys(given: &Given<'_>) -> Result<Vec<String>, String> {
    let keys = given.texts()?;
    match keys.iter().find(|key| !is_path(key) || key.contains('.')) {
        Some(key) => {
            let top = key.split(['.', ',', ';', '[', ' ']).next().unwrap_or_default();
            Err(format!(
                "holds {key:?}; write keys at the top level only, as {:?}",
                if top.is_empty() { "modifications" } else { top }
            ))
        }
        None => Ok(keys),
    }
}

/// Whether `field` may stand in `fields`: a path, or `?id` for the result of an aggregation.
fn is_field(field: &str) -> bool {
    is_path(field.strip_prefix('?').unwrap_or(field)) && !field.starts_with("??")
}

fn is_path(field: &str) -> bool {
    let bad = |letter: char| letter.is_whitespace() || letter.is_control() || "[]{}\"'*,;/".contains(letter);
    !field.contains(bad) && field.split('.').all(|part| !part.is_empty())
}

/// The top-level key that `field` writes: `a` for `a.b`, and for `?a`, the result of an aggregation.
#[must_use]
pub fn top_key(field: &str) -> &str {
    let path = field.strip_prefix('?').unwrap_or(field);
    path.split('.').next().unwrap_or(path)
}

/// The paths that say all of what `fields` asks for below the top-level key `key`: without those that a
/// shorter one includes, in order.
pub(super) fn asked_below<'a>(fields: &'a [String], key: &str) -> Vec<&'a str> {
    let within = |path: &str, outer: &str| {
        path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let mut below: Vec<&str> =
        fields.iter().map(String::as_str).filter(|field| top_key(field) == key).collect();
    below.sort_unstable();
    below.dedup();
    let all = below.clone();
    below.retain(|path| !all.iter().any(|outer| outer != path && within(path, outer)));
    below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_store_hold_no_dots_or_hyphens() {
        assert_eq!(view_name("finnish-software"), "members_finnish_software");
        assert_eq!(
            column_name("business_units.visiting_address.city"),
            "business_units_visiting_address_city"
        );
    }

    #[test]
    fn a_path_within_another_asks_for_nothing_more() {
        let fields = ["a.b", "a.b.c", "a.bc", "ab"].map(ToOwned::to_owned);
        assert_eq!(asked_below(&fields, "a"), ["a.b", "a.bc"]);
    }

    #[test]
    fn the_result_of_an_aggregation_is_a_field() {
        assert!(is_field("?skoda_count") && !is_field("??x") && !is_field("?"));
        assert_eq!((top_key("?offices"), top_key("offices.city")), ("offices", "offices"));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in ["", "a.", ".a", "a..b", "a b", "a[0].b", "a\0", "a,b", "*", "a/b"] {
            assert!(!is_path(path), "{path:?}");
        }
    }
}
