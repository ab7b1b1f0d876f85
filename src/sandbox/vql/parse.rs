//! JSON → [`Filter`].

use serde_json::{Map, Value};

use super::Filter;
use super::compare::{Choice, Test, point};

/// What a server makes of a query beyond its grammar.
pub struct Rules<'a> {
    /// Whether the catalogue knows a path. A comparison on any other is silently ignored.
    pub known: &'a dyn Fn(&str) -> bool,
    /// How many ids of an `?IN` on `business_id` inside `?ALL` are heeded; `None`: it is refused.
    pub ids_heeded: Option<usize>,
}

/// The query breaks VQL's grammar; a server answers 400 with this text as `detail`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuery {
    #[error("a query is an object with one operator, not {0}")]
    Shape(String),
    #[error("unknown operator {0}")]
    Operator(String),
    #[error("{operator} does not take {operand}")]
    Operand { operator: String, operand: String },
}

/// # Errors
/// If `query` has an unknown operator, or one with an operand that it does not take.
pub fn parse(query: &Value, rules: &Rules<'_>) -> Result<Filter, InvalidQuery> {
    Ok(Parser { rules }.query(query, "", false)?.unwrap_or(Filter::everything()))
}

const COMPARISONS: [&str; 10] =
    ["?EQ", "?GT", "?GTE", "?LT", "?LTE", "?IN", "?RANGE", "?STARTSWITH", "?ICONTAINS", "?GEO_WITHIN_SPHERE"];

struct Parser<'a> {
    rules: &'a Rules<'a>,
}

/// `None`: ignored, as if it were not in the query.
type Parsed = Result<Option<Filter>, InvalidQuery>;

impl Parser<'_> {
    fn query(&self, query: &Value, prefix: &str, inside_all: bool) -> Parsed {
        let (operator, operand) = single(query)?;
        match operator.as_str() {
            "?ALL" => Ok(Some(Filter::All(self.list(operator, operand, prefix, true)?))),
            "?ANY" => {
                let filters = self.list(operator, operand, prefix, false)?;
                Ok((!filters.is_empty()).then_some(Filter::Any(filters)))
            }
            "?MATCH" => each(operator, operand, |path, inner| self.subdocument(prefix, path, inner)),
            _ if !COMPARISONS.contains(&operator.as_str()) => Err(InvalidQuery::Operator(operator.clone())),
            _ => each(operator, operand, |path, bound| {
                self.comparison(operator, prefix, path, bound, inside_all)
            }),
        }
    }

    fn list(
        &self,
        operator: &str,
        operand: &Value,
        prefix: &str,
        all: bool,
    ) -> Result<Vec<Filter>, InvalidQuery> {
        let queries = operand.as_array().ok_or_else(|| refuse(operator, operand))?;
        let parsed: Result<Vec<_>, _> = queries.iter().map(|query| self.query(query, prefix, all)).collect();
        Ok(parsed?.into_iter().flatten().collect())
    }

    fn subdocument(&self, prefix: &str, path: &str, inner: &Value) -> Parsed {
        let absolute = join(prefix, path);
        let inner = self.query(inner, &absolute, false)?.unwrap_or(Filter::everything());
        let filter = Filter::Match { path: split(path), inner: Box::new(inner) };
        Ok((self.rules.known)(&absolute).then_some(filter))
    }

    fn comparison(
        &self,
        operator: &str,
        prefix: &str,
        path: &str,
        bound: &Value,
        inside_all: bool,
    ) -> Parsed {
        let mut test = test(operator, bound)?;
        let path = if prefix.is_empty() { named(path, &test) } else { path };
        let absolute = join(prefix, path);
        if let (Test::In(_), Some(ids), "business_id", true) =
            (&test, bound.as_array(), absolute.as_str(), inside_all)
        {
            match self.rules.ids_heeded {
                None => return Err(refuse("?IN inside ?ALL", bound)),
                Some(0) => return Ok(None),
                Some(heeded) => test = Test::In(Choice::of(&ids[..heeded.min(ids.len())])),
            }
        }
        let kept = (self.rules.known)(&absolute);
        Ok(kept.then(|| Filter::Compare { path: split(path), test }))
    }
}

/// Vainu's recipe for changed companies calls the ids of an `?IN` `business_ids`, as its signals do.
fn named<'a>(path: &'a str, test: &Test) -> &'a str {
    if path == "business_ids" && matches!(test, Test::In(_)) { "business_id" } else { path }
}

/// An operator over several paths asks for all of them.
fn each(operator: &str, operand: &Value, one: impl Fn(&str, &Value) -> Parsed) -> Parsed {
    let paths = operand.as_object().ok_or_else(|| refuse(operator, operand))?;
    let parsed: Result<Vec<_>, _> = paths.iter().map(|(path, bound)| one(path, bound)).collect();
    let mut filters: Vec<_> = parsed?.into_iter().flatten().collect();
    Ok(match filters.len() {
        0 | 1 => filters.pop(),
        _ => Some(Filter::All(filters)),
    })
}

fn test(operator: &str, bound: &Value) -> Result<Test, InvalidQuery> {
    let affix = || bound.as_str().map(str::to_owned);
    let parsed = match operator {
        "?EQ" => Some(Test::Eq(bound.clone())),
        "?GT" => Some(Test::Gt(bound.clone())),
        "?GTE" => Some(Test::Gte(bound.clone())),
        "?LT" => Some(Test::Lt(bound.clone())),
        "?LTE" => Some(Test::Lte(bound.clone())),
        "?IN" => bound.as_array().map(|values| Test::In(Choice::of(values))),
        "?RANGE" => range(bound),
        "?STARTSWITH" => affix().map(Test::StartsWith),
        "?ICONTAINS" => affix().map(|part| Test::IContains(part.to_lowercase())),
        "?GEO_WITHIN_SPHERE" => sphere(bound),
        _ => None,
    };
    parsed.ok_or_else(|| refuse(operator, bound))
}

fn range(bound: &Value) -> Option<Test> {
    match bound.as_array()?.as_slice() {
        [low, high] => Some(Test::Range(low.clone(), high.clone())),
        _ => None,
    }
}

fn sphere(bound: &Value) -> Option<Test> {
    let center = point(bound.get("coordinates")?)?;
    Some(Test::WithinSphere { center, radius: bound.get("radius")?.as_f64()? })
}

fn single(query: &Value) -> Result<(&String, &Value), InvalidQuery> {
    let wrong = || InvalidQuery::Shape(query.to_string());
    let mut entries = query.as_object().map(Map::iter).ok_or_else(wrong)?;
    match (entries.next(), entries.next()) {
        (Some(entry), None) => Ok(entry),
        _ => Err(wrong()),
    }
}

fn refuse(operator: &str, operand: &Value) -> InvalidQuery {
    InvalidQuery::Operand { operator: operator.to_owned(), operand: operand.to_string() }
}

fn join(prefix: &str, path: &str) -> String {
    if prefix.is_empty() { path.to_owned() } else { format!("{prefix}.{path}") }
}

fn split(path: &str) -> Vec<String> {
    path.split('.').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(query: &Value) -> String {
        parse(query, &Rules { known: &|_| true, ids_heeded: Some(usize::MAX) }).unwrap_err().to_string()
    }

    #[test]
    fn what_breaks_the_grammar_is_named() {
        assert_eq!(refusal(&json!({"?LIKE": {"name": "x"}})), "unknown operator ?LIKE");
        assert_eq!(refusal(&json!({"?LIKE": {}})), "unknown operator ?LIKE");
        assert_eq!(refusal(&json!({"?ALL": {}})), "?ALL does not take {}");
        assert_eq!(refusal(&json!({"?RANGE": {"founded": ["2001"]}})), r#"?RANGE does not take ["2001"]"#);
        assert_eq!(refusal(&json!({"?IN": {"business_id": "FI1"}})), r#"?IN does not take "FI1""#);
        assert!(refusal(&json!([])).starts_with("a query is an object with one operator"));
        assert!(
            refusal(&json!({"?ALL": [], "?ANY": []})).starts_with("a query is an object with one operator")
        );
    }

    #[test]
    fn an_unknown_operator_is_refused_even_on_an_unknown_path() {
        let rules = Rules { known: &|_| false, ids_heeded: Some(usize::MAX) };
        assert!(parse(&json!({"?LIKE": {"typo": "x"}}), &rules).is_err());
    }
}
