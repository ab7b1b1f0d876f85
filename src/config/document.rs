use std::collections::BTreeMap;

use figment::value::{Dict, Empty, Num, Tag, Value};
use toml::de::{DeTable, DeValue};

use super::syntax::{SyntaxFault, faults, line_at};

/// A TOML text: its values, and the line of each, which figment does not keep.
pub(super) struct Document {
    pub values: Dict,
    pub lines: Lines,
}

/// The line of each key and list element, by its path: `api.timeout`, `queries[0].fields[1]`.
#[derive(Default)]
pub(super) struct Lines {
    keys: BTreeMap<String, usize>,
    /// At which byte each key stands: figment sorts keys by their names.
    places: BTreeMap<String, usize>,
    /// Of texts that begin below their key.
    texts: BTreeMap<String, usize>,
}

impl Lines {
    pub fn of(&self, path: &str) -> Option<usize> {
        self.keys.get(path).copied()
    }

    /// What sorts keys by where they stand in the file.
    pub fn place_of(&self, path: &str) -> usize {
        self.places.get(path).copied().unwrap_or_default()
    }

    /// The line on which the text under a key begins.
    pub fn of_text(&self, path: &str) -> Option<usize> {
        self.texts.get(path).copied().or_else(|| self.of(path))
    }
}

impl Document {
    /// Reads `text` as TOML.
    pub fn parse(text: &str) -> Result<Self, Vec<SyntaxFault>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            let mut reader = Reader { text, lines: Lines::default() };
            let values = reader.table(table.get_ref(), "");
            return Ok(Self { values, lines: reader.lines });
        }
        Err(faults(text, &errors))
    }
}

/// The value of a list as TOML writes it, for variables.
pub(super) fn parse_list(text: &str) -> Option<Value> {
    let text = format!("list = {text}");
    Document::parse(&text).ok()?.values.remove("list")
}

struct Reader<'a> {
    text: &'a str,
    lines: Lines,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, path: &str) -> Dict {
        let mut values = Dict::new();
        for (key, value) in table {
            let path = join(path, key.get_ref());
            self.lines.keys.insert(path.clone(), line_at(self.text, key.span().start));
            self.lines.places.insert(path.clone(), key.span().start);
            if begins_below(&self.text[value.span()]) {
                self.lines.texts.insert(path.clone(), line_at(self.text, value.span().start) + 1);
            }
            values.insert(key.get_ref().to_string(), self.value(value.get_ref(), &path));
        }
        values
    }

    fn value(&mut self, value: &DeValue<'_>, path: &str) -> Value {
        match value {
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Integer(number) => Value::from(integer(number.as_str(), number.radix())),
            DeValue::Float(number) => Value::from(number.as_str().parse::<f64>().unwrap_or(f64::NAN)),
            DeValue::Boolean(flag) => Value::from(*flag),
            // No key takes a date, and figment has no value for one: this one fits no key either.
            DeValue::Datetime(_) => Value::Empty(Tag::Default, Empty::Unit),
            DeValue::Table(table) => Value::from(self.table(table, path)),
            DeValue::Array(items) => {
                let items = items.iter().enumerate().map(|(index, item)| {
                    let path = format!("{path}[{index}]");
                    self.lines.keys.insert(path.clone(), line_at(self.text, item.span().start));
                    self.value(item.get_ref(), &path)
                });
                Value::Array(Tag::Default, items.collect())
            }
        }
    }
}

/// Whether TOML drops a line break that follows the quotes of this value.
fn begins_below(value: &str) -> bool {
    let quoted = ["'''", "\"\"\""].iter().find_map(|quotes| value.strip_prefix(quotes));
    quoted.is_some_and(|text| text.starts_with('\n') || text.starts_with("\r\n"))
}

/// What exceeds even 128 bits exceeds every range that a key allows.
fn integer(digits: &str, radix: u32) -> Num {
    Num::I128(i128::from_str_radix(digits, radix).unwrap_or(i128::MAX))
}

/// The path of `key` in the table at `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "[api]\r\ntimeout = '1s'\r\n\r\n[[queries]]\nname = 'a'\n[[queries]]\nfields = [\n'x',\n'y',\n]\n";

    #[test]
    fn each_key_and_element_knows_its_line() {
        let document = Document::parse(TEXT).ok().unwrap();
        let line = |path: &str| document.lines.of(path).unwrap();
        assert_eq!((line("api"), line("api.timeout")), (1, 2));
        assert_eq!((line("queries[0]"), line("queries[0].name")), (4, 5));
        assert_eq!((line("queries[1]"), line("queries[1].fields[1]")), (6, 9));
    }

    #[test]
    fn keys_know_their_order_wherever_they_stand() {
        let text =
            "[[feeds]]\ncolumns = { Z = 'z', A = 'a' }\n[[feeds]]\n[feeds.columns]\n\"M.x\" = 'm'\nB = 'b'\n";
        let lines = Document::parse(text).ok().unwrap().lines;
        let place = |key: &str| lines.place_of(&format!("feeds{key}"));
        assert!(place("[0].columns.Z") < place("[0].columns.A"));
        assert!(place("[0].columns.A") < place("[1].columns.M.x"));
        assert!(place("[1].columns.M.x") < place("[1].columns.B"));
    }

    #[test]
    fn a_text_begins_where_its_first_character_stands() {
        let text = "[a]\nb = 'x'\nc = '''x\ny'''\nd = '''\r\nx'''\ne = \"\"\"\nx\"\"\"\n";
        let document = Document::parse(text).ok().unwrap();
        let line = |path: &str| document.lines.of_text(path).unwrap();
        assert_eq!(["a.b", "a.c", "a.d", "a.e"].map(line), [2, 3, 6, 8]);
        assert_eq!(document.lines.of("a.d"), Some(5));
    }
}
