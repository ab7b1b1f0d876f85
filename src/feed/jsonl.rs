//! JSON lines: one object a row, each value as it came.

use super::layout::Value;
use crate::organization::Found;
use crate::organization::compact::{canonical, compact};
use crate::organization::json::quoted;

/// The JSON of what was found: null where there is nothing, a list where a path goes over lists.
pub fn value(found: &Found<'_>) -> Value {
    let json = found.json().unwrap_or("null".into());
    Value { text: compact(&json), compared: Some(canonical(&json)) }
}

/// One row from its members: their names and their JSON.
pub fn line<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut line = String::from("{");
    for (index, (name, json)) in members.into_iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        line.push_str(&quoted(name));
        line.push(':');
        line.push_str(json);
    }
    line.push_str("}\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organization::JsonPath;
    use crate::organization::json::members;

    #[test]
    fn values_are_as_they_came() {
        let document = "{\"n\":12345678901234567890.10,\"e\":\"\",\"l\":[],\"o\":{ \"b\":1 },\"u\":[{\"c\":\"x\\u0000\"},{\"c\":null}]}";
        let members = members(document).unwrap();
        let json = |path: &str| value(&path.parse::<JsonPath>().unwrap().find(&members)).text;
        for (path, text) in [
            ("n", "12345678901234567890.10"),
            ("e", "\"\""),
            ("l", "[]"),
            ("o", "{\"b\":1}"),
            ("u[].c", "[\"x\u{FFFD}\"]"),
            ("absent", "null"),
            ("absent[].c", "null"),
        ] {
            assert_eq!(json(path), text, "{path}");
        }
        assert_eq!(line([("a \"b\"", "1"), ("c", "null")]), "{\"a \\\"b\\\"\":1,\"c\":null}\n");
    }
}
