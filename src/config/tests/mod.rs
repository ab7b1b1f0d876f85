mod credentials;
mod example;
mod layering;
mod payload;

use std::path::Path;

use tempfile::TempDir;

use super::{ConfigError, Environment, Flags, Loaded, load};

/// The shortest query that is right.
const QUERY: &str = "[[queries]]\nname = 'all'\ndatabase = 'FI'\nquery = '{\"?ALL\": []}'\nfields = ['name']\nschedule = '@daily'\n";

/// A folder with a `config.toml` and nothing of this machine around it.
struct Folder(TempDir);

impl Folder {
    fn with(text: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("config.toml", text);
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn environment(&self) -> Environment {
        Environment::in_directory(self.path()).with_root(self.path().join("root"))
    }

    fn load(&self) -> Result<Loaded, ConfigError> {
        load(&Flags::default(), &self.environment())
    }

    fn load_with(&self, variables: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
        let with = |environment: Environment, (name, value): &(&str, &str)| environment.with(name, value);
        load(&Flags::default(), &variables.iter().fold(self.environment(), with))
    }
}

/// What `check` would show of one setting: its value and where it came from.
fn origin(loaded: &Loaded, key: &str) -> (String, String) {
    let setting = loaded.origins.iter().find(|setting| setting.key == key).unwrap();
    (setting.value.clone(), setting.origin.to_string())
}
