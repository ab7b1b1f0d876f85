//! JSON text as others get it: without white space, and in the one form that equal trees share.

use std::borrow::Cow;

use super::json;

/// `text` with U+FFFD for NUL, which other programs choke on.
#[must_use]
pub fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}").into() } else { text.into() }
}

/// `json` without the white space between its parts; everything else as it came. NUL becomes U+FFFD, as of
/// [`without_nul`].
#[must_use]
pub fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut rest, mut in_text) = (json, false);
    while let Some(letter) = rest.chars().next() {
        let mut taken = letter.len_utf8();
        match letter {
            '\\' if rest.starts_with("\\u0000") => {
                taken = 6;
                out.push('\u{FFFD}');
            }
            // JSON escapes one byte, or four digits that can stand as they are.
            '\\' => {
                taken = rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at);
                out.push_str(&rest[..taken]);
            }
            ' ' | '\t' | '\n' | '\r' if !in_text => {}
            letter => {
                in_text ^= letter == '"';
                out.push(letter);
            }
        }
        rest = &rest[taken..];
    }
    out
}

/// The text that all equal trees share: [`json::same`] values have the same, others have not. An object has its
/// keys in order and none with null.
#[must_use]
pub fn canonical(json: &str) -> String {
    let mut out = String::new();
    write_canonical(json, &mut out);
    out
}

fn write_canonical(json: &str, out: &mut String) {
    match json.as_bytes().first() {
        Some(b'{') => {
            let members = json::members(json).unwrap_or_default();
            let present = members.iter().filter(|(_, value)| value.get() != "null");
            out.push('{');
            for (key, value) in present {
                write_text(key, out);
                out.push(':');
                write_canonical(value.get(), out);
                out.push(',');
            }
            out.push('}');
        }
        Some(b'[') => {
            out.push('[');
            for item in json::items(json) {
                write_canonical(item.get(), out);
                out.push(',');
            }
            out.push(']');
        }
        Some(b'"') => write_text(&json::text_of(json).unwrap_or_default(), out),
        _ => out.push_str(json),
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push_str(&json::quoted(text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn white_space_goes_from_between_the_parts_only() {
        let json = "{ \"a b\" :\r\n[ 1.50 ,\t\"x \\\" y\\\\\" ] , \"e\\u0301\" : \"a\\u0000b \\u00e4\" }";
        assert_eq!(compact(json), "{\"a b\":[1.50,\"x \\\" y\\\\\"],\"e\\u0301\":\"a\u{FFFD}b \\u00e4\"}");
        assert_eq!(compact(r#""\\u0000""#), r#""\\u0000""#, "an escaped backslash begins no other escape");
    }

    fn tree() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("1".to_owned()),
            Just("1.0".to_owned()),
            Just("\"a\"".to_owned()),
            Just("\"\\u0061\"".to_owned()),
            Just("\"\\u0000\"".to_owned()),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            let key = prop_oneof![Just("a"), Just("\\u0061"), Just("b"), Just("c")];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3)
                    .prop_map(|items| format!("[{}]", items.join(" , "))),
                proptest::collection::vec((key, inner), 0..4).prop_map(|members| {
                    let members: Vec<String> =
                        members.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn equal_trees_and_only_those_share_one_text(a in tree(), b in tree()) {
            prop_assert_eq!(json::same(&a, &b), canonical(&a) == canonical(&b));
        }

        #[test]
        fn a_compact_text_is_the_same_tree_but_for_nul(tree in tree()) {
            let compacted = compact(&tree);
            prop_assert!(!compacted.contains(' '));
            prop_assert_eq!(canonical(&compacted), canonical(&tree.replace("\\u0000", "\\ufffd")));
        }
    }
}
