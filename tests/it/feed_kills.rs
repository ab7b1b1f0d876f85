//! The process killed at random moments while it writes feeds: `VAINU_SYNC_KILLS=200 cargo test --test it feed_kills`
//! kills more often than the 30 of a plain run.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use vainu_sync::sandbox::World;

use crate::bench::{Bench, named};
use crate::consumer::{Consumer, Row, feed, folder};
use crate::kills;
use crate::program::{program, vainu_sync};

/// Kills `feed` so often, each time so many milliseconds after its begin, while days pass; then lets it end.
pub async fn kill_feeds(
    bench: &Bench,
    kills: u32,
    after: impl Fn(u64) -> u64,
    mut when_killed: impl FnMut(),
) {
    let mut midway = 0;
    for kill in 0..u64::from(kills) {
        if kill % 5 == 0 {
            bench.control.set_day(bench.control.day() + 2);
            bench.sync().await;
        }
        let args = if kill % 3 == 0 { &["feed"][..] } else { &["feed", "--snapshot"] };
        let mut command = program(bench.folder.path());
        let mut child = command.args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(after(kill))).await;
        child.kill().unwrap();
        midway += u32::from(child.wait().unwrap().code().is_none());
        when_killed();
    }
    assert!(midway > 3, "only {midway} kills met a process at work");
    let done = vainu_sync(bench, &["feed"]).await;
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_the_files_tell_the_members_and_never_change() {
    let columns = "Name = \"name\"\nStaff = \"staff_number\"";
    let queries = [
        named("all", r#"["name", "staff_number"]"#)
            .replace("[[queries]]", "[[queries]]\nmax_departures = \"100%\""),
        feed("crm", "[\"all\"]", "", columns),
        feed("whole", "[\"all\"]", "content = \"snapshot\"", columns),
    ];
    let bench = Bench::start(World::Generated { size: 6000 }, &queries.concat()).await;
    let folder = folder(&bench);
    let mut consumer = Consumer::default();
    kill_feeds(&bench, kills::wanted(30), |kill| kill * 37 % 300, || consumer.take(&folder, "crm")).await;
    consumer.take(&folder, "crm");
    let members: BTreeMap<String, Row> = bench
        .members("all")
        .await
        .into_iter()
        .map(|(id, document)| {
            let document: serde_json::Value = serde_json::from_str(&document).unwrap();
            let cell = |key: &str| match &document[key] {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Null => String::new(),
                other => other.to_string(),
            };
            (id, Row::from([("Name".into(), cell("name")), ("Staff".into(), cell("staff_number"))]))
        })
        .collect();
    assert!(members == consumer.rows, "{} members, {} told", members.len(), consumer.rows.len());
    let newest = crate::consumer::numbered(&folder, "whole").pop().unwrap();
    assert_eq!(crate::consumer::rows(&newest).len(), members.len());
    assert_eq!(bench.texts("PRAGMA integrity_check").await, ["ok"]);
}
