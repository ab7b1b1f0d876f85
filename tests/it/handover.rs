//! Files of feeds, handed over to a command: all of them, in order, whatever dies or fails.

mod processes;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::{Bench, numbered};
use crate::consumer::{feed, folder};
use crate::feeds::{company, crm};
use crate::program::{vainu_sync, vainu_sync_with};

/// Puts a shell script where `after = ["./consumer"]` finds it.
fn consumer(bench: &Bench, script: &str) {
    let path = bench.folder.path().join("consumer");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

const AFTER: &str = "after = [\"./consumer\", \"--fast\"]";

/// What the consumer has written down, a line each.
fn lines(bench: &Bench, name: &str) -> Vec<String> {
    let text = fs::read_to_string(bench.folder.path().join("feeds").join(name)).unwrap_or_default();
    text.lines().map(ToOwned::to_owned).collect()
}

/// Another night with another name.
fn rename(bench: &Bench, name: &str) {
    bench.control.set_rows("FI", vec![company("FI1", name, "a.example")]);
}

fn at(bench: &Bench, name: &str) -> PathBuf {
    folder(bench).join(name)
}

/// Whether a process of this number lives; one that ended and was not waited for does not.
fn lives(process: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_told_of_each_file_and_of_no_secret() {
    let bench = Bench::with_rows([company("FI1", "Acme", "a.example")], &crm(AFTER)).await;
    folder(&bench);
    consumer(&bench, "echo \"$@\" >args; env | sort >env; pwd >place; cat >stdin; echo well; echo done >&2");
    let variables = [
        ("SECRET", "s3cr3t"),
        ("PATH", "/usr/bin:/bin"),
        ("TZ", "UTC"),
        ("VAINU_JWT_REFRESH_TOKEN", "s3cr3t"),
    ];
    let done = vainu_sync_with(&bench, &variables, &["sync"]).await;
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    assert!(
        done.out.ends_with("feed crm: after: 1 file handed over, up to crm-00000001.csv\n"),
        "{}",
        done.out
    );
    let place = folder(&bench).canonicalize().unwrap();
    let told = |name: &str| lines(&bench, name).join("\n");
    assert_eq!(told("args"), format!("--fast {}", at(&bench, "crm-latest.json").display()));
    assert_eq!(Path::new(&told("place")), place);
    assert_eq!(told("stdin"), "");
    let names: Vec<String> =
        lines(&bench, "env").iter().map(|line| line.split('=').next().unwrap().to_owned()).collect();
    // The shell sets two more by itself.
    let names: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !["PWD", "_", "SHLVL", "OLDPWD"].contains(name))
        .collect();
    let own = ["FEED", "FILE", "MANIFEST", "SEQUENCE", "SHA256"].map(|name| format!("VAINU_SYNC_{name}"));
    assert_eq!(names, ["PATH", "TZ"].into_iter().chain(own.iter().map(String::as_str)).collect::<Vec<_>>());
    let file = format!("VAINU_SYNC_FILE={}", at(&bench, "crm-00000001.csv").display());
    assert!(
        lines(&bench, "env").contains(&file)
            && lines(&bench, "env").contains(&"VAINU_SYNC_SEQUENCE=1".into())
    );
    let known = bench.texts("SELECT ended || '|' || output FROM _feed_handovers").await;
    assert_eq!(known, ["exit code 0|well\ndone"]);
    let again = vainu_sync(&bench, &["sync"]).await;
    assert!(!again.out.contains("handed over"), "no new file, no command: {}", again.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_fails_three_nights_gets_all_files_in_order() {
    let queries = format!(
        "{}{}",
        crm(AFTER),
        feed("lake", "[\"all\"]", "format = \"jsonl\"\nafter = [\"./consumer\"]", "N = \"name\"")
    );
    let bench = Bench::with_rows([company("FI1", "night 0", "a.example")], &queries).await;
    folder(&bench);
    consumer(
        &bench,
        "echo $VAINU_SYNC_FEED $VAINU_SYNC_SEQUENCE >>tried
         if [ $VAINU_SYNC_FEED = crm ] && ! [ -e up ]; then echo 'the CRM is down' >&2; exit 3; fi
         echo $VAINU_SYNC_SEQUENCE >>taken.$VAINU_SYNC_FEED",
    );
    for night in 1..=3 {
        rename(&bench, &format!("night {night}"));
        let done = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(done.code, Some(1), "{}{}", done.out, done.err);
        let line = "feed crm: after: not handed over: crm-00000001.csv: exit code 3: the CRM is down\n";
        assert!(done.out.contains(line), "{}", done.out);
        assert_eq!(bench.texts("SELECT status FROM runs ORDER BY id DESC LIMIT 1").await, ["succeeded"]);
        assert_eq!(lines(&bench, "taken.lake").len(), night, "another feed goes on");
    }
    let status = vainu_sync(&bench, &["status"]).await;
    assert!(status.out.contains("no file handed over yet; 3 files waiting"), "{}", status.out);
    assert!(status.out.contains("failed 3 times, last "), "{}", status.out);
    let json: serde_json::Value =
        serde_json::from_str(&vainu_sync(&bench, &["status", "--json"]).await.out).unwrap();
    let handing = &json["feeds"][0]["handing"][0];
    assert_eq!(
        (&handing["way"], &handing["waiting"], &handing["failures"]),
        (&"after".into(), &3.into(), &3.into())
    );
    assert_eq!((&handing["ended"], &handing["output"]), (&"exit code 3".into(), &"the CRM is down".into()));
    let check = vainu_sync(&bench, &["check"]).await;
    assert!(
        check.out.contains("the CRM is down") || check.err.contains("the CRM is down"),
        "{}{}",
        check.out,
        check.err
    );
    fs::write(at(&bench, "up"), "").unwrap();
    rename(&bench, "night 4");
    let done = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    assert_eq!(lines(&bench, "taken.crm"), ["1", "2", "3", "4"]);
    assert_eq!(bench.number("SELECT sum(failures) FROM _feed_handovers").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_hangs_is_ended_with_all_that_it_started() {
    let lines_of_feed = format!("{AFTER}\nafter_timeout = \"300ms\"");
    let bench = Bench::with_rows(numbered(2), &crm(&lines_of_feed)).await;
    folder(&bench);
    consumer(
        &bench,
        "trap '' TERM\n(trap '' TERM; sleep 1000 & echo $! >grandchild; wait) &\necho begun\nwait",
    );
    let done = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(done.code, Some(1), "{}{}", done.out, done.err);
    let words = "not done within 300ms and ended (after_timeout): begun";
    assert!(done.out.contains(words), "{}", done.out);
    assert!(!lives(&lines(&bench, "grandchild")[0]));
    consumer(&bench, "sleep 1000 & echo $! >left\nexit 0");
    let done = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    assert!(!lives(&lines(&bench, "left")[0]), "what a command leaves behind is ended too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_deleted_before_it_was_handed_over_is_said_until_a_person_goes_on() {
    let bench = Bench::with_rows([company("FI1", "a", "")], &crm(AFTER)).await;
    let folder = folder(&bench);
    consumer(&bench, "[ -e up ] && echo $VAINU_SYNC_SEQUENCE >>taken");
    for name in ["b", "c"] {
        rename(&bench, name);
        vainu_sync(&bench, &["sync"]).await;
    }
    fs::remove_file(folder.join("crm-00000001.csv")).unwrap();
    fs::write(folder.join("up"), "").unwrap();
    let done = vainu_sync(&bench, &["feed"]).await;
    assert_eq!(done.code, Some(1), "{}", done.out);
    assert!(
        done.out.contains("crm-00000001.csv is the next file and is not there: put it back"),
        "{}",
        done.out
    );
    assert!(lines(&bench, "taken").is_empty(), "nobody takes the second for the first");
    let done = vainu_sync(&bench, &["feed", "crm", "--snapshot"]).await;
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    assert_eq!(lines(&bench, "taken"), ["2", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_kept_until_they_are_handed_over() {
    let bench =
        Bench::with_rows([company("FI1", "a", "")], &crm(&format!("{AFTER}\nkeep_files = \"1s\""))).await;
    let folder = folder(&bench);
    consumer(&bench, "[ -e up ] && cat $VAINU_SYNC_FILE >>taken");
    for name in ["b", "c", "d"] {
        rename(&bench, name);
        vainu_sync(&bench, &["sync"]).await;
        for file in crate::consumer::numbered(&folder, "crm") {
            let touched = Command::new("touch").args(["-d", "2001-01-01"]).arg(file).status().unwrap();
            assert!(touched.success());
        }
    }
    assert_eq!(crate::consumer::numbered(&folder, "crm").len(), 3, "two are old, and nobody has them");
    fs::write(folder.join("up"), "").unwrap();
    assert_eq!(vainu_sync(&bench, &["feed"]).await.code, Some(0));
    assert_eq!(vainu_sync(&bench, &["feed"]).await.code, Some(0));
    let left = crate::consumer::numbered(&folder, "crm");
    assert_eq!(left.len(), 1, "now they go");
    assert_eq!(lines(&bench, "taken").iter().filter(|line| line.starts_with("upsert")).count(), 3);
    assert_eq!(bench.number("SELECT count(*) FROM _feed_files").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_later_begins_with_the_first_file_that_is_there() {
    let mut bench = Bench::with_rows(numbered(9), &crm("max_rows = 4")).await;
    let folder = folder(&bench);
    for rows in [9, 12] {
        bench.control.set_rows("FI", numbered(rows));
        assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    }
    fs::rename(folder.join("crm-00000001.csv"), folder.join("taken elsewhere")).unwrap();
    consumer(&bench, "echo $VAINU_SYNC_SEQUENCE >>taken");
    bench.configure("", &crm(&format!("max_rows = 4\n{AFTER}")));
    let done = vainu_sync(&bench, &["feed"]).await;
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    assert_eq!(lines(&bench, "taken"), ["2", "3", "4"]);
}
