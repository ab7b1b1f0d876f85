//! JSON as text: split where it stands, never retyped, so that what a test put in comes out byte for byte.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// One key of an object with its value, both as they stand in the text.
pub struct Member<'a> {
    pub raw_key: &'a str,
    pub value: &'a str,
}

impl<'a> Member<'a> {
    /// The key without its escapes. A key that is no Unicode text stays as it stands.
    pub fn key(&self) -> Cow<'a, str> {
        let inner = &self.raw_key[1..self.raw_key.len() - 1];
        if !inner.contains('\\') {
            return Cow::Borrowed(inner);
        }
        serde_json::from_str(self.raw_key).map_or(Cow::Borrowed(inner), Cow::Owned)
    }
}

/// The members of an object in their order, repeated keys included; `None` if `text` is no object.
pub fn members(text: &str) -> Option<Vec<Member<'_>>> {
    serde_json::from_str::<Members<'_>>(text).ok().map(|members| members.0)
}

/// The value that a JSON reader would see under `key`: the last one, if it is repeated.
pub fn member<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    members(text)?.iter().rev().find(|member| member.key() == key).map(|member| member.value)
}

/// The elements of an array; `None` if `text` is no array.
pub fn elements(text: &str) -> Option<Vec<&str>> {
    let raw: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(raw.into_iter().map(RawValue::get).collect())
}

struct Members<'a>(Vec<Member<'a>>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            members.push(Member { raw_key: key.get(), value: value.get() });
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_order_repeats_and_digits() {
        let text = r#"{"b":1.0,"a":1e400,"b":12345678901234567890,"s":"\ud800"}"#;
        let seen: Vec<_> =
            members(text).unwrap().iter().map(|member| (member.key().into_owned(), member.value)).collect();
        assert_eq!(
            seen,
            [
                ("b".into(), "1.0"),
                ("a".into(), "1e400"),
                ("b".into(), "12345678901234567890"),
                ("s".into(), r#""\ud800""#)
            ]
        );
    }

    #[test]
    fn an_escaped_key_is_found_and_the_last_of_two_wins() {
        assert_eq!(
            member(r#"{"business\u005fid":"FI1","business_id":"FI2"}"#, "business_id"),
            Some(r#""FI2""#)
        );
        assert_eq!(member(r#"{"business\u005fid":"FI1"}"#, "business_id"), Some(r#""FI1""#));
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        assert!(members("[1]").is_none());
        assert!(members(r#"{"staff_number":NaN}"#).is_none());
        assert!(elements("{}").is_none());
    }
}
