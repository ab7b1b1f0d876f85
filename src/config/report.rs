use super::environment::{PREFIX, variable_name};
use super::problem::{Origin, Problem};
use super::suggest::{did_you_mean, nearest, other_word};

/// One setting as `check` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `api.timeout`, `queries.finnish-software.timezone`
    pub key: String,
    /// As TOML; a secret is `(hidden)`, what is not set `(not set)`.
    pub value: String,
    pub origin: Origin,
}

/// A problem was found in this part and has been reported; there is nothing to go on with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reported;

/// What reading the configuration brings to light besides the settings themselves.
#[derive(Default)]
pub(super) struct Report {
    problems: Vec<Problem>,
    pub settings: Vec<Setting>,
    pub notes: Vec<String>,
    known: Vec<(&'static str, &'static str)>,
    unknown: Vec<UnknownKey>,
    stray_variables: Vec<String>,
}

/// A key that its table does not have. Judged last, when all keys of all tables are known.
pub(super) struct UnknownKey {
    /// As in `known`.
    pub table: &'static str,
    pub key: String,
    pub shown: String,
    pub origin: Origin,
    /// Whether a table stands there, and not one value.
    pub is_table: bool,
}

impl Report {
    /// A fault that several queries inherit is told once.
    pub fn problem(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    pub fn know(&mut self, table: &'static str, key: &'static str) {
        if !self.known.contains(&(table, key)) {
            self.known.push((table, key));
        }
    }

    pub fn unknown_key(&mut self, unknown: UnknownKey) {
        self.unknown.push(unknown);
    }

    pub fn stray_variable(&mut self, name: &str) {
        self.stray_variables.push(name.to_owned());
    }

    /// Every table and key that was asked for.
    #[cfg(test)]
    pub fn known(&self) -> &[(&'static str, &'static str)] {
        &self.known
    }

    /// All problems, those of unknown keys too.
    pub fn conclude(&mut self) -> Vec<Problem> {
        for unknown in std::mem::take(&mut self.unknown) {
            let problem = self.judge(unknown);
            self.problem(problem);
        }
        for name in std::mem::take(&mut self.stray_variables) {
            let problem = self.judge_variable(name);
            self.problem(problem);
        }
        std::mem::take(&mut self.problems)
    }

    fn judge(&self, unknown: UnknownKey) -> Problem {
        let thing = if unknown.is_table { "table" } else { "key" };
        let message = format!("there is no such {thing}; {}", self.what_instead(&unknown));
        Problem { key: Some(unknown.shown), message, origin: Some(unknown.origin) }
    }

    fn what_instead(&self, UnknownKey { table, key, origin, is_table, .. }: &UnknownKey) -> String {
        if let Some(meant) = self.meant(table, key, *is_table) {
            return match origin {
                Origin::Variable(_) => format!("did you mean {}?", variable_name(&[table, meant])),
                _ if table.is_empty() => format!("did you mean {}?", shown_table(meant)),
                _ => format!("did you mean {meant}?"),
            };
        }
        let homes: Vec<String> = self
            .known
            .iter()
            .filter(|(_, known)| known == key)
            .map(|(table, _)| shown_table(table))
            .collect();
        if !homes.is_empty() && !is_table {
            return format!("it belongs in {}", homes.join(" or "));
        }
        match *table {
            "" => format!("there are {}", self.keys_of("").map(shown_table).collect::<Vec<_>>().join(", ")),
            table => {
                format!("{} has {}", shown_table(table), self.keys_of(table).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Which key of `table` was probably meant. At the top only a table is one.
    fn meant(&self, table: &str, key: &str, is_table: bool) -> Option<&'static str> {
        let other = other_word(table, key).filter(|_| is_table || !table.is_empty());
        let other = other.filter(|other| self.keys_of(table).any(|key| key == *other));
        other.or_else(|| nearest(key, self.keys_of(table)))
    }

    fn keys_of(&self, table: &str) -> impl Iterator<Item = &'static str> {
        self.known.iter().filter(move |(home, _)| *home == table).map(|(_, key)| *key)
    }

    fn judge_variable(&self, name: String) -> Problem {
        let variables: Vec<String> = self
            .known
            .iter()
            .filter(|(table, _)| !["", "queries", "feeds"].contains(table))
            .map(|(table, key)| variable_name(&[*table, *key]))
            .collect();
        let one_level = |variable: &str| variable.replace("__", "_");
        let meant = variables
            .iter()
            .find(|variable| one_level(variable) == one_level(&name.to_uppercase()))
            .or_else(|| variables.iter().find(|variable| variable.starts_with(&format!("{name}__"))))
            .or_else(|| variables.iter().find(|variable| variable.ends_with(&without_table(&name))))
            .map(String::as_str)
            .or_else(|| nearest(&name, variables.iter().map(String::as_str)));
        let advice = meant.map_or_else(
            || "; a variable sets one key of one table, as VAINU_SYNC_API__TIMEOUT does, and no query".into(),
            |variable| did_you_mean(Some(variable)),
        );
        Problem {
            key: None,
            message: format!("no key belongs to this variable{advice}"),
            origin: Some(Origin::Variable(name)),
        }
    }
}

/// How the variable ends whose table `name` leaves out: `VAINU_SYNC_TIMEOUT` is `__TIMEOUT`.
fn without_table(name: &str) -> String {
    format!("__{}", name.trim_start_matches(PREFIX).to_uppercase())
}

fn shown_table(table: &str) -> String {
    match table {
        "queries" | "feeds" => format!("[[{table}]]"),
        _ => format!("[{table}]"),
    }
}
