use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::value::RawValue;

use super::answer::{Answer, Unusable};
use super::error::{Error, Kind};
use super::json;
use super::page::list_of;
use crate::config::nearest;
use crate::organization::Database;

/// The field paths that Vainu knows, and what it says of each. What it leaves out counts as unknown, never as
/// a no.
#[derive(Debug, Clone)]
pub struct Catalogue {
    fields: Vec<Field>,
    /// The listed paths and those above them.
    paths: BTreeSet<String>,
}

/// Why no catalogue is to be had: not all accounts may read it. No run fails for that.
#[derive(Debug, thiserror::Error)]
pub enum NoCatalogue {
    #[error("the field catalogue did not come within {}", humantime::format_duration(*.0))]
    TooSlow(Duration),
    #[error("{}", refusal(.0))]
    Refused(#[from] Error),
}

/// What an error says of a query is no advice here.
fn refusal(error: &Error) -> String {
    match (error.kind(), error.status()) {
        (Kind::Refused, Some(status)) => {
            format!("the API does not give its field catalogue (status {status})")
        }
        _ => error.to_string(),
    }
}

/// What a path is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// In `query`.
    Filter,
    /// In `fields`.
    Output,
}

/// What the catalogue says of one use of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    /// Neither the path nor one below it is listed; the listed one that was probably meant.
    Unknown(Option<String>),
    /// Other databases have it.
    OtherDatabase,
    /// It is there, but not for this.
    OtherUse,
    /// For accounts with one of these permissions; which ones this account has, nobody says.
    Permission(Vec<String>),
}

#[derive(Debug, Clone)]
struct Field {
    path: String,
    applications: Option<Vec<String>>,
    databases: Option<Vec<String>>,
    permissions: Vec<String>,
}

impl Catalogue {
    pub(super) fn read(answer: Answer) -> Result<Self, Unusable> {
        let text = json::text(answer.body)?;
        let value = json::value(&text)?;
        let fields: Vec<Field> = list_of(value)
            .and_then(json::elements)
            .unwrap_or_default()
            .into_iter()
            .filter_map(field)
            .collect();
        if fields.is_empty() {
            return Err(Unusable::lacks("a list of field paths", value));
        }
        let paths =
            fields.iter().flat_map(|field| with_those_above(&field.path)).map(str::to_owned).collect();
        Ok(Self { fields, paths })
    }

    /// How many fields are listed.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "an empty list is no catalogue")]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether `path` or one below it is listed.
    #[must_use]
    pub fn knows(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// The path that a misspelt one was probably meant to be: the nearest, or the only one that ends like it.
    #[must_use]
    pub fn suggestion(&self, path: &str) -> Option<&str> {
        let paths = || self.paths.iter().map(String::as_str);
        let tail = format!(".{path}");
        nearest(path, paths()).or_else(|| {
            let mut ending = paths().filter(|known| known.ends_with(&tail));
            ending.next().filter(|_| ending.next().is_none())
        })
    }

    /// What the catalogue says of this use of `path`.
    #[must_use]
    pub fn judge(&self, path: &str, wanted: Use, database: Database) -> Verdict {
        if !self.knows(path) {
            return Verdict::Unknown(self.suggestion(path).map(str::to_owned));
        }
        let mut fields: Vec<&Field> = self.fields.iter().filter(|field| field.is_within(path)).collect();
        fields.retain(|field| field.is_in(database));
        if fields.is_empty() {
            return Verdict::OtherDatabase;
        }
        fields.retain(|field| field.is_for(wanted));
        if fields.is_empty() {
            return Verdict::OtherUse;
        }
        if fields.iter().any(|field| field.permissions.is_empty()) {
            return Verdict::Fine;
        }
        let permissions: BTreeSet<&String> = fields.iter().flat_map(|field| &field.permissions).collect();
        Verdict::Permission(permissions.into_iter().cloned().collect())
    }
}

impl Field {
    fn is_within(&self, path: &str) -> bool {
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    fn is_in(&self, database: Database) -> bool {
        let is_meant = |code: &String| code.eq_ignore_ascii_case(database.code());
        self.databases.as_ref().is_none_or(|databases| databases.iter().any(is_meant))
    }

    fn is_for(&self, wanted: Use) -> bool {
        let names: &[&str] = match wanted {
            Use::Filter => &["filter", "search"],
            Use::Output => &["export", "profile"],
        };
        let is_meant = |application: &String| names.contains(&application.as_str());
        self.applications.as_ref().is_none_or(|applications| applications.iter().any(is_meant))
    }
}

fn field(entry: &RawValue) -> Option<Field> {
    let members = json::members(entry)?;
    let api = json::members(members.get("api")?)?;
    let v3 = json::members(api.get("v3")?)?;
    let path = json::string(v3.get("path")?).filter(|path| !path.is_empty())?;
    let texts = |key: &str| texts(members.get(key)?);
    let codes = [texts("databases"), texts("countries")].into_iter().flatten().flatten();
    let databases: Vec<String> = codes.collect();
    Some(Field {
        path,
        applications: texts("application_availability"),
        databases: (!databases.is_empty()).then_some(databases),
        permissions: texts("requires_permission").unwrap_or_default(),
    })
}

/// The texts of a list; `None` for anything else.
fn texts(value: &RawValue) -> Option<Vec<String>> {
    let elements = json::elements(value)?;
    Some(elements.into_iter().filter_map(json::string).collect())
}

/// `a.b.c`, `a.b` and `a` for `a.b.c`.
fn with_those_above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('.').map(|(above, _)| above))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Catalogue, Unusable> {
        Catalogue::read(Answer::ok(body.as_bytes()))
    }

    fn entry(path: &str, rest: &str) -> String {
        format!(r#"{{"api":{{"v3":{{"path":"{path}"}}}}{rest}}}"#)
    }

    fn catalogue() -> Catalogue {
        let entries = [
            entry("name", r#","application_availability":["filter","export"],"databases":["FI","SE"]"#),
            entry(
                "contacts",
                r#","application_availability":["profile"],"requires_permission":["contacts"]"#,
            ),
            entry("financial_data.revenue", r#","application_availability":["search"],"countries":["fi"]"#),
            entry("bare", r#","application_availability":null,"databases":[],"requires_permission":true"#),
            entry("", ""),
            r#"{"api":{"v2":{"path":"old"}}}"#.to_owned(),
            "7".to_owned(),
        ];
        read(&format!("\u{feff}[{}]", entries.join(","))).unwrap()
    }

    #[test]
    fn a_path_is_known_by_itself_and_by_those_below_it() {
        let catalogue = catalogue();
        assert_eq!(catalogue.len(), 4);
        for known in ["name", "financial_data", "financial_data.revenue"] {
            assert!(catalogue.knows(known), "{known}");
        }
        for unknown in ["Name", "nam", "financial", "financial_data.revenue.x", "old", ""] {
            assert!(!catalogue.knows(unknown), "{unknown}");
        }
    }

    #[test]
    fn what_was_probably_meant_is_told() {
        let catalogue = catalogue();
        assert_eq!(catalogue.suggestion("financial_data.revenu"), Some("financial_data.revenue"));
        assert_eq!(catalogue.suggestion("financal_data"), Some("financial_data"));
        assert_eq!(catalogue.suggestion("Name"), Some("name"));
        assert_eq!(catalogue.suggestion("revenue"), Some("financial_data.revenue"));
        assert_eq!(catalogue.suggestion("colour"), None);
    }

    #[test]
    fn each_use_of_a_path_is_judged() {
        let catalogue = catalogue();
        let judge = |path, wanted, database| catalogue.judge(path, wanted, database);
        assert_eq!(judge("name", Use::Filter, Database::Fi), Verdict::Fine);
        assert_eq!(judge("name", Use::Output, Database::No), Verdict::OtherDatabase);
        assert_eq!(judge("financial_data", Use::Filter, Database::Fi), Verdict::Fine);
        assert_eq!(judge("financial_data", Use::Output, Database::Fi), Verdict::OtherUse);
        assert_eq!(judge("nmae", Use::Filter, Database::Fi), Verdict::Unknown(Some("name".into())));
        let gated = Verdict::Permission(vec!["contacts".into()]);
        assert_eq!(judge("contacts", Use::Output, Database::Dk), gated);
    }

    #[test]
    fn what_the_catalogue_leaves_out_counts_against_nobody() {
        for wanted in [Use::Filter, Use::Output] {
            assert_eq!(catalogue().judge("bare", wanted, Database::Nl), Verdict::Fine);
        }
    }

    #[test]
    fn a_list_without_a_single_path_is_no_catalogue() {
        for body in ["[]", "{}", "null", r#"[{"path":"name"}]"#, r#"{"detail":"not for you"}"#] {
            assert!(matches!(read(body), Err(Unusable::Lacks { .. })), "{body}");
        }
        assert_eq!(read(&format!(r#"{{"results":[{}]}}"#, entry("name", ""))).unwrap().len(), 1);
    }
}
