//! One value and the type that its key wants. Each reason reads on after the value: `130 is a number; …`.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use figment::value::Value;

use super::document::parse_list;
use super::problem::Origin;

/// A value as its layer gave it.
pub(super) struct Given<'a> {
    pub value: &'a Value,
    pub origin: &'a Origin,
    /// What a relative path starts from.
    pub base: &'a Path,
}

impl<'a> Given<'a> {
    pub fn text(&self) -> Result<&'a str, String> {
        let reason = || format!("is {}; write text in quotes", kind(self.value));
        self.value.as_str().ok_or_else(reason)
    }

    /// A whole number within `range`.
    pub fn integer(&self, range: RangeInclusive<u32>) -> Result<u32, String> {
        let bounds = match (range.start(), range.end()) {
            (least, &u32::MAX) => format!("from {least} up"),
            (least, most) => format!("from {least} to {most}"),
        };
        let number = match (self.value, self.is_text_only()) {
            (Value::Num(_, number), _) => number.to_i128(),
            (Value::String(_, text), true) => text.trim().parse().ok(),
            _ => None,
        };
        match number.map(u32::try_from) {
            Some(Ok(number)) if range.contains(&number) => Ok(number),
            Some(_) => Err(format!("is out of range; write a whole number {bounds}")),
            None if self.is_text_only() => Err(format!("is no whole number; write one {bounds}")),
            None => Err(format!("is {}; write a whole number, without quotes", kind(self.value))),
        }
    }

    /// A list of texts; a variable writes it as the file does.
    pub fn texts(&self) -> Result<Vec<String>, String> {
        let items = match (self.value, self.is_text_only()) {
            (Value::String(_, text), true) => parse_list(text).map(Cow::Owned),
            (value, _) => Some(Cow::Borrowed(value)),
        };
        let Some(items) = items.as_deref().and_then(Value::as_array) else {
            let what = if self.is_text_only() { "no list" } else { kind(self.value) };
            return Err(format!(r#"is {what}; write a list of texts, as ["name", "website"]"#));
        };
        let text_of = |item: &Value| {
            let reason =
                || format!("holds {}, which is {}; write each text in quotes", shown(item), kind(item));
            item.as_str().map(ToOwned::to_owned).ok_or_else(reason)
        };
        items.iter().map(text_of).collect()
    }

    fn is_text_only(&self) -> bool {
        matches!(self.origin, Origin::Variable(_) | Origin::Flag(_))
    }
}

/// `true` or `false`.
pub(super) fn boolean(given: &Given<'_>) -> Result<bool, String> {
    match (given.value, given.is_text_only()) {
        (Value::Bool(_, flag), _) => Ok(*flag),
        (Value::String(_, text), true) if text == "true" => Ok(true),
        (Value::String(_, text), true) if text == "false" => Ok(false),
        _ if given.is_text_only() => Err("is neither true nor false; write one of them".into()),
        _ => Err(format!("is {}; write true or false, without quotes", kind(given.value))),
    }
}

/// A path, complete.
pub(super) fn path(given: &Given<'_>) -> Result<PathBuf, String> {
    match given.text()? {
        "" => Err("is empty; name a file".into()),
        path if path.starts_with('~') => {
            Err("begins with ~, which only a shell knows; write the path in full".into())
        }
        path if path.contains('\0') => Err("holds a NUL character".into()),
        path => Ok(given.base.join(path)),
    }
}

/// Whether `value` is one table or several.
pub(super) fn is_table(value: &Value) -> bool {
    let first = value.as_array().and_then(<[Value]>::first).unwrap_or(value);
    first.as_dict().is_some()
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(..) | Value::Char(..) => "text",
        Value::Bool(..) => "a boolean",
        Value::Num(_, number) if number.to_i128().is_some() => "a number",
        Value::Num(..) => "a number with decimals",
        Value::Empty(..) => "a date",
        Value::Dict(..) => "a table",
        Value::Array(..) => "a list",
    }
}

/// A value as TOML would write it; what a URL holds of a password is left out.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{:?}", without_password(text)),
        Value::Char(_, letter) => format!("{letter:?}"),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Num(_, number) => number
            .to_i128()
            .map(|whole| whole.to_string())
            .or_else(|| number.to_f64().map(|number| number.to_string()))
            .unwrap_or_default(),
        Value::Empty(..) => "the value".into(),
        Value::Dict(..) => "{…}".into(),
        Value::Array(_, items) => {
            format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
    }
}

/// As much of a text as a message can bear.
pub(super) fn brief(text: &str) -> String {
    const MOST: usize = 60;
    text.char_indices().nth(MOST).map_or_else(|| text.to_owned(), |(end, _)| format!("{}…", &text[..end]))
}

fn without_password(text: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = text.split_once("://") else { return Cow::Borrowed(text) };
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..host_end].rfind('@') {
        Some(at) => Cow::Owned(format!("{scheme}://…{}", &rest[at..])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_url_is_not_shown() {
        assert_eq!(shown(&Value::from("https://me:pw@api.vainu.io/x")), r#""https://…@api.vainu.io/x""#);
        assert_eq!(shown(&Value::from("https://api.vainu.io/@x")), r#""https://api.vainu.io/@x""#);
    }

    #[test]
    fn a_variable_stays_text_for_a_text_key_and_becomes_a_number_for_a_number_key() {
        let origin = Origin::Variable("VAINU_SYNC_X__Y".into());
        let value = Value::from("0123");
        let given = Given { value: &value, origin: &origin, base: Path::new("/") };
        assert_eq!(given.text(), Ok("0123"));
        assert_eq!(given.integer(0..=1000), Ok(123));
    }
}
