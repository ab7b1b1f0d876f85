use serde_json::value::RawValue;

use super::json::{self, Texts};
use super::layout::Layout;
use super::members::Entries;
use super::{BusinessId, InvalidId};

/// One row of a listing that can be stored: a JSON object with a `business_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    id: BusinessId,
    text: Box<str>,
    layout: Option<Layout>,
}

/// Why a row is set aside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    #[error("not valid JSON: {0}")]
    NotJson(String),
    #[error("not a JSON object")]
    NotAnObject,
    #[error("longer than {0} MiB")]
    TooLong(usize),
    #[error("nested more than {} deep", json::MAX_DEPTH)]
    TooDeep,
    #[error("no business_id")]
    NoId,
    #[error("business_id is not text")]
    IdNotText,
    #[error(transparent)]
    EmptyId(#[from] InvalidId),
    #[error("business_id holds half a surrogate pair")]
    HalfCharacterInId,
    /// The same id is held in another database.
    #[error("business_id is held in database {0}")]
    HeldElsewhere(String),
}

/// A row that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    pub reason: Reject,
    /// The id, where the row has one: a member with such a row is no candidate for departure.
    pub id: Option<BusinessId>,
    /// The row as it came.
    pub text: Box<str>,
}

/// A row that was read: one to store, or one that was set aside.
pub type Read = Result<Row, Rejected>;

impl Row {
    /// A row whose text was found to be one, with its id and its entries.
    pub(super) fn of(id: BusinessId, text: &str, entries: &Entries) -> Self {
        Self { id, text: text.into(), layout: Layout::of(entries, text) }
    }

    /// Reads one row from its JSON text.
    ///
    /// # Errors
    /// The row, set aside, with the reason.
    pub fn parse(text: &str) -> Read {
        let set_aside = |reason, id| Rejected { reason, id, text: text.into() };
        if !text.starts_with('{') {
            return Err(set_aside(Reject::NotAnObject, None));
        }
        let deep = json::too_deep(text);
        let whole = json::without_lone_surrogates(text);
        let entries = Entries::of_object(&whole).ok_or_else(|| set_aside(Reject::NotAnObject, None))?;
        let id = id_of(&entries).map_err(|reason| set_aside(reason, None))?;
        if halves_a_character_in_id(text, &id) {
            return Err(set_aside(Reject::HalfCharacterInId, None));
        }
        if deep {
            return Err(set_aside(Reject::TooDeep, Some(id)));
        }
        Ok(Self::of(id, &whole, &entries))
    }

    #[must_use]
    pub fn id(&self) -> &BusinessId {
        &self.id
    }

    /// The row's JSON text, as it came but for halves of surrogate pairs.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The row's keys with their values' text.
    #[must_use]
    pub fn members(&self) -> Texts<'_> {
        self.layout.as_ref().map_or_else(|| self.parsed(), |layout| layout.members(&self.text))
    }

    /// The plain way.
    pub(super) fn parsed(&self) -> Texts<'_> {
        json::members(&self.text).expect("parse has read the same text as an object").texts()
    }

    /// Sets the row aside after all.
    #[must_use]
    pub fn reject(self, reason: Reject) -> Rejected {
        Rejected { reason, id: Some(self.id), text: self.text }
    }
}

/// The id that the last `business_id` of these entries holds.
pub(super) fn id_of(entries: &Entries) -> Result<BusinessId, Reject> {
    id_in(entries.0.iter().rfind(|(key, _)| key == "business_id").ok_or(Reject::NoId)?.1)
}

fn id_in(value: &RawValue) -> Result<BusinessId, Reject> {
    if value.get() == "null" {
        return Err(Reject::NoId);
    }
    let id = json::text_of(value.get()).ok_or(Reject::IdNotText)?;
    Ok(BusinessId::new(id)?)
}

/// Whether the id holds U+FFFD only because half a pair was mended.
fn halves_a_character_in_id(original: &str, id: &BusinessId) -> bool {
    if !id.as_str().contains('\u{FFFD}') {
        return false;
    }
    let unmended = json::members(original);
    unmended.and_then(|members| json::text_of(members.get("business_id")?.get())).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> Reject {
        Row::parse(text).unwrap_err().reason
    }

    #[test]
    fn a_row_keeps_its_text() {
        let text = r#"{ "business_id" : "FI1" , "n":12345678901234567890,"x":1.0 }"#;
        let row = Row::parse(text).unwrap();
        assert_eq!(row.id().as_str(), "FI1");
        assert_eq!(row.text(), text);
    }

    #[test]
    fn members_are_the_same_whether_they_were_noted_or_are_read_again() {
        for text in [
            r#"{"business_id":"FI1","b":{"x":[1, 2]},"a":1.0,"b":null}"#,
            "{ \"business_id\" :\t\"FI1\" , \"å\" : \"\\u00e5}\" }",
            r#"{"business_id":"FI1","\u0061":1,"a":2}"#,
            r#"{"business_id":"FI1","a":"\ud83d"}"#,
        ] {
            let row = Row::parse(text).unwrap();
            let all = |members: Texts| format!("{:?}", members.iter().collect::<Vec<_>>());
            assert_eq!(all(row.members()), all(row.parsed()), "{text}");
            assert_eq!(row.layout.is_some(), !text.contains("u0061"), "{text}");
        }
    }

    #[test]
    fn the_last_value_of_a_repeated_or_escaped_key_counts() {
        for text in [
            r#"{"business_id":"FI00000000","business_id":"FI12345678"}"#,
            r#"{"business\u005fid":"FI12345678"}"#,
        ] {
            assert_eq!(Row::parse(text).unwrap().id().as_str(), "FI12345678");
        }
    }

    #[test]
    fn rows_without_a_usable_id_are_set_aside_with_the_reason() {
        assert_eq!(reason("7"), Reject::NotAnObject);
        assert_eq!(reason("{}"), Reject::NoId);
        assert_eq!(reason(r#"{"business_id":null}"#), Reject::NoId);
        assert_eq!(reason(r#"{"business_id":12}"#), Reject::IdNotText);
        assert_eq!(reason(r#"{"business_id":""}"#), Reject::EmptyId(InvalidId));
        assert_eq!(reason(r#"{"business_id":"FI\ud83d"}"#), Reject::HalfCharacterInId);
    }

    #[test]
    fn a_row_that_nests_too_deep_is_set_aside_under_its_id() {
        let text = format!(r#"{{"business_id":"FI1","a":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
        let rejected = Row::parse(&text).unwrap_err();
        assert_eq!(rejected.reason, Reject::TooDeep);
        assert_eq!(rejected.id.unwrap().as_str(), "FI1");
    }
}
