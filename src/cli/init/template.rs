//! The configuration that `init` writes.

use toml::Value;

use super::plan::Auth;
use crate::config::view_name;
use crate::organization::Database;

/// What differs from one configuration to another.
pub struct Contents<'a> {
    pub auth: &'a Auth,
    /// Keys of `[api]` that are not at their defaults.
    pub api: Vec<(&'static str, &'a str)>,
    pub store: &'a str,
    pub database: Database,
}

/// What goes before the first question: enough to find a credential by, and quiet.
pub fn bare(client_id: Option<&str>) -> String {
    let id = client_id.map(|id| format!("client_id = {}\n", quoted(id))).unwrap_or_default();
    format!("[auth]\n{id}[log]\nlevel = \"warn\"\n")
}

/// The whole text.
pub fn configuration(contents: &Contents<'_>) -> String {
    let Example { people, currency, timezone } = Example::of(contents.database);
    let name = format!("{people}-companies-over-100m");
    format!(
        r#"# Written by `vainu-sync init`. Every key and its default is in config.example.toml; `vainu-sync check` shows
# each setting and where it came from.
{api}
[auth]
{auth}
[store]
# One SQLite file: the companies, and a log of what changed.
path = {store}

# A saved query is such a table. This one is an example: change it, and copy it for further ones.
[[queries]]
# The letters a to z, digits and hyphens. It names the query in commands, and its view in the store:
# {view}.
name = "{name}"
database = "{database}"
# What is asked, as VQL: here a revenue of at least 100 million {currency}.
query = '{{"?GTE": {{"financial_data.revenue": 100000000}}}}'
# In its place, the id of a list saved in Vainu, or a file with a request as Vainu's own client takes it:
# list = "0123456789abcdef01234567"
# payload_file = "request.json"
# What is kept of each company; business_id always is.
fields = ["name", "website", "financial_data.revenue", "business_units.visiting_address"]
# As in crontab: each night at three, in this time zone.
schedule = "0 3 * * *"
timezone = "{timezone}"
"#,
        api = api(&contents.api),
        auth = auth(contents.auth),
        store = quoted(contents.store),
        view = view_name(&name),
        database = contents.database,
    )
}

/// The name of the query in [`configuration`].
pub fn query_name(database: Database) -> String {
    format!("{}-companies-over-100m", Example::of(database).people)
}

fn api(keys: &[(&'static str, &str)]) -> String {
    let lines: Vec<String> = keys.iter().map(|(key, value)| format!("{key} = {}\n", quoted(value))).collect();
    if lines.is_empty() { String::new() } else { format!("\n[api]\n{}", lines.concat()) }
}

fn auth(auth: &Auth) -> String {
    let id = auth.client_id.as_ref().map(|id| format!("client_id = {}\n", quoted(id))).unwrap_or_default();
    let secret = match (&auth.found, &auth.client_id) {
        (Some(place), _) => format!(
            "# The credential is in {place}.\n# Whatever runs vainu-sync needs that too: a service as \
             much as a shell.\n"
        ),
        (None, Some(_)) => format!("client_secret_file = {:?}\n", auth.secret_file()),
        (None, None) => format!(
            "# From Vainu's user interface. Before it ends, put a new one into the file; no restart is \
             needed.\nrefresh_token_file = {:?}\n",
            auth.secret_file()
        ),
    };
    format!("{id}{secret}")
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// What the example says of a database's country.
struct Example {
    people: &'static str,
    currency: &'static str,
    timezone: &'static str,
}

impl Example {
    const fn of(database: Database) -> Self {
        let (people, currency, timezone) = match database {
            Database::Fi => ("finnish", "euros", "Europe/Helsinki"),
            Database::Se => ("swedish", "Swedish kronor", "Europe/Stockholm"),
            Database::No => ("norwegian", "Norwegian kroner", "Europe/Oslo"),
            Database::Dk => ("danish", "Danish kroner", "Europe/Copenhagen"),
            Database::Nl => ("dutch", "euros", "Europe/Amsterdam"),
        };
        Self { people, currency, timezone }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::settings::{Credential, Secret};
    use crate::config::{ConfigError, Environment, Flags, Loaded, load_text};

    const HERE: &str = "/srv/vainu/config.toml";

    fn judge(text: &str) -> Result<Loaded, ConfigError> {
        let environment = Environment::in_directory("/nowhere").with_root("/nowhere");
        load_text(Path::new(HERE), text, &Flags::default(), &environment)
    }

    fn load(text: &str) -> Loaded {
        judge(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn written(auth: &Auth, database: Database) -> String {
        configuration(&Contents { auth, api: vec![], store: "vainu.db", database })
    }

    fn auth(client_id: Option<&str>, found: Option<&str>) -> Auth {
        Auth { client_id: client_id.map(str::to_owned), found: found.map(str::to_owned) }
    }

    #[test]
    fn what_is_written_is_right_for_each_database() {
        for database in Database::ALL {
            let settings = load(&written(&auth(None, None), database)).settings;
            let [query] = &settings.queries[..] else { panic!("{} queries", settings.queries.len()) };
            assert_eq!((query.database, query.name.clone()), (database, query_name(database)));
            assert_ne!(query.timezone_name, "UTC");
            assert_eq!(settings.store.path, Path::new("/srv/vainu/vainu.db"));
        }
    }

    #[test]
    fn each_kind_of_credential_is_read_as_it_is_meant() {
        let token = load(&written(&auth(None, None), Database::Fi)).settings.credential;
        let Some(Credential::RefreshToken(Secret::File(path))) = token else { panic!("{token:?}") };
        assert_eq!(path, Path::new("/srv/vainu/refresh-token"));
        let client = load(&written(&auth(Some("a \"b\" \\c"), None), Database::Fi)).settings.credential;
        let Some(Credential::Client { id, secret: Secret::File(path) }) = client else {
            panic!("{client:?}")
        };
        assert_eq!((id.as_str(), path.as_path()), ("a \"b\" \\c", Path::new("/srv/vainu/client-secret")));
        let found = load(&written(&auth(None, Some("the variable X")), Database::Fi));
        assert!(found.settings.credential.is_none());
    }

    #[test]
    fn what_is_not_as_by_default_is_written_in_full() {
        let auth = auth(None, None);
        let api = vec![("base_url", "http://127.0.0.1:8080/api")];
        let contents = Contents { auth: &auth, api, store: "/data/it's \"mine\".db", database: Database::Fi };
        let settings = load(&configuration(&contents)).settings;
        assert_eq!(settings.api.base_url, "http://127.0.0.1:8080/api");
        assert_eq!(settings.store.path, Path::new("/data/it's \"mine\".db"));
    }

    #[test]
    fn each_way_to_ask_that_is_commented_out_is_a_key_of_a_query() {
        let text = written(&auth(None, None), Database::Fi);
        let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap();
        load(&text.replace(line("query = "), &line("# list = ")[2..]));
        let error = judge(&text.replace(line("query = "), &line("# payload_file = ")[2..])).unwrap_err();
        assert!(error.to_string().contains("request.json: there is no such file"), "{error}");
    }

    #[test]
    fn lines_are_short_enough_for_any_terminal() {
        for auth in [auth(None, None), auth(Some("id"), None), auth(None, Some("the variable X"))] {
            for line in written(&auth, Database::No).lines() {
                assert!(line.chars().count() <= 110, "{line}");
            }
        }
    }
}
