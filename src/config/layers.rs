use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use figment::value::{Dict, Map, Value};
use figment::{Error, Figment, Metadata, Profile, Provider, Source};

use super::document::{Document, Lines, join};
use super::environment::{Environment, Flags, PREFIX, variable_name};
use super::find::Found;
use super::problem::{Origin, Problem};
use super::report::Report;
use super::value::is_table;

const VARIABLE: &str = "variable";
const FLAG: &str = "flag";
/// The tables whose keys a variable can set.
const SINGLE_TABLES: [&str; 6] = ["api", "auth", "store", "http", "log", "defaults"];
const DEFAULTS: &str = include_str!("defaults.toml");

/// The layers, merged, each value with where it came from.
pub(super) struct Layers {
    figment: Figment,
    merged: Dict,
    lines: Lines,
    file: Found,
    file_values: Dict,
    variables: Dict,
    directory: PathBuf,
    feed_defaults: Dict,
    presets: Dict,
}

/// One layer, as figment takes it.
struct Layer {
    metadata: Metadata,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

impl Layers {
    /// Built-in defaults < Vainu's own variables < file < our variables < flags.
    pub fn merge(
        file: Found,
        document: Document,
        environment: &Environment,
        flags: &Flags,
        report: &mut Report,
    ) -> Self {
        let shown = file.shown.as_path();
        let variables = variables(environment, report);
        let file_values = without_false_tables(document.values, shown, &document.lines, report);
        let (defaults, feed_defaults) = defaults();
        let figment = Figment::new()
            .merge(Layer { metadata: Metadata::named("defaults"), values: defaults })
            .merge(from(VARIABLE, vainu_variables(environment, report), |_, _| "VAINU_BASE_URL".into()))
            .merge(Layer { metadata: Metadata::from("file", shown), values: file_values.clone() })
            .merge(from(VARIABLE, variables.clone(), |_, keys| variable_name(keys)))
            .merge(from(FLAG, flag_values(flags, report), |_, keys| format!("--{}", keys[0])));
        let merged = figment.data().map(|mut profiles| profiles.remove(&Profile::Default));
        Self {
            merged: merged.ok().flatten().unwrap_or_default(),
            figment,
            lines: document.lines,
            file,
            file_values,
            variables,
            directory: environment.directory().to_owned(),
            feed_defaults,
            presets: built_in(include_str!("presets.toml")),
        }
    }

    /// The merged value at the top level.
    pub fn top(&self, key: &str) -> Option<&Value> {
        self.merged.get(key)
    }

    pub fn top_keys(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.merged.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The merged table `key`; every such table has built-in defaults, if only none.
    pub fn table(&self, key: &str) -> &Dict {
        static EMPTY: Dict = Dict::new();
        self.merged.get(key).and_then(Value::as_dict).unwrap_or(&EMPTY)
    }

    /// The table `key` as the file alone has it.
    pub fn in_file(&self, key: &str) -> Option<&Dict> {
        self.file_values.get(key).and_then(Value::as_dict)
    }

    /// The table `key` as our variables alone have it.
    pub fn in_variables(&self, key: &str) -> Option<&Dict> {
        self.variables.get(key).and_then(Value::as_dict)
    }

    /// What stands below each `[[feeds]]` table.
    pub fn feed_defaults(&self) -> &Dict {
        &self.feed_defaults
    }

    /// What a feed's `target` stands for.
    pub fn preset(&self, target: &str) -> Option<&Dict> {
        self.presets.get(target)?.as_dict()
    }

    /// All that a feed's `target` can be.
    pub fn targets(&self) -> Vec<&str> {
        self.presets.keys().map(String::as_str).collect()
    }

    /// What sorts keys by where they stand in the file.
    pub fn place_in_file(&self, path: &str) -> usize {
        self.lines.place_of(path)
    }

    /// Where the value at `path` came from.
    pub fn origin(&self, value: &Value, path: &str) -> Origin {
        let keys: Vec<&str> = path.split('.').collect();
        let Some(metadata) = self.figment.get_metadata(value.tag()) else { return Origin::Default };
        match &metadata.source {
            Some(Source::File(_)) => self.in_file_at(path),
            Some(Source::Custom(kind)) if kind == FLAG => {
                Origin::Flag(metadata.interpolate(&Profile::Default, &keys))
            }
            Some(Source::Custom(_)) => Origin::Variable(metadata.interpolate(&Profile::Default, &keys)),
            _ => Origin::Default,
        }
    }

    /// The place in the file, whichever layer won.
    pub fn in_file_at(&self, path: &str) -> Origin {
        Origin::File { path: self.file.shown.clone(), line: self.lines.of(path) }
    }

    /// The same, of the text under a key.
    pub fn in_file_at_text(&self, path: &str) -> Origin {
        Origin::File { path: self.file.shown.clone(), line: self.lines.of_text(path) }
    }

    /// What a relative path that came from `origin` starts from: the file's directory for the file and the
    /// defaults, else the current one.
    pub fn base(&self, origin: &Origin) -> &Path {
        match origin {
            Origin::File { .. } | Origin::Default => self.file.directory(),
            Origin::Variable(_) | Origin::Flag(_) => &self.directory,
        }
    }

    /// The file's complete path.
    pub fn path(&self) -> &Path {
        &self.file.path
    }
}

fn from<N>(kind: &'static str, values: Dict, name: N) -> Layer
where
    N: Fn(&Profile, &[&str]) -> String + Clone + Send + Sync + 'static,
{
    Layer { metadata: Metadata::from(kind, kind).interpolater(name), values }
}

/// What a file within the program holds.
fn built_in(text: &str) -> Dict {
    Document::parse(text).map(|document| document.values).unwrap_or_default()
}

/// The layer below every other one, and what each feed has where its table says nothing: a list of tables would
/// hide a table of defaults.
fn defaults() -> (Dict, Dict) {
    let mut values = built_in(DEFAULTS);
    let feeds = values.remove("feeds").and_then(Value::into_dict).unwrap_or_default();
    (values, feeds)
}

fn vainu_variables(environment: &Environment, report: &mut Report) -> Dict {
    let mut values = Dict::new();
    if let Some(url) = environment.variable("VAINU_BASE_URL") {
        set(&mut values, ("api", "base_url"), url, Origin::Variable("VAINU_BASE_URL".into()), report);
    }
    values
}

fn flag_values(flags: &Flags, report: &mut Report) -> Dict {
    let mut values = Dict::new();
    if let Some(path) = &flags.store {
        set(&mut values, ("store", "path"), path.as_os_str(), Origin::Flag("--store".into()), report);
    }
    if let Some(level) = &flags.log {
        set(&mut values, ("log", "level"), OsStr::new(level), Origin::Flag("--log".into()), report);
    }
    values
}

/// A value in the place of a table would hide the table's keys in the layers below.
fn without_false_tables(values: Dict, shown: &Path, lines: &Lines, report: &mut Report) -> Dict {
    let mut right = Dict::new();
    for (key, value) in values {
        if !SINGLE_TABLES.contains(&key.as_str()) || value.as_dict().is_some() {
            right.insert(key, value);
            continue;
        }
        let message = if is_table(&value) {
            format!("stands only once; write [{key}], in single brackets")
        } else {
            format!("is a table; write [{key}] on a line of its own and its keys below")
        };
        let origin = Some(Origin::File { path: shown.to_owned(), line: lines.of(&key) });
        report.problem(Problem { key: Some(key), message, origin });
    }
    right
}

/// Our variables as tables. Every value stays the text that it is; the key decides how it is read.
fn variables(environment: &Environment, report: &mut Report) -> Dict {
    let mut values = Dict::new();
    for (name, value) in environment.variables() {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        if name == "VAINU_SYNC_CONFIG" || is_service_link(name) {
            continue;
        }
        match key_of(name) {
            None => report.stray_variable(name),
            Some((table, key)) => {
                set(&mut values, (&table, &key), value, Origin::Variable(name.into()), report);
            }
        }
    }
    values
}

fn key_of(name: &str) -> Option<(String, String)> {
    let rest = name.strip_prefix(PREFIX)?;
    let (table, key) = rest.split_once("__")?;
    let exact = rest.to_uppercase() == rest && !key.contains("__") && !key.is_empty();
    let table = table.to_lowercase();
    (exact && SINGLE_TABLES.contains(&table.as_str())).then(|| (table, key.to_lowercase()))
}

/// Kubernetes gives every container such variables where a service is called `vainu-sync`.
fn is_service_link(name: &str) -> bool {
    let rest = name.strip_prefix(PREFIX).unwrap_or_default();
    let port = rest.strip_prefix("SERVICE_").unwrap_or(rest);
    rest == "SERVICE_HOST" || port == "PORT" || port.starts_with("PORT_")
}

fn set(values: &mut Dict, (table, key): (&str, &str), value: &OsStr, origin: Origin, report: &mut Report) {
    let Some(text) = value.to_str() else {
        let message = "the value is not UTF-8 text".into();
        return report.problem(Problem { key: Some(join(table, key)), message, origin: Some(origin) });
    };
    if let Value::Dict(_, keys) = values.entry(table.into()).or_insert_with(|| Value::from(Dict::new())) {
        keys.insert(key.into(), Value::from(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_defaults_are_read() {
        let (values, feeds) = defaults();
        assert!(values.contains_key("defaults") && feeds.contains_key("format"), "defaults.toml is no TOML");
    }

    #[test]
    fn only_a_table_and_a_key_make_a_variable_ours() {
        assert_eq!(key_of("VAINU_SYNC_API__BASE_URL"), Some(("api".into(), "base_url".into())));
        for stray in
            ["VAINU_SYNC_API", "VAINU_SYNC_LOG_LEVEL", "VAINU_SYNC_QUERIES__0__NAME", "VAINU_SYNC_api__x"]
        {
            assert_eq!(key_of(stray), None, "{stray}");
        }
    }

    #[test]
    fn the_variables_that_kubernetes_adds_for_a_service_are_not_ours() {
        for name in ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_9464_TCP_ADDR"] {
            assert!(is_service_link(&format!("VAINU_SYNC_{name}")), "{name}");
        }
        assert!(!is_service_link("VAINU_SYNC_PORTS"));
    }
}
