//! The image in a real engine. It is built from the Dockerfile's last stage: no image of a compiler can be had without a
//! network.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};
use vainu_sync::sandbox::{Endpoint, Fault};

use crate::api::Api;
use crate::debian::original;
use crate::engine::Engine;
use crate::shell::until;

/// As compose.yaml does it.
const CONFINED: [&str; 5] = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];

/// The user within the image.
const USER: u32 = 10_001;

/// An engine with the image, and a store on a volume.
struct Bench {
    api: Api,
    engine: Engine,
    folder: PathBuf,
}

#[test]
fn the_image_serves_is_watched_and_stopped_without_a_right_or_a_writable_root() {
    let Some(system) = original(&["dockerd", "docker", "iptables", "tar"]) else { return };
    let bench = Bench::with_image(&system);
    bench.the_image_says_what_it_is();
    bench.the_daemon_is_healthy_and_writes_on_its_volume_alone();
    bench.its_listener_answers_whoever_reaches_it();
    bench.others_read_the_store_on_a_volume_that_nobody_can_write();
    bench.a_backup_is_restored_as_the_manual_says();
    bench.a_late_query_is_seen_as_unhealthy();
    bench.a_run_that_hangs_ends_in_time_and_cleanly();
    bench.wrong_and_unreadable_secrets_end_the_container_with_their_codes();
}

impl Bench {
    fn with_image(system: &Path) -> Self {
        let engine = Engine::start(system.parent().unwrap());
        engine.make_image(system);
        let bench = Self { api: Api::with(500), folder: engine.folder("mounted"), engine };
        bench.configure(&bench.api.configuration());
        bench.secret(&bench.api.token(), 0o400, USER);
        bench
    }

    fn configure(&self, more: &str) {
        let text = include_str!("../../deploy/config.toml").to_owned() + more;
        fs::write(self.folder.join("config.toml"), text).unwrap();
    }

    fn secret(&self, text: &str, mode: u32, owner: u32) {
        let path = self.folder.join("refresh-token");
        let _ = fs::remove_file(&path);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        chown(path, Some(owner), Some(owner)).unwrap();
    }

    /// Runs the image with these options before its name and this command after it.
    fn run(&self, options: &[&str], command: &[&str]) -> crate::shell::Ended {
        let mount = |ours: &str, theirs: &str| format!("{}:{theirs}:ro", self.folder.join(ours).display());
        let configuration = mount("config.toml", "/etc/vainu-sync/config.toml");
        let secret = mount("refresh-token", "/run/secrets/refresh-token");
        let mut args = vec!["run", "--network", "host", "--env", "VAINU_SYNC_HTTP__LISTEN="];
        args.extend(["--volume", &configuration, "--volume", &secret]);
        args.extend(options);
        args.push("vainu-sync");
        args.extend(command);
        self.engine.docker(&args)
    }

    fn start(&self, name: &str, options: &[&str]) {
        let watched = ["--health-interval", "1s", "--volume", "store:/var/lib/vainu-sync"];
        self.run(&[&["--detach", "--name", name], &watched[..], options].concat(), &[]).ok();
    }

    fn inspect(&self, name: &str, what: &str) -> String {
        self.engine.ok(&["inspect", "--format", &format!("{{{{{what}}}}}"), name]).trim().to_owned()
    }

    fn until_healthy(&self, name: &str, health: &str) {
        until(&format!("{name} is {health}"), || self.inspect(name, ".State.Health.Status") == health);
    }

    fn the_image_says_what_it_is(&self) {
        assert_eq!(self.inspect("vainu-sync", "json .Config.User"), r#""10001:10001""#);
        let version =
            self.inspect("vainu-sync", r#"index .Config.Labels "org.opencontainers.image.version""#);
        assert_eq!(version, "1.2.3");
        let version = self.run(&["--rm"], &["--version"]).ok();
        assert_eq!(version.trim(), concat!("vainu-sync ", env!("CARGO_PKG_VERSION")));
    }

    fn the_daemon_is_healthy_and_writes_on_its_volume_alone(&self) {
        self.start("confined", &CONFINED);
        self.until_members("confined");
        self.until_healthy("confined", "healthy");
        self.engine.ok(&["rm", "--force", "confined"]);
        self.start("free", &[]);
        self.until_healthy("free", "healthy");
        let written = self.engine.ok(&["diff", "free"]);
        let mounted = |line: &&str| ["/run", "/etc/vainu-sync", "C /etc"].iter().any(|at| line.contains(at));
        let strange: Vec<_> = written.lines().filter(|line| !mounted(line)).collect();
        assert_eq!(strange, Vec::<&str>::new());
        self.engine.ok(&["rm", "--force", "free"]);
    }

    /// As behind a published port: by an address that is not loopback's only, under any name but those that a page
    /// elsewhere may have.
    fn its_listener_answers_whoever_reaches_it(&self) {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let listen = format!("VAINU_SYNC_HTTP__LISTEN=0.0.0.0:{}", free.port());
        self.start("listening", &[&CONFINED[..], &["--env", &listen]].concat());
        let asked_by = |host: &str, path: &str| {
            let mut connection = TcpStream::connect(free).ok()?;
            let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            connection.write_all(request.as_bytes()).ok()?;
            let mut answer = String::new();
            connection.read_to_string(&mut answer).ok()?;
            Some(answer)
        };
        let asked = |path: &str| asked_by("vainu-sync:9464", path);
        until("it is ready", || asked("/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200 ")));
        let metrics = asked("/metrics").unwrap();
        assert!(metrics.contains("\nvainu_sync_build_info{"), "{metrics}");
        let elsewhere = asked_by("sync.example", "/").unwrap();
        assert!(elsewhere.starts_with("HTTP/1.1 421 ") && elsewhere.contains("http.hosts"), "{elsewhere}");
        self.engine.ok(&["rm", "--force", "listening"]);
    }

    fn until_members(&self, name: &str) {
        until("the first run has ended", || {
            self.engine.docker(&["exec", name, "vainu-sync", "status"]).out.contains("500 members")
        });
    }

    fn others_read_the_store_on_a_volume_that_nobody_can_write(&self) {
        self.start("daemon", &CONFINED);
        let reader = ["--rm", "--volume", "store:/var/lib/vainu-sync:ro", "--user", "4711:4711"];
        let reader = [&reader[..], &CONFINED].concat();
        let changes = self.run(&reader, &["changes", "--limit", "3", "--json"]).ok();
        assert_eq!(changes.lines().count(), 3);
        self.engine.ok(&["stop", "daemon"]);
        assert!(self.run(&reader, &["status"]).ok().contains("500 members"), "after the daemon, too");
        self.engine.ok(&["start", "daemon"]);
    }

    fn a_backup_is_restored_as_the_manual_says(&self) {
        let copied = "/var/lib/vainu-sync/vainu-1.db";
        self.engine.ok(&["exec", "daemon", "vainu-sync", "backup", copied]);
        self.engine.ok(&["cp", &format!("daemon:{copied}"), self.folder.to_str().unwrap()]);
        self.engine.ok(&["kill", "daemon"]);
        let manual = include_str!("../../docs/operations.md");
        let script = manual
            .split("--entrypoint sh vainu-sync -c \\\n    '")
            .nth(1)
            .unwrap()
            .split('\'')
            .next()
            .unwrap();
        let copy = format!("{}:/copy:ro", self.folder.display());
        let volumes = ["--rm", "--user", "0", "--volume", "store:/var/lib/vainu-sync", "--volume", &copy];
        self.run(&[&volumes[..], &["--entrypoint", "sh"]].concat(), &["-c", script]).ok();
        self.engine.ok(&["start", "daemon"]);
        self.until_members("daemon");
        let status = self.engine.ok(&["exec", "daemon", "vainu-sync", "status"]);
        assert!(status.contains("all: ok; 500 members"), "{status}");
    }

    fn a_late_query_is_seen_as_unhealthy(&self) {
        self.api.control().fail_always(Endpoint::Count, Fault::status(503));
        self.api.control().fail_always(Endpoint::Organizations, Fault::status(503));
        let volume = self.engine.ok(&["volume", "inspect", "--format", "{{.Mountpoint}}", "store"]);
        let store = Path::new(volume.trim()).join("vainu.db");
        Api::wait_for(async {
            let options = SqliteConnectOptions::new().filename(store);
            let mut store = options.connect().await.unwrap();
            let long_ago = "UPDATE runs SET started_at = '2026-01-01T00:00:00.000Z'; \
                            UPDATE _queries SET first_seen_at = '2026-01-01T00:00:00.000Z'";
            store.execute(long_ago).await.unwrap();
            store.close().await.unwrap();
        });
        self.until_healthy("daemon", "unhealthy");
        let log = self.inspect("daemon", "json .State.Health.Log");
        assert!(log.contains("all: LATE"), "{log}");
        self.api.control().heal();
        self.engine.ok(&["rm", "--force", "daemon"]);
    }

    fn a_run_that_hangs_ends_in_time_and_cleanly(&self) {
        self.api.control().fail_always(Endpoint::Organizations, Fault::Stall);
        self.configure(&(self.api.configuration() + &Api::query("other")));
        let before = self.api.control().hits(Endpoint::Organizations);
        self.start("hung", &CONFINED);
        until("a page is asked for", || self.api.control().hits(Endpoint::Organizations) > before);
        self.engine.ok(&["stop", "--time", "5", "hung"]);
        assert_eq!(self.inspect("hung", ".State.ExitCode"), "0", "137 would be a kill");
        self.api.control().heal();
        self.configure(&self.api.configuration());
    }

    fn wrong_and_unreadable_secrets_end_the_container_with_their_codes(&self) {
        let run =
            || self.run(&[&["--rm", "--volume", "store:/var/lib/vainu-sync"], &CONFINED[..]].concat(), &[]);
        self.secret("no token of anybody's", 0o400, USER);
        let refused = run();
        assert_eq!(refused.code, Some(77), "{}", refused.err);
        assert!(refused.err.contains("get a new refresh token"), "{}", refused.err);
        self.secret(&self.api.token(), 0o400, 0);
        let unreadable = run();
        assert_eq!(unreadable.code, Some(78), "{}", unreadable.err);
        assert!(unreadable.err.contains("/run/secrets/refresh-token"), "{}", unreadable.err);
        assert!(unreadable.err.contains("may not be read by this user"), "{}", unreadable.err);
    }
}
