use serde_json::value::RawValue;

use super::json::{self, Members};
use super::{BusinessId, InvalidId};

/// One row of a listing that can be stored: a JSON object with a `business_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    id: BusinessId,
    text: Box<str>,
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
    /// A row whose text was found to be one, with its id.
    pub(super) fn of(id: BusinessId, text: &str) -> Self {
        Self { id, text: text.into() }
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
        let members = json::members(&whole).ok_or_else(|| set_aside(Reject::NotAnObject, None))?;
        let id = id_of(&members).map_err(|reason| set_aside(reason, None))?;
        if halves_a_character_in_id(text, &id) {
            return Err(set_aside(Reject::HalfCharacterInId, None));
        }
        if deep {
            return Err(set_aside(Reject::TooDeep, Some(id)));
        }
        Ok(Self { id, text: whole.into() })
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
    pub fn members(&self) -> Members<'_> {
        json::members(&self.text).expect("parse has read the same text as an object")
    }

    /// Sets the row aside after all.
    #[must_use]
    pub fn reject(self, reason: Reject) -> Rejected {
        Rejected { reason, id: Some(self.id), text: self.text }
    }
}

fn id_of(members: &Members) -> Result<BusinessId, Reject> {
    id_in(members.get("business_id").ok_or(Reject::NoId)?)
}

/// The id that this value of `business_id` holds.
pub(super) fn id_in(value: &RawValue) -> Result<BusinessId, Reject> {
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
