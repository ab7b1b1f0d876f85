//! The sandbox as the API that the service asks.

use std::sync::LazyLock;

use tokio::runtime::Runtime;
use vainu_sync::sandbox::{Control, Options, Sandbox, World};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

pub struct Api {
    sandbox: Sandbox,
}

impl Api {
    /// With so many companies.
    pub fn with(size: u32) -> Self {
        let options = Options { world: World::Generated { size }, ..Options::default() };
        Self { sandbox: RUNTIME.block_on(Sandbox::start(options)).unwrap() }
    }

    /// Waits for what is no thread's work.
    pub fn wait_for<T>(work: impl Future<Output = T>) -> T {
        RUNTIME.block_on(work)
    }

    pub fn token(&self) -> String {
        self.sandbox.refresh_token()
    }

    pub fn client_id(&self) -> String {
        self.sandbox.client_id()
    }

    pub fn client_secret(&self) -> String {
        self.sandbox.client_secret()
    }

    pub fn control(&self) -> Control {
        self.sandbox.control()
    }

    /// What somebody adds to the configuration that comes with the program.
    pub fn configuration(&self) -> String {
        format!(
            "\n[api]\nbase_url = {:?}\nretry_for = \"2s\"\n{}",
            self.sandbox.base_url(),
            Self::query("all")
        )
    }

    /// A query for everything in FI.
    pub fn query(name: &str) -> String {
        format!(
            "\n[[queries]]\nname = {name:?}\ndatabase = \"FI\"\nquery = '{{\"?ALL\": []}}'\n\
             fields = [\"name\", \"website\"]\nschedule = \"@daily\"\n"
        )
    }
}
