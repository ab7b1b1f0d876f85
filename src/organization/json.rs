//! JSON as text: compared as trees, never retyped, so that no number passes through a float.

use std::borrow::Cow;

use serde_json::value::RawValue;

pub use super::members::{Members, Texts};

/// Deepest nesting of a row that is taken. SQLite's own limit is 1000; recursion here stays bounded.
pub const MAX_DEPTH: usize = 128;

/// The members of the object that `text` holds; `None` if it holds anything else.
#[must_use]
pub fn members(text: &str) -> Option<Members<'_>> {
    serde_json::from_str(text).ok()
}

/// Whether two values, without white space around them, are the same JSON tree: objects in any order, a key with null
/// like an absent one, arrays in order, strings by their characters, numbers by their digits.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (a.as_bytes().first(), b.as_bytes().first()) {
        (Some(b'{'), Some(b'{')) => same_objects(a, b),
        (Some(b'['), Some(b'[')) => same_arrays(a, b),
        (Some(b'"'), Some(b'"')) => text_of(a).is_some_and(|text| Some(text) == text_of(b)),
        _ => false,
    }
}

/// Like [`same`], where a value may be absent: null is the same as absent.
#[must_use]
pub fn same_or_absent(a: Option<&str>, b: Option<&str>) -> bool {
    match (present(a), present(b)) {
        (None, None) => true,
        (Some(a), Some(b)) => same(a, b),
        _ => false,
    }
}

/// The characters of a JSON string; `None` for any other value.
#[must_use]
pub fn text_of(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// The elements of a JSON list; none if the text is anything else.
#[must_use]
pub fn items(list: &str) -> Vec<&RawValue> {
    serde_json::from_str(list).unwrap_or_default()
}

/// `text` as a JSON string.
#[must_use]
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text is always JSON")
}

/// One object from its members in their order, values as they are.
#[must_use]
pub fn object<'a, M>(members: M) -> String
where
    M: IntoIterator<Item = (&'a str, &'a str), IntoIter: Clone>,
{
    let members = members.into_iter();
    let length = |(key, value): (&str, &str)| key.len() + value.len() + r#""":,"#.len();
    let mut object = String::with_capacity(members.clone().map(length).sum::<usize>() + "{}".len());
    object.push('{');
    for (key, value) in members {
        if object.len() > 1 {
            object.push(',');
        }
        push_quoted(&mut object, key);
        object.push(':');
        object.push_str(value);
    }
    object.push('}');
    object
}

fn push_quoted(json: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\')) {
        json.push_str(&quoted(text));
    } else {
        json.push('"');
        json.push_str(text);
        json.push('"');
    }
}

/// Whether `text` may hold an escaped half of a surrogate pair, alone or not.
#[must_use]
pub fn has_escaped_halves(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_half = |at: usize| matches!(bytes.get(at + 1..at + 3), Some(b"ud" | b"uD"));
    memchr::memchr_iter(b'\\', bytes).any(is_half)
}

/// `text` with every escaped half of a surrogate pair replaced by U+FFFD, which is all that UTF-8 can hold.
#[must_use]
pub fn without_lone_surrogates(text: &str) -> Cow<'_, str> {
    if !has_escaped_halves(text) {
        return Cow::Borrowed(text);
    }
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        whole.push_str(&rest[..at]);
        let (escape, taken) = escape_at(&rest[at..]);
        whole.push_str(escape);
        rest = &rest[at + taken..];
    }
    whole.push_str(rest);
    Cow::Owned(whole)
}

/// Whether `json` nests deeper than [`MAX_DEPTH`].
#[must_use]
pub fn too_deep(json: &str) -> bool {
    opening_brackets(json) > MAX_DEPTH && nests_too_deep(json)
}

/// How many there are, within texts too. Few rows have many, and this is quick: byte lanes that do not overflow.
fn opening_brackets(json: &str) -> usize {
    const CASE: u8 = b'{' ^ b'[';
    let in_part = |part: &[u8]| part.iter().map(|byte| u8::from(byte | CASE == b'{')).sum::<u8>();
    json.as_bytes().chunks(usize::from(u8::MAX)).map(|part| usize::from(in_part(part))).sum()
}

fn nests_too_deep(json: &str) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

fn present(value: Option<&str>) -> Option<&str> {
    value.filter(|value| *value != "null")
}

fn same_objects(a: &str, b: &str) -> bool {
    let texts = |object| members(object).map(Members::texts);
    let (Some(a), Some(b)) = (texts(a), texts(b)) else { return false };
    let within = |one: &Texts, other: &Texts| {
        one.iter().all(|(key, value)| same_or_absent(Some(value), other.get(key)))
    };
    // Children are compared once: twice at each level would double the time with each.
    within(&a, &b) && b.iter().all(|(key, value)| a.contains_key(key) || value == "null")
}

fn same_arrays(a: &str, b: &str) -> bool {
    let items = |text| serde_json::from_str::<Vec<&RawValue>>(text).ok();
    let (Some(a), Some(b)) = (items(a), items(b)) else { return false };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a.get(), b.get()))
}

/// The escape that `text` begins with, mended, and how many bytes of `text` it stands for.
fn escape_at(text: &str) -> (&str, usize) {
    let Some(unit) = code_unit(text) else {
        let taken = text.char_indices().nth(2).map_or(text.len(), |(at, _)| at);
        return (&text[..taken], taken);
    };
    match unit {
        0xD800..=0xDBFF if matches!(code_unit(&text[6..]), Some(0xDC00..=0xDFFF)) => (&text[..12], 12),
        0xD800..=0xDFFF => ("\\ufffd", 6),
        _ => (&text[..6], 6),
    }
}

/// The UTF-16 code unit of the `\uXXXX` that `text` begins with.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_the_same_whatever_their_spelling() {
        for (a, b) in [
            (r#"{"a":1,"b":[1,2]}"#, r#"{ "b" : [1, 2], "a" : 1 }"#),
            (r#"{"a":null}"#, "{}"),
            (r#"{"a":{"b":null}}"#, r#"{"a":{}}"#),
            (r#""\u00e4""#, "\"ä\""),
            (r#"{"\u0061":1}"#, r#"{"a":1}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            ("1e400", "1e400"),
        ] {
            assert!(same(a, b), "{a} and {b}");
        }
    }

    #[test]
    fn trees_differ_by_a_digit_an_order_or_a_character() {
        for (a, b) in [
            ("1.0", "1"),
            ("0.1", "0.10"),
            ("12345678901234567890", "12345678901234567891"),
            ("[1,2]", "[2,1]"),
            ("[null]", "[]"),
            ("\"e\u{301}\"", "\"é\""),
            ("null", "0"),
            ("\"1\"", "1"),
            (r#"{"a":null}"#, r#"{"a":0}"#),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#),
        ] {
            assert!(!same(a, b), "{a} and {b}");
            assert!(!same(b, a), "{b} and {a}");
        }
    }

    #[test]
    fn trees_as_deep_as_they_come_are_compared_in_one_pass() {
        let nested =
            |leaf: &str| format!("{}{leaf}{}", "{\"a\":".repeat(MAX_DEPTH - 1), "}".repeat(MAX_DEPTH - 1));
        assert!(same(&nested(r#""\u00e4""#), &nested("\"ä\"")));
        assert!(!same(&nested("1"), &nested("2")));
    }

    #[test]
    fn half_a_surrogate_pair_becomes_the_replacement_character() {
        for (text, mended) in [
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""\uDE00x\uD83D""#, r#""\ufffdx\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\ud83d\"ä""#, r#""\ufffd\"ä""#),
        ] {
            assert_eq!(without_lone_surrogates(text), mended);
        }
    }

    #[test]
    fn depth_is_counted_outside_of_texts_only() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(!too_deep(&nested(MAX_DEPTH)));
        assert!(too_deep(&nested(MAX_DEPTH + 1)));
        assert!(!too_deep(&format!("\"\\\"{}\"", "[".repeat(1000))));
    }
}
