//! Where a value stands in a document: `name`, `financial_data.revenue`, `business_units[0].visiting_address.city`,
//! `business_units[].name`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde_json::value::RawValue;

use super::json::{self, Members};

/// A path into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    text: String,
    /// `?id`: the result of an aggregation, which comes under `?id` or `id`.
    is_result: bool,
    top: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    /// Every element of a list.
    Each,
}

/// The text is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no path; write keys joined by dots, as \"financial_data.revenue\", with [0] for the first element of a list \
     and [] for all of them, as \"business_units[0].name\" or \"business_units[].name\""
)]
pub struct InvalidPath;

/// What stands at a path.
#[derive(Debug)]
pub enum Found<'d> {
    /// Nothing, or null.
    Nothing,
    One(&'d RawValue),
    /// What stands there in the elements of lists, without null.
    Many(Vec<&'d RawValue>),
}

impl JsonPath {
    /// What `fields` has to ask for: `business_units.name` for `business_units[].name`.
    #[must_use]
    pub fn field(&self) -> String {
        let mut field = if self.is_result { format!("?{}", self.top) } else { self.top.clone() };
        for step in &self.steps {
            if let Step::Key(key) = step {
                field.push('.');
                field.push_str(key);
            }
        }
        field
    }

    /// The top-level key, without the mark of a result.
    #[must_use]
    pub fn top(&self) -> &str {
        &self.top
    }

    /// What stands at this path in a document with these members. A key of a list is looked up in each of its
    /// elements, as with `[]`.
    #[must_use]
    pub fn find<'d>(&self, document: &Members<'d>) -> Found<'d> {
        let marked = self.is_result.then(|| document.get(&format!("?{}", self.top))).flatten();
        let top = marked.or_else(|| document.get(&self.top));
        let mut found = Found::of(top);
        for step in &self.steps {
            found = step.from(found);
        }
        found
    }
}

impl<'d> Found<'d> {
    /// Its JSON: a list, where a path goes over lists.
    #[must_use]
    pub fn json(&self) -> Option<Cow<'d, str>> {
        match self {
            Self::Nothing => None,
            Self::One(value) => Some(value.get().into()),
            Self::Many(values) => {
                let values: Vec<&str> = values.iter().map(|value| value.get()).collect();
                Some(format!("[{}]", values.join(",")).into())
            }
        }
    }

    fn of(value: Option<&'d RawValue>) -> Self {
        value.filter(|value| value.get() != "null").map_or(Self::Nothing, Self::One)
    }
}

impl Step {
    fn from<'d>(&self, found: Found<'d>) -> Found<'d> {
        match found {
            Found::Nothing => Found::Nothing,
            Found::One(value) => self.of(value),
            Found::Many(values) => {
                let mut all = Vec::new();
                for value in values {
                    match self.of(value) {
                        Found::Nothing => {}
                        Found::One(value) => all.push(value),
                        Found::Many(values) => all.extend(values),
                    }
                }
                Found::Many(all)
            }
        }
    }

    fn of<'d>(&self, value: &'d RawValue) -> Found<'d> {
        match (self, value.get().as_bytes().first()) {
            (Self::Key(key), Some(b'{')) => {
                let members = json::members(value.get()).unwrap_or_default();
                Found::of(members.get(key))
            }
            (Self::Key(_), Some(b'[')) => self.from(Self::Each.of(value)),
            (Self::Index(index), Some(b'[')) => Found::of(json::items(value.get()).get(*index).copied()),
            (Self::Each, Some(b'[')) => {
                let mut items = json::items(value.get());
                items.retain(|item| item.get() != "null");
                Found::Many(items)
            }
            _ => Found::Nothing,
        }
    }
}

impl FromStr for JsonPath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        let is_result = text.starts_with('?');
        let mut steps = Vec::new();
        for part in text.strip_prefix('?').unwrap_or(text).split('.') {
            let (key, brackets) = part.split_at(part.find('[').unwrap_or(part.len()));
            if !is_key(key) {
                return Err(InvalidPath);
            }
            steps.push(Step::Key(key.to_owned()));
            steps.extend(in_brackets(brackets)?);
        }
        let Step::Key(top) = steps.remove(0) else { return Err(InvalidPath) };
        Ok(Self { text: text.to_owned(), is_result, top, steps })
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_key(key: &str) -> bool {
    let bad = |letter: char| letter.is_whitespace() || letter.is_control() || "[]{}\"'*,;/?".contains(letter);
    !key.is_empty() && !key.contains(bad)
}

/// `[0][]`
fn in_brackets(mut text: &str) -> Result<Vec<Step>, InvalidPath> {
    let mut steps = Vec::new();
    while !text.is_empty() {
        let (inside, rest) =
            text.strip_prefix('[').and_then(|text| text.split_once(']')).ok_or(InvalidPath)?;
        steps.push(match inside {
            "" => Step::Each,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Step::Index(digits.parse().map_err(|_| InvalidPath)?)
            }
            _ => return Err(InvalidPath),
        });
        text = rest;
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"name":"Acme","revenue":12.50,"nothing":null,"?count":3,
        "units":[{"city":"Turku","tags":["a","b"]},{"city":null},{"tags":["c"]},{"city":"Oulu"}],
        "grid":[[1,2],[3]],"deep":{"a":{"b":true}}}"#;

    fn found(path: &str) -> String {
        let members = json::members(DOCUMENT).unwrap();
        match path.parse::<JsonPath>().unwrap().find(&members) {
            Found::Nothing => "nothing".to_owned(),
            Found::One(value) => value.get().to_owned(),
            Found::Many(values) => {
                format!("many {}", values.iter().map(|value| value.get()).collect::<Vec<_>>().join(" "))
            }
        }
    }

    #[test]
    fn a_path_leads_through_objects_and_lists() {
        for (path, value) in [
            ("name", "\"Acme\""),
            ("revenue", "12.50"),
            ("nothing", "nothing"),
            ("absent", "nothing"),
            ("name.further", "nothing"),
            ("name[0]", "nothing"),
            ("deep.a.b", "true"),
            ("deep.a[0]", "nothing"),
            ("deep[].a", "nothing"),
            ("units[0].city", "\"Turku\""),
            ("units[1].city", "nothing"),
            ("units[9].city", "nothing"),
            ("units[].city", "many \"Turku\" \"Oulu\""),
            ("units.city", "many \"Turku\" \"Oulu\""),
            ("units[].tags", "many [\"a\",\"b\"] [\"c\"]"),
            ("units[].tags[]", "many \"a\" \"b\" \"c\""),
            ("units[].tags[0]", "many \"a\" \"c\""),
            ("units[].absent", "many "),
            ("grid[0][1]", "2"),
            ("grid[][0]", "many 1 3"),
            ("?count", "3"),
            ("?name", "\"Acme\""),
        ] {
            assert_eq!(found(path), value, "{path}");
        }
    }

    #[test]
    fn a_path_knows_the_field_that_asks_for_it() {
        let field = |path: &str| path.parse::<JsonPath>().unwrap().field();
        assert_eq!(field("units[0].address.city"), "units.address.city");
        assert_eq!(field("?offices[].city"), "?offices.city");
        assert_eq!("?offices[].city".parse::<JsonPath>().unwrap().top(), "offices");
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a b",
            "a[",
            "a[]b",
            "a[-1]",
            "a[x]",
            "a]",
            "[0]",
            "a.[0]",
            "??a",
            "a*",
            "a[99999999999999999999]",
            "a\0",
            "a[0].",
            "a[+1]",
        ] {
            assert_eq!(text.parse::<JsonPath>(), Err(InvalidPath), "{text:?}");
        }
    }
}
