//! `payload_file`: a whole request, as Vainu's own client takes it with `--payload`.

use std::path::Path;

use serde_json::value::RawValue;

use super::ask::{is_list_id, placeholder, vql_of};
use super::field::not_a_field;
use super::find::{read_text, without_mark};
use super::problem::{Origin, Problem};
use super::report::Reported;
use super::settings::{Aggregation, Ask};
use super::suggest::{did_you_mean, nearest};
use super::syntax::line_at;
use super::table::Table;
use crate::organization::Database;
use crate::organization::json::{Members, members, text_of};

/// The keys that say what is selected.
const TAKEN: [&str; 5] = ["query", "list", "database", "fields", "aggregation"];
/// The keys that say how a request is answered, which is this program's business.
const IGNORED: [&str; 7] =
    ["limit", "offset", "order", "async", "recount", "recount_if_cache_max_age", "encoding"];
/// Keys of requests whose answers are no set of organizations, and why.
const REFUSED: [(&str, &str); 4] = [
    (
        "search",
        "is a fuzzy search: what it finds is ranked, not selected, so nobody can be said to have left; write a query",
    ),
    ("unwind_subdocument", UNWOUND),
    ("unwind_subdocument_query", UNWOUND),
    ("unwind_subdocument_limit", UNWOUND),
];
const UNWOUND: &str = "gives several rows for one organization, which the store holds once; leave the unwind_… keys out and name the subdocument in fields (an aggregation can filter it)";

/// What a payload says; each part with where it stands.
pub(super) struct Payload {
    pub ask: (Ask, Origin),
    pub database: Option<(Database, Origin)>,
    pub fields: Option<(Vec<String>, Origin)>,
    pub aggregations: Vec<Aggregation>,
}

/// What is wrong, and where.
type Fault = (String, Origin);

/// Reads the payload that `payload_file` of `table` names.
pub(super) fn payload(path: &Path, table: &mut Table<'_>) -> Result<Payload, Reported> {
    let text = read_text(path).map_err(|reason| {
        table.contradiction("payload_file", format!("{}: {reason}", path.display()));
        Reported
    })?;
    let source = Source { path, text: without_mark(&text) };
    let read = source.members().and_then(|members| {
        let ignored: Vec<&str> = IGNORED.into_iter().filter(|key| members.contains_key(key)).collect();
        source.payload(&members).map(|payload| (payload, ignored))
    });
    match read {
        Ok((payload, ignored)) => {
            if !ignored.is_empty() {
                let (path, keys) = (path.display(), ignored.join(", "));
                table.report().notes.push(format!("{path}: {keys}: ignored, for a run reads everything"));
            }
            Ok(payload)
        }
        Err((message, origin)) => {
            let key = Some(table.path_of("payload_file"));
            table.report().problem(Problem { key, message, origin: Some(origin) });
            Err(Reported)
        }
    }
}

/// The payload's text and where it came from.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl<'a> Source<'a> {
    fn members(&self) -> Result<Members<'a>, Fault> {
        if let Err(error) = serde_json::from_str::<&RawValue>(self.text) {
            return Err((format!("the text is not JSON: {error}"), self.line(Some(error.line()))));
        }
        members(self.text).ok_or_else(|| {
            let message = "the text is JSON but no object; a payload is one object, as {\"query\": …}";
            (message.to_owned(), self.line(None))
        })
    }

    fn payload(&self, members: &Members<'_>) -> Result<Payload, Fault> {
        self.refuse_keys(members)?;
        self.refuse_placeholders(members)?;
        Ok(Payload {
            ask: self.ask(members)?,
            database: self.part(members, "database", database)?,
            fields: self.part(members, "fields", fields)?,
            aggregations: self.part(members, "aggregation", aggregations)?.map_or(vec![], |(parts, _)| parts),
        })
    }

    fn refuse_keys(&self, members: &Members<'_>) -> Result<(), Fault> {
        if let Some(meta) = members.get("_meta")
            && let Some(endpoint) = other_endpoint(meta)
        {
            let message = format!(
                "is a body for {endpoint}, which gives no organizations; take one for /v3/organizations/"
            );
            return Err((message, self.place(meta)));
        }
        for (key, value) in members.iter().filter(|(key, _)| *key != "_meta") {
            let known = || TAKEN.into_iter().chain(IGNORED);
            if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| refused == key) {
                return Err((format!("{key} {why}"), self.place(value)));
            }
            if !known().any(|known| known == key) {
                let advice = did_you_mean(nearest(key, known()));
                return Err((
                    format!("{key:?} is no key of a request for organizations{advice}"),
                    self.place(value),
                ));
            }
        }
        Ok(())
    }

    fn refuse_placeholders(&self, members: &Members<'_>) -> Result<(), Fault> {
        let mut taken = members.iter().filter(|(key, _)| TAKEN.contains(&key.as_ref()));
        match taken.find_map(|(_, value)| Some((placeholder(value.get())?, value))) {
            Some((message, value)) => Err((message, self.place(value))),
            None => Ok(()),
        }
    }

    fn ask(&self, members: &Members<'_>) -> Result<(Ask, Origin), Fault> {
        let query = self.part(members, "query", |json| vql_of(json).map(ToOwned::to_owned))?;
        let list = self.part(members, "list", list)?;
        match (query, list) {
            (Some((query, place)), None) => Ok((Ask::Query(query), place)),
            (None, Some((list, place))) => Ok((Ask::List(list), place)),
            (Some(_), Some((_, place))) => {
                Err(("query and list both say what to ask; keep one".to_owned(), place))
            }
            (None, None) => {
                let message = "has neither query nor list, so it selects no organizations";
                Err((message.to_owned(), self.line(None)))
            }
        }
    }

    /// The part under `key`; null is as absent.
    fn part<T>(
        &self,
        members: &Members<'_>,
        key: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<(T, Origin)>, Fault> {
        let Some(value) = members.get(key).filter(|value| value.get() != "null") else { return Ok(None) };
        match read(value.get()) {
            Ok(part) => Ok(Some((part, self.place(value)))),
            Err(reason) => Err((format!("{key} {reason}"), self.place(value))),
        }
    }

    /// Where a value stands that was borrowed from the text.
    fn place(&self, value: &RawValue) -> Origin {
        let offset = (value.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        self.line(Some(line_at(self.text, offset)))
    }

    fn line(&self, line: Option<usize>) -> Origin {
        Origin::File { path: self.path.to_owned(), line }
    }
}

/// The endpoint that the body's own description names, if it is none that selects organizations.
fn other_endpoint(meta: &RawValue) -> Option<String> {
    let endpoint = text_of(members(meta.get())?.get("endpoint")?.get())?;
    let is_other = endpoint.contains("/v3/") && !endpoint.contains("/v3/organizations/");
    is_other.then_some(endpoint)
}

fn database(json: &str) -> Result<Database, String> {
    let text = text_of(json).ok_or(r#"is no text; write one as "FI""#)?;
    text.parse().map_err(|error| format!("{text:?} is {error}"))
}

fn list(json: &str) -> Result<String, String> {
    let reason = "is no id of a list saved in Vainu; write one as \"0123456789abcdef01234567\"";
    text_of(json).filter(|id| is_list_id(id)).ok_or_else(|| reason.to_owned())
}

fn fields(json: &str) -> Result<Vec<String>, String> {
    let reason = r#"is no list of texts; write one as ["name", "website"]"#;
    let fields: Vec<String> = serde_json::from_str(json).map_err(|_| reason.to_owned())?;
    match fields.iter().find_map(|field| not_a_field(field)) {
        Some(reason) => Err(reason),
        None if fields.is_empty() => Err("names no field".to_owned()),
        None => Ok(fields),
    }
}

fn aggregations(json: &str) -> Result<Vec<Aggregation>, String> {
    let parts: Vec<&RawValue> = serde_json::from_str(json).map_err(|_| "is no list of objects".to_owned())?;
    let mut aggregations: Vec<Aggregation> = Vec::new();
    for part in parts {
        let id = members(part.get()).and_then(|part| text_of(part.get("id")?.get()));
        let id = id.filter(|id| !id.is_empty()).ok_or("holds one without an id, a text")?;
        if aggregations.iter().any(|aggregation| aggregation.id == id) {
            return Err(format!("holds two of the id {id:?}; give one of them another"));
        }
        aggregations.push(Aggregation { id, json: part.get().to_owned() });
    }
    Ok(aggregations)
}
