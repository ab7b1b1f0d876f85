//! The first run, without a terminal.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use tempfile::TempDir;
use vainu_sync::sandbox::{Endpoint, Fault, Options, Rotation, Sandbox, World};

use crate::program::{Ended, ended, program, signal, until};

/// A folder without a configuration, and an API.
pub struct Beginning {
    pub folder: TempDir,
    pub sandbox: Sandbox,
}

impl Beginning {
    pub async fn start() -> Self {
        let options = Options { world: World::Generated { size: 300 }, ..Options::default() };
        Self { folder: TempDir::new().unwrap(), sandbox: Sandbox::start(options).await.unwrap() }
    }

    /// Runs the program with this on stdin and these variables alone.
    async fn run(&self, args: &[&str], stdin: impl Into<Vec<u8>>, variables: &[(&str, &str)]) -> Ended {
        let mut command = program(self.folder.path());
        command.args(args).envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let stdin = stdin.into();
        let output = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            // The program may end without reading.
            let _ = child.stdin.take().unwrap().write_all(&stdin);
            child.wait_with_output().unwrap()
        });
        ended(output.await.unwrap())
    }

    /// `init` against the sandbox.
    pub async fn init(&self, args: &[&str], stdin: impl Into<Vec<u8>>) -> Ended {
        let url = self.sandbox.base_url();
        self.run(&[&["init"], args].concat(), stdin, &[("VAINU_SYNC_API__BASE_URL", &url)]).await
    }

    /// The names in the folder, but for what keeps a rotated token beside the store.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| !name.starts_with("vainu.db.token")).collect();
        names.sort();
        names
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    fn mode(&self, name: &str) -> u32 {
        self.folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_on_stdin_becomes_a_configuration_that_works_at_once() {
    let beginning = Beginning::start().await;
    let token = beginning.sandbox.refresh_token();
    let init = beginning.init(&["--database", "FI"], format!("\u{feff} {token}\r\n")).await;
    assert_eq!(init.code, Some(0), "{}", init.err);
    assert_eq!(beginning.files(), ["config.toml", "refresh-token"]);
    assert_eq!((beginning.mode("refresh-token"), beginning.mode("config.toml") & 0o022), (0o600, 0));
    assert_eq!(beginning.read("refresh-token"), format!("{token}\n"));
    let lives = ["29", "30"].map(|days| format!("Days left of the token: {days}."));
    assert!(lives.iter().any(|line| init.out.contains(line)), "{}", init.out);
    assert!(init.out.contains("vainu-sync sync") && init.out.contains("vainu-sync check"), "{}", init.out);
    for shown in [init.out, init.err, beginning.read("config.toml")] {
        assert!(!shown.contains(&token), "{shown}");
    }
    let check = beginning.run(&["check"], "", &[]).await;
    assert_eq!(check.code, Some(0), "{}", check.err);
    assert!(check.out.contains("Europe/Helsinki") && !check.out.contains("credential"), "{}", check.out);
    let sync = beginning.run(&["sync"], "", &[]).await;
    assert_eq!(sync.code, Some(0), "{}", sync.err);
    assert!(sync.out.starts_with("finnish-companies-over-100m: succeeded"), "{}", sync.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_vainus_own_client_set_up_is_asked_for_nothing() {
    let beginning = Beginning::start().await;
    let (url, token) = (beginning.sandbox.base_url(), beginning.sandbox.refresh_token());
    let variables = [("VAINU_BASE_URL", url.as_str()), ("VAINU_JWT_REFRESH_TOKEN", token.as_str())];
    let init = beginning.run(&["init", "--database", "SE"], "not read", &variables).await;
    assert_eq!(init.code, Some(0), "{}", init.err);
    assert!(init.err.contains("the variable VAINU_JWT_REFRESH_TOKEN"), "{}", init.err);
    assert_eq!(beginning.files(), ["config.toml"]);
    let text = beginning.read("config.toml");
    assert!(text.contains("VAINU_JWT_REFRESH_TOKEN") && !text.contains(&token), "{text}");
    let sync = beginning.run(&["sync"], "", &variables[1..]).await;
    assert_eq!(sync.code, Some(0), "{}", sync.err);
    assert_eq!(beginning.run(&["sync"], "", &[]).await.code, Some(78));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_a_single_company_is_said_to_be_strange() {
    let beginning = Beginning::start().await;
    beginning.sandbox.control().set_rows("NO", vec![]);
    let init = beginning.init(&["--database", "NO"], beginning.sandbox.refresh_token()).await;
    assert_eq!(init.code, Some(0), "{}", init.err);
    assert!(init.out.contains("no company at all") && init.out.contains("database NO"), "{}", init.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_systemd_lays_out_is_used_where_it_lies() {
    let beginning = Beginning::start().await;
    fs::create_dir(beginning.folder.path().join("credentials")).unwrap();
    let file = beginning.folder.path().join("credentials/client-secret");
    fs::write(&file, beginning.sandbox.client_secret()).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    let (url, id) = (beginning.sandbox.base_url(), beginning.sandbox.client_id());
    let variables = [("VAINU_SYNC_API__BASE_URL", url.as_str()), ("CREDENTIALS_DIRECTORY", "credentials")];
    let args = ["init", "--database", "FI", "--client-id", &id];
    let init = beginning.run(&args, "", &variables).await;
    assert_eq!(init.code, Some(0), "{}", init.err);
    assert!(init.err.contains("credentials/client-secret"), "{}", init.err);
    assert_eq!(beginning.files(), ["config.toml", "credentials"]);
    assert_eq!(beginning.run(&["sync"], "", &variables[1..]).await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn client_credentials_are_asked_for_by_their_id() {
    let beginning = Beginning::start().await;
    let id = beginning.sandbox.client_id();
    let args = ["--client-id", &id, "--database", "NL"];
    let init = beginning.init(&args, beginning.sandbox.client_secret()).await;
    assert_eq!(init.code, Some(0), "{}", init.err);
    assert!(init.out.contains("client credentials") && !init.out.contains("Days left"), "{}", init.out);
    assert_eq!(beginning.files(), ["client-secret", "config.toml"]);
    assert_eq!(beginning.mode("client-secret"), 0o600);
    let sync = beginning.run(&["sync"], "", &[]).await;
    assert_eq!(sync.code, Some(0), "{}", sync.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_would_win_over_what_is_asked_for_is_told_before_anything_is_asked() {
    let beginning = Beginning::start().await;
    for name in ["VAINU_SYNC_AUTH__REFRESH_TOKEN", "VAINU_SYNC_AUTH__CLIENT_ID"] {
        let args = ["init", "--database", "FI", "--client-id", "mine"];
        let init = beginning.run(&args, "secret", &[(name, "other")]).await;
        assert_eq!(init.code, Some(2), "{}", init.err);
        assert!(init.err.contains(name) && init.err.contains("--client-id"), "{}", init.err);
    }
    assert!(beginning.files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_work_is_never_written() {
    let beginning = Beginning::start().await;
    let (control, token) = (beginning.sandbox.control(), beginning.sandbox.refresh_token());
    let refused = beginning.init(&["--database", "FI"], "no.such.token").await;
    assert_eq!(refused.code, Some(77));
    assert!(refused.err.contains("refused the credentials"), "{}", refused.err);

    let detail = r#"{"detail":"Insufficient permissions for database: SE","status_code":403}"#;
    control.fail_always(Endpoint::Organizations, Fault::json(403, detail));
    let forbidden = beginning.init(&["--database", "SE"], token.as_str()).await;
    assert_eq!(forbidden.code, Some(1));
    assert!(forbidden.err.contains("may not use database SE: Insufficient"), "{}", forbidden.err);
    control.heal();

    // Longer than anyone waits at a prompt, though not than retry_for.
    control.fail_always(Endpoint::Organizations, Fault::retry_after(503, "60"));
    let down = beginning.init(&["--database", "FI"], token.as_str()).await;
    assert_eq!(down.code, Some(75), "{}", down.err);
    assert!(down.err.contains("no configuration and no secret file were written"), "{}", down.err);
    assert!(beginning.files().is_empty(), "{:?}", beginning.files());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_spent_by_trying_it_goes_on_working() {
    let beginning = Beginning::start().await;
    let (control, token) = (beginning.sandbox.control(), beginning.sandbox.refresh_token());
    control.switch(|switches| switches.rotation = Rotation::OldEnds);
    control.fail(Endpoint::Organizations, Fault::status(403), 1);
    assert_eq!(beginning.init(&["--database", "SE"], token.as_str()).await.code, Some(1));
    let init = beginning.init(&["--database", "FI"], token.as_str()).await;
    assert_eq!(init.code, Some(0), "{}", init.err);
    let sync = beginning.run(&["sync"], "", &[]).await;
    assert_eq!(sync.code, Some(0), "{}", sync.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_there_is_overwritten_or_asked_beside() {
    for name in ["config.toml", "refresh-token"] {
        let beginning = Beginning::start().await;
        fs::write(beginning.folder.path().join(name), "mine").unwrap();
        let init = beginning.init(&["--database", "FI"], beginning.sandbox.refresh_token()).await;
        assert_eq!(init.code, Some(1), "{}", init.err);
        assert!(init.err.contains(&format!("{name} is there already")), "{}", init.err);
        assert_eq!(beginning.files(), [name]);
        assert_eq!(beginning.read(name), "mine");
        assert_eq!(beginning.sandbox.control().hits(Endpoint::Token), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_the_database_is_named_by_its_flag() {
    let beginning = Beginning::start().await;
    for (args, told) in [
        (&[][..], "--database: FI, SE, NO, DK or NL"),
        (&["--database", "Finland"], "did you mean FI?"),
        (&["--database", "EE"], "there are FI, SE, NO, DK and NL"),
    ] {
        let init = beginning.init(args, beginning.sandbox.refresh_token()).await;
        assert_eq!(init.code, Some(2), "{}", init.err);
        assert!(init.err.contains(told), "{}", init.err);
    }
    assert!(beginning.files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_secret_is_refused_unsent_and_not_shown() {
    let beginning = Beginning::start().await;
    for (stdin, told) in [
        (&b""[..], "is empty"),
        (b"\xef\xbb\xbf \r\n", "is empty"),
        (b"hush\nhush\n", "one line"),
        (b"hu\0sh", "control character"),
        (b"hush\xff", "not UTF-8"),
    ] {
        let init = beginning.init(&["--database", "FI"], stdin).await;
        assert_eq!(init.code, Some(78), "{}", init.err);
        assert!(init.err.contains(told) && !init.err.contains("hush"), "{}", init.err);
    }
    assert_eq!(beginning.sandbox.control().hits(Endpoint::Token), 0);
    assert!(beginning.files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_place_and_another_store_are_named_in_what_is_written_and_told() {
    let beginning = Beginning::start().await;
    let token = beginning.sandbox.refresh_token();
    let args = ["--config", "my conf/vainu.toml", "--store", "my.db", "--database", "DK"];
    let missing = beginning.init(&args, token.as_str()).await;
    assert_eq!(missing.code, Some(1));
    assert!(missing.err.contains("there is no folder") && missing.err.contains("my conf"), "{}", missing.err);
    fs::create_dir(beginning.folder.path().join("my conf")).unwrap();
    let init = beginning.init(&args, token.as_str()).await;
    assert_eq!(init.code, Some(0), "{}", init.err);
    assert!(init.out.contains("vainu-sync --config 'my conf/vainu.toml' sync"), "{}", init.out);
    assert_eq!(beginning.read("my conf/refresh-token"), format!("{token}\n"));
    let sync = beginning.run(&["--config", "my conf/vainu.toml", "sync"], "", &[]).await;
    assert_eq!(sync.code, Some(0), "{}", sync.err);
    assert!(beginning.folder.path().join("my.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_wait_for_a_token_that_does_not_come() {
    let beginning = Beginning::start().await;
    let mut command = program(beginning.folder.path());
    command.args(["init", "--database", "FI"]).stdin(Stdio::piped());
    let log = fs::File::create(beginning.folder.path().join("stderr")).unwrap();
    let mut child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
    until("it reads stdin", async || beginning.read("stderr").contains("from stdin")).await;
    signal(&child, "TERM");
    until("it ends", async || child.try_wait().unwrap().is_some()).await;
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(beginning.read("stderr").contains("no configuration and no secret file were written"));
    assert_eq!(beginning.files(), ["stderr"]);
}
