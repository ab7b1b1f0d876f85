mod below;

use figment::value::{Dict, Value};

use super::document::join;
use super::layers::Layers;
use super::problem::{Origin, Problem};
use super::report::{Report, Reported, Setting, UnknownKey};
use super::settings::Webhook;
use super::value::{Given, brief, is_table, shown};

pub(super) use below::Below;

/// Keys whose values are never shown.
const HIDDEN: [&str; 6] =
    ["refresh_token", "client_secret", "ping_url", "webhook_url", "webhook_secret", "url"];

/// One table of the merged layers while it is read. Each key that is asked for becomes known, its value
/// typed, and its provenance noted; what nobody asked for is a problem in the end.
pub(super) struct Table<'a> {
    layers: &'a Layers,
    report: &'a mut Report,
    /// `api`, `queries`: the same for each of several tables.
    kind: &'static str,
    /// `api`, `queries.finnish-software`
    name: String,
    places: Vec<Place<'a>>,
    asked: Vec<&'static str>,
    partial: bool,
}

/// Where a table's keys stand.
struct Place<'a> {
    path: String,
    keys: &'a Dict,
}

/// A value that was found, and where.
struct Hit<'a> {
    value: &'a Value,
    path: String,
    shown: String,
    origin: Origin,
}

impl<'a> Table<'a> {
    /// The table `[kind]`.
    pub fn single(layers: &'a Layers, report: &'a mut Report, kind: &'static str) -> Self {
        let places = vec![Place { path: kind.into(), keys: layers.table(kind) }];
        Self { layers, report, kind, name: kind.into(), places, asked: vec![], partial: false }
    }

    /// The table `[[queries]]` at `path`; what it lacks comes from `[defaults]`.
    pub fn query(layers: &'a Layers, report: &'a mut Report, path: &str, keys: &'a Dict) -> Self {
        let defaults = Place { path: "defaults".into(), keys: layers.table("defaults") };
        Self::element(layers, report, "queries", vec![Place { path: path.into(), keys }, defaults])
    }

    /// The table `[[feeds]]` at `path`; what it lacks is built in.
    pub fn feed(layers: &'a Layers, report: &'a mut Report, path: &str, keys: &'a Dict) -> Self {
        let defaults = Place { path: "feeds".into(), keys: layers.feed_defaults() };
        let target = keys.get("target").and_then(Value::as_str);
        let preset = target.and_then(|target| layers.preset(target));
        let preset = preset.map(|keys| Place { path: "target".into(), keys });
        let own = Place { path: path.into(), keys };
        Self::element(layers, report, "feeds", [own].into_iter().chain(preset).chain([defaults]).collect())
    }

    fn element(
        layers: &'a Layers,
        report: &'a mut Report,
        kind: &'static str,
        places: Vec<Place<'a>>,
    ) -> Self {
        let name = places[0].path.clone();
        Self { layers, report, kind, name, places, asked: vec![], partial: false }
    }

    /// The same, but nothing is required, and nothing is noted for `check`.
    pub fn partial(self) -> Self {
        Self { partial: true, ..self }
    }

    /// From here on the table is called so.
    pub fn rename(&mut self, name: String) {
        self.name = name;
    }

    /// Makes `key` known without reading it.
    pub fn know(&mut self, key: &'static str) {
        self.asked.push(key);
        self.report.know(self.kind, key);
    }

    /// The value of `key`, if any layer gives one.
    ///
    /// `parse` says what is wrong with a value, so that it reads well after the value itself.
    pub fn optional<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&Given<'_>) -> Result<T, String>,
    ) -> Result<Option<T>, Reported> {
        let Some(hit) = self.hit(key) else {
            self.note(key, "(not set)".into(), Origin::Default);
            return Ok(None);
        };
        let given = Given { value: hit.value, origin: &hit.origin, base: self.layers.base(&hit.origin) };
        match parse(&given) {
            Ok(parsed) => {
                let value = if HIDDEN.contains(&key) { "(hidden)".into() } else { shown(hit.value) };
                self.note(key, value, hit.origin);
                Ok(Some(parsed))
            }
            Err(reason) => {
                let value = shown(hit.value);
                // The secret of a webhook may stand where its file should.
                let is_hidden = HIDDEN.contains(&key) || value.contains(Webhook::PREFIX);
                let value = if is_hidden { "the value".into() } else { brief(&value) };
                self.wrong(hit.shown, format!("{value} {reason}"), hit.origin);
                Err(Reported)
            }
        }
    }

    /// The value of `key`, which must have one.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&Given<'_>) -> Result<T, String>,
    ) -> Result<T, Reported> {
        if let Some(value) = self.optional(key, parse)? {
            return Ok(value);
        }
        if !self.partial {
            self.missing(&format!("{key} is missing; it has no default"));
        }
        Err(Reported)
    }

    /// The value of `key`, which must stand in this very table.
    pub fn required_here<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&Given<'_>) -> Result<T, String>,
    ) -> Result<T, Reported> {
        self.optional_here(key, parse)?.ok_or_else(|| {
            self.missing(&format!("{key} is missing; it has no default"));
            Reported
        })
    }

    /// The value of `key` if this very table has one: `[defaults]` has no say.
    pub fn optional_here<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&Given<'_>) -> Result<T, String>,
    ) -> Result<Option<T>, Reported> {
        if self.has(key) {
            return self.optional(key, parse);
        }
        self.know(key);
        Ok(None)
    }

    /// The layers below and above.
    pub fn layers(&self) -> &'a Layers {
        self.layers
    }

    /// What a payload gives in the place of `key`, which this very table may not give too.
    pub fn given_by_payload<T: Clone>(
        &mut self,
        key: &'static str,
        value: &T,
        shown: &str,
        origin: &Origin,
    ) -> Result<T, Reported> {
        self.know(key);
        if self.has(key) {
            let message = format!("the payload gives {key} too ({origin}); keep one of them");
            self.contradiction(key, message);
            return Err(Reported);
        }
        self.note(key, shown.to_owned(), origin.clone());
        Ok(value.clone())
    }

    /// How messages call `key` of this table.
    pub fn path_of(&self, key: &str) -> String {
        join(&self.name, key)
    }

    /// Reports that the table lacks something.
    pub fn missing(&mut self, message: &str) {
        let origin = self.origin();
        self.wrong(self.name.clone(), message.to_owned(), origin);
    }

    /// Reports what is wrong with a value that was fit by itself.
    pub fn contradiction(&mut self, key: &'static str, message: String) {
        let Some(hit) = self.hit(key) else { return self.missing(&message) };
        self.wrong(hit.shown, message, hit.origin);
    }

    /// Whether this table itself, not `[defaults]`, has the key.
    pub fn has(&self, key: &str) -> bool {
        self.places[0].keys.contains_key(key)
    }

    /// Where the value of `key` stands, or would stand.
    pub fn origin_of(&mut self, key: &'static str) -> Origin {
        self.hit(key).map_or_else(|| self.origin(), |hit| hit.origin)
    }

    /// Where the text of `key` begins.
    pub fn origin_of_text(&mut self, key: &'static str) -> Origin {
        let Some(hit) = self.hit(key) else { return self.origin() };
        match hit.origin {
            Origin::File { .. } => self.layers.in_file_at_text(&hit.path),
            other => other,
        }
    }

    /// Where element `index` of the list `key` stands.
    pub fn origin_of_element(&mut self, key: &'static str, index: usize) -> Origin {
        let Some(hit) = self.hit(key) else { return self.origin() };
        match hit.origin {
            Origin::File { .. } => self.layers.in_file_at(&format!("{}[{index}]", hit.path)),
            other => other,
        }
    }

    /// Where the table begins.
    pub fn origin(&self) -> Origin {
        self.layers.in_file_at(&self.places[0].path)
    }

    pub fn report(&mut self) -> &mut Report {
        self.report
    }

    /// Reports the keys that nobody asked for.
    pub fn finish(self) {
        let place = &self.places[0];
        for (key, value) in place.keys {
            if self.asked.iter().all(|asked| asked != key) {
                self.report.unknown_key(UnknownKey {
                    table: self.kind,
                    key: key.clone(),
                    shown: join(&self.name, key),
                    origin: self.layers.origin(value, &join(&place.path, key)),
                    is_table: is_table(value),
                });
            }
        }
    }

    fn hit(&mut self, key: &'static str) -> Option<Hit<'a>> {
        self.know(key);
        let (index, place) =
            self.places.iter().enumerate().find(|(_, place)| place.keys.contains_key(key))?;
        let value = &place.keys[key];
        let path = join(&place.path, key);
        let shown = if index == 0 { join(&self.name, key) } else { path.clone() };
        let origin = self.layers.origin(value, &path);
        Some(Hit { value, path, shown, origin })
    }

    fn note(&mut self, key: &str, value: String, origin: Origin) {
        if !self.partial {
            self.report.settings.push(Setting { key: join(&self.name, key), value, origin });
        }
    }

    fn wrong(&mut self, key: String, message: String, origin: Origin) {
        self.report.problem(Problem { key: Some(key), message, origin: Some(origin) });
    }
}

/// The `[[kind]]` tables of the file, in its order; none where it has none.
pub(super) fn tables<'a>(
    layers: &'a Layers,
    report: &mut Report,
    kind: &'static str,
) -> Result<Vec<&'a Dict>, Reported> {
    let Some(value) = layers.top(kind) else { return Ok(Vec::new()) };
    let tables: Option<Vec<&Dict>> =
        value.as_array().and_then(|items| items.iter().map(Value::as_dict).collect());
    tables.ok_or_else(|| {
        let each = if kind == "feeds" { "feed" } else { "query" };
        report.problem(Problem {
            key: Some(kind.into()),
            message: format!("is a list of tables; write [[{kind}]], in double brackets, above each {each}"),
            origin: Some(layers.origin(value, kind)),
        });
        Reported
    })
}
