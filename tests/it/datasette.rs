//! Datasette, with the metadata that comes with the program, on a store that a daemon works with.
//!
//! The variable `VAINU_SYNC_DATASETTE` names the program; without it the test is skipped.

use std::env;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::bench::Bench;
use crate::life::Service;
use crate::listener::read;
use crate::program::{until, vainu_sync};
use crate::questions::{at_first, six_nights};

/// Each question that stands ready, with what is to be filled in, and the rows that it then has.
const QUESTIONS: [(&str, &str, usize); 10] = [
    ("new_this_week", "query=finnish-software", 4),
    ("left_lately", "query=finnish-software", 1),
    ("revenue_grew", "query=finnish-software", 2),
    ("in_two_queries", "query=finnish-software&other_query=finnish-exporters", 12),
    ("another_website", "query=finnish-software", 1),
    ("stale_queries", "", 1),
    ("companies_by_city", "query=finnish-software", 2),
    ("one_company", "business_id=FI10000005", 3),
    ("members_at_a_date", "query=finnish-software", 19),
    ("members_over_time", "query=finnish-software", 6),
];

/// A Datasette that serves a bench's store.
struct Datasette {
    child: Child,
    address: SocketAddr,
}

impl Datasette {
    /// `None`, said, where there is none.
    async fn serve(bench: &Bench) -> Option<Self> {
        let Some(program) = env::var_os("VAINU_SYNC_DATASETTE").filter(|named| !named.is_empty()) else {
            eprintln!("skipped: name a datasette's program in VAINU_SYNC_DATASETTE (pip install datasette)");
            return None;
        };
        let (program, log) = (PathBuf::from(program), bench.folder.path().join("datasette.log"));
        let metadata = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/datasette.yaml");
        let mut command = Command::new(std::path::absolute(&program).unwrap());
        command.args(["serve", "--host", "127.0.0.1", "--port", "0", "--metadata"]).arg(metadata);
        command.arg(bench.store_path()).current_dir(bench.folder.path());
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
        command.env("HOME", bench.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let address = || {
            let log = fs::read_to_string(&log).unwrap();
            log.split_once("running on http://")?.1.split_whitespace().next()?.parse().ok()
        };
        let mut datasette = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        until("Datasette listens", async || {
            assert_eq!(datasette.child.try_wait().unwrap(), None, "{}", fs::read_to_string(&log).unwrap());
            address().is_some()
        })
        .await;
        datasette.address = address().unwrap();
        Some(datasette)
    }

    async fn json(&self, path: &str) -> Value {
        let (status, text) = read(self.address, path).await;
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
    }

    /// The rows of a question.
    async fn answer(&self, question: &str, filled_in: &str) -> Vec<Value> {
        let rows = self.json(&format!("/vainu/{question}.json?{filled_in}&_shape=array")).await;
        rows.as_array().unwrap_or_else(|| panic!("{question}: {rows}")).clone()
    }
}

impl Drop for Datasette {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn datasette_answers_the_ten_questions_beside_the_daemon_and_sees_what_it_writes() {
    let now = Timestamp::now();
    let bench = six_nights(now).await;
    let daemon = Service::start(&bench);
    until("the daemon plans", async || daemon.log().contains("next run")).await;
    let Some(datasette) = Datasette::serve(&bench).await else {
        assert_eq!(daemon.stop().await, Some(0));
        return;
    };
    let date = (now - SignedDuration::from_hours(24 * 15)).strftime("%F").to_string();
    for (question, filled_in, rows) in QUESTIONS {
        let filled_in = if question == "members_at_a_date" {
            format!("{filled_in}&date={date}")
        } else {
            filled_in.to_owned()
        };
        let answer = datasette.answer(question, &filled_in).await;
        assert_eq!(answer.len(), rows, "{question}: {answer:?}");
    }
    let database = datasette.json("/vainu.json").await;
    let tables = database["tables"].as_array().unwrap();
    assert!(tables.len() > 8, "{database}");
    for table in tables {
        let name = table["name"].as_str().unwrap();
        let is_internal = name.starts_with('_') || name.starts_with("sqlite_");
        assert_eq!(table["hidden"], is_internal, "{table}");
    }
    let (_, page) = read(datasette.address, "/vainu").await;
    for words in ["Who is new this week?", "members_finnish_software", "latest_changes"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let (_, page) = read(datasette.address, "/vainu/changes").await;
    assert!(page.contains("The change log.") && page.contains("created, entered, updated or left"), "{page}");

    // A run beside both of them is seen at once.
    bench.control.set_rows("FI", at_first((1..=24).filter(|number| *number != 2)));
    let sync = vainu_sync(&bench, &["sync", "finnish-software"]).await;
    assert_eq!(sync.code, Some(0), "{}{}", sync.out, sync.err);
    let newest = datasette.answer("new_this_week", "query=finnish-software").await;
    assert_eq!((newest.len(), &newest[0]["name"]), (5, &"Company 24".into()), "{newest:?}");
    assert_eq!(daemon.stop().await, Some(0));
}
