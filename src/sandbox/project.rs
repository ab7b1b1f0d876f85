//! `fields`: a row cut down to the paths that were asked for.

use std::collections::BTreeMap;

use super::json;

/// The paths of `fields` as a tree, one level per dot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    whole: bool,
    children: BTreeMap<String, Fields>,
}

impl Fields {
    /// Everything that a row has.
    pub fn everything() -> Self {
        Self { whole: true, children: BTreeMap::new() }
    }

    /// The tree of `paths`; a path wins over the paths below it.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut root = Self::default();
        for path in paths {
            path.split('.')
                .fold(&mut root, |node, part| node.children.entry(part.to_owned()).or_default())
                .whole = true;
        }
        root
    }

    fn child(&self, key: &str) -> Option<&Self> {
        if self.whole { Some(self) } else { self.children.get(key) }
    }
}

/// What becomes of a `null` inside a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    Kept,
    Dropped,
}

/// Appends `row` cut down to `fields`. What is kept is copied byte for byte; a row that is no JSON object is
/// copied whole.
pub fn project(row: &str, fields: &Fields, nulls: Nulls, out: &mut String) {
    if fields.whole && nulls == Nulls::Kept {
        return out.push_str(row);
    }
    if let Some(members) = json::members(row) {
        project_object(&members, fields, nulls, out);
    } else if let Some(elements) = json::elements(row) {
        project_array(&elements, fields, nulls, out);
    } else {
        out.push_str(row);
    }
}

fn project_object(members: &[json::Member<'_>], fields: &Fields, nulls: Nulls, out: &mut String) {
    let kept = members.iter().filter_map(|member| Some((member, fields.child(&member.key())?)));
    out.push('{');
    let start = out.len();
    for (member, child) in kept.filter(|(member, _)| nulls == Nulls::Kept || member.value != "null") {
        if out.len() > start {
            out.push(',');
        }
        out.push_str(member.raw_key);
        out.push(':');
        project(member.value, child, nulls, out);
    }
    out.push('}');
}

fn project_array(elements: &[&str], fields: &Fields, nulls: Nulls, out: &mut String) {
    out.push('[');
    for (position, element) in elements.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        project(element, fields, nulls, out);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projected(row: &str, paths: &[&str], nulls: Nulls) -> String {
        let mut out = String::new();
        project(row, &Fields::of(paths.iter().copied()), nulls, &mut out);
        out
    }

    #[test]
    fn a_path_reaches_through_lists_of_objects() {
        let row = r#"{"name":"A","units":[{"city":"Oulu","street":"x"},{"street":"y"}],"staff":7}"#;
        assert_eq!(
            projected(row, &["units.city", "name"], Nulls::Kept),
            r#"{"name":"A","units":[{"city":"Oulu"},{}]}"#
        );
    }

    #[test]
    fn what_is_kept_is_kept_byte_for_byte() {
        let row = r#"{"a":{"x":1.0, "y":1e400},"b":"\ud800","a":{"x":12345678901234567890},"n":null}"#;
        assert_eq!(
            projected(row, &["a.x", "b", "n"], Nulls::Kept),
            r#"{"a":{"x":1.0},"b":"\ud800","a":{"x":12345678901234567890},"n":null}"#
        );
        assert_eq!(
            projected(row, &["a"], Nulls::Kept),
            r#"{"a":{"x":1.0, "y":1e400},"a":{"x":12345678901234567890}}"#
        );
    }

    #[test]
    fn nulls_go_at_every_depth_when_dropped() {
        let row = r#"{"a":null,"b":{"c":null,"d":1},"e":[{"f":null}]}"#;
        assert_eq!(projected(row, &["a", "b", "e"], Nulls::Dropped), r#"{"b":{"d":1},"e":[{}]}"#);
    }

    #[test]
    fn a_row_that_is_no_object_is_left_alone() {
        assert_eq!(projected(r#"{"staff_number":NaN}"#, &["name"], Nulls::Kept), r#"{"staff_number":NaN}"#);
        assert_eq!(projected("7", &["name"], Nulls::Kept), "7");
    }
}
