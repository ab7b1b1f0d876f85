//! Nothing secret is left behind, whatever happens.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use vainu_sync::sandbox::{Endpoint, Fault, Rotation, Sandbox};

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::{ended, program};

/// A way to give the credential: variables, lines of `[auth]`, files.
struct Way {
    variables: Vec<(&'static str, String)>,
    auth: String,
    file: Option<(&'static str, String)>,
}

fn ways(sandbox: &Sandbox) -> Vec<Way> {
    let (token, secret) = (sandbox.refresh_token(), sandbox.client_secret());
    let client = format!("client_id = \"{}\"", sandbox.client_id());
    let way = |variables, auth: &str, file| Way { variables, auth: auth.to_owned(), file };
    vec![
        way(vec![], &format!("refresh_token = \"{token}\""), None),
        way(vec![], "refresh_token_file = \"secret\"", Some(("secret", token.clone()))),
        way(vec![("VAINU_SYNC_AUTH__REFRESH_TOKEN", token.clone())], "", None),
        way(vec![("VAINU_JWT_REFRESH_TOKEN", token)], "", None),
        way(vec![], &format!("{client}\nclient_secret = \"{secret}\""), None),
        way(vec![], &format!("{client}\nclient_secret_file = \"secret\""), Some(("secret", secret.clone()))),
        way(vec![("VAINU_SYNC_AUTH__CLIENT_SECRET", secret)], &client, None),
    ]
}

impl Way {
    fn lay_out(&self, bench: &Bench) {
        let folder = bench.folder.path();
        let base = bench.sandbox.base_url();
        let text =
            format!("[api]\nbase_url = \"{base}\"\nretry_for = \"0s\"\n[auth]\n{}\n{ALL_OF_FI}", self.auth);
        write_private(&folder.join("config.toml"), &text);
        if let Some((name, secret)) = &self.file {
            write_private(&folder.join(name), secret);
        }
    }

    /// What the program says of `args`, at the most talkative level, and what its command line shows.
    async fn run(&self, bench: &Bench, args: &[&str]) -> String {
        let mut command = program(bench.folder.path());
        // By its name, a library is asked for everything that it could say.
        command
            .args(["--log", "trace,hyper=trace,h2=trace,reqwest=trace,rustls=trace,sqlx=trace"])
            .args(args);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.env("RUST_BACKTRACE", "full");
        let shown = format!("{:?}", command.get_args().collect::<Vec<_>>());
        let ended = ended(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap());
        format!("{shown}\n{}\n{}", ended.out, ended.err)
    }
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Every file below `folder`, but for those in which the user put a secret or the server's successor is kept.
fn left_behind(folder: &Path) -> BTreeMap<PathBuf, String> {
    let own = ["config.toml", "secret", "vainu.db.token"];
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| !own.iter().any(|own| path.ends_with(own)));
    files.map(|path| (path.clone(), String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned())).collect()
}

/// No access token and no secret of the user's is in `text`. All tokens of the sandbox begin alike.
#[track_caller]
fn expect_clean(text: &str, secrets: &[String], place: &str) {
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "the secret is in {place}: {text}");
    }
    assert!(!text.contains("eyJ"), "a token is in {place}: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_in_what_runs_say_store_or_leave_behind() {
    let bench = Bench::with_rows(numbered(30), ALL_OF_FI).await;
    let secrets = [bench.sandbox.refresh_token(), bench.sandbox.client_secret()];
    assert!(secrets[0].starts_with("eyJ"), "{}", secrets[0]);
    for way in ways(&bench.sandbox) {
        way.lay_out(&bench);
        let mut said = Vec::new();
        for fault in [None, Some(400), Some(403), Some(500)] {
            for endpoint in [Endpoint::Token, Endpoint::OAuthToken, Endpoint::Organizations] {
                if let Some(status) = fault {
                    // A server that quotes what it was sent, if at all.
                    let quoted = if endpoint == Endpoint::Organizations { "" } else { &secrets.join(" ") };
                    let words = format!("you sent {quoted}");
                    bench
                        .control
                        .fail_always(endpoint, Fault::json(status, format!("{{\"detail\":\"{words}\"}}")));
                }
                if fault.is_some() || endpoint == Endpoint::Token {
                    said.push(way.run(&bench, &["sync"]).await);
                }
                bench.control.heal();
            }
        }
        for args in [&["check", "--online"][..], &["status", "--json"], &["changes", "--json"], &["sync"]] {
            said.push(way.run(&bench, args).await);
        }
        assert!(said.iter().any(|said| said.contains("succeeded")), "no run succeeded by {}", way.auth);
        for said in &said {
            expect_clean(said, &secrets, "what was said");
        }
        for (path, text) in left_behind(bench.folder.path()) {
            expect_clean(&text, &secrets, &path.display().to_string());
        }
    }
    for request in bench.control.requests() {
        expect_clean(&request.target, &secrets, "an address");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_quotes_the_access_token_is_not_quoted_with_it() {
    let bench = Bench::with_rows(numbered(3), ALL_OF_FI).await;
    let way = Way {
        variables: vec![],
        auth: format!("refresh_token = \"{}\"", bench.sandbox.refresh_token()),
        file: None,
    };
    way.lay_out(&bench);
    bench.control.on_request(Endpoint::Organizations, 1, |control| {
        let asked = control.requests_to(Endpoint::Organizations);
        let bearer = asked[0].header("authorization").unwrap();
        let detail = format!("{{\"detail\":\"{bearer} may not use the field name\"}}");
        control.fail_always(Endpoint::Organizations, Fault::json(403, detail));
    });
    let said = way.run(&bench, &["sync"]).await;
    assert!(said.contains("… may not use the field name"), "{said}");
    expect_clean(&said, &[bench.sandbox.refresh_token()], "what was said");
    let errors = bench.texts("SELECT coalesce(error, '') FROM runs").await.join("\n");
    expect_clean(&errors, &[bench.sandbox.refresh_token()], "runs.error");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_token_that_rotates_only_the_successor_is_written_and_only_to_its_file() {
    let bench = Bench::with_rows(numbered(3), ALL_OF_FI).await;
    bench.control.switch(|switches| switches.rotation = Rotation::OldEnds);
    let configured = bench.sandbox.refresh_token();
    let way = Way { variables: vec![], auth: format!("refresh_token = \"{configured}\""), file: None };
    way.lay_out(&bench);
    let said = way.run(&bench, &["sync"]).await;
    expect_clean(&said, &[], "what was said");
    for (path, text) in left_behind(bench.folder.path()) {
        expect_clean(&text, &[], &path.display().to_string());
    }
    let kept = fs::read_to_string(bench.folder.path().join("vainu.db.token")).unwrap();
    assert!(kept.contains(&bench.sandbox.refresh_token()) && !kept.contains(&configured));
}
