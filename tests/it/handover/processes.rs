//! Handing over where processes are stopped or killed, and beside a daemon's runs.

use std::fs;
use std::process::{Command, Stdio};

use super::{AFTER, at, consumer, lines, lives, rename};
use crate::bench::{Bench, named, numbered};
use crate::consumer::folder;
use crate::feeds::{company, crm};
use crate::program::{ended, program, signal, until, vainu_sync};

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_command_and_the_file_comes_again() {
    let bench = Bench::with_rows(numbered(2), &crm(AFTER)).await;
    folder(&bench);
    consumer(
        &bench,
        "[ -e second ] && { echo $VAINU_SYNC_SEQUENCE >taken; exit; }\necho $$ >begun\nsleep 1000",
    );
    let mut command = program(bench.folder.path());
    let child = command.arg("sync").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the command runs", async || !lines(&bench, "begun").is_empty()).await;
    signal(&child, "TERM");
    let done = ended(tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap());
    assert_eq!(done.code, Some(1), "{}{}", done.out, done.err);
    assert!(done.out.contains("feed crm: after: not handed over: stopped by a signal"), "{}", done.out);
    assert!(!lives(&lines(&bench, "begun")[0]));
    assert_eq!(bench.number("SELECT failures FROM _feed_handovers").await, 0, "nobody's failure");
    fs::write(at(&bench, "second"), "").unwrap();
    assert_eq!(vainu_sync(&bench, &["feed"]).await.code, Some(0));
    assert_eq!(lines(&bench, "taken"), ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_the_command_runs_again_but_never_twice_at_once() {
    let bench = Bench::with_rows(numbered(2), &crm(AFTER)).await;
    folder(&bench);
    consumer(
        &bench,
        "mkdir busy || { echo twice >overlap; exit 1; }
         echo $VAINU_SYNC_SEQUENCE >>begun
         while ! [ -e go ]; do sleep 0.05; done
         rmdir busy; echo $VAINU_SYNC_SEQUENCE >>taken",
    );
    let mut command = program(bench.folder.path());
    let mut first = command.arg("sync").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the command runs", async || lines(&bench, "begun").len() == 1).await;
    first.kill().unwrap();
    first.wait().unwrap();
    let log = at(&bench, "log");
    let mut command = program(bench.folder.path());
    command.arg("feed").stdout(Stdio::piped()).stderr(fs::File::create(&log).unwrap());
    let second = command.spawn().unwrap();
    let waits = "files of the feed are being handed over: waiting";
    until("the second one waits", async || fs::read_to_string(&log).unwrap().contains(waits)).await;
    fs::write(at(&bench, "go"), "").unwrap();
    let done = ended(tokio::task::spawn_blocking(|| second.wait_with_output().unwrap()).await.unwrap());
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    assert!(lines(&bench, "overlap").is_empty());
    assert_eq!(lines(&bench, "taken"), ["1", "1"], "at least once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_hands_over_beside_its_runs() {
    let queries = format!("{}{}", crm(AFTER), named("other", r#"["name"]"#));
    let bench = Bench::with_rows(numbered(3), &queries).await;
    folder(&bench);
    consumer(
        &bench,
        "echo $$ >begun\nwhile ! [ -e go ]; do sleep 0.05; done\necho $VAINU_SYNC_SEQUENCE >>taken",
    );
    let mut command = program(bench.folder.path());
    let child = command.arg("run").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the command runs", async || !lines(&bench, "begun").is_empty()).await;
    let other = "SELECT count(*) FROM runs WHERE query = 'other' AND status = 'succeeded'";
    until("another query runs meanwhile", async || bench.number(other).await == 1).await;
    let by_hand = vainu_sync(&bench, &["sync", "other"]).await;
    assert_eq!(by_hand.code, Some(0), "{}{}", by_hand.out, by_hand.err);
    fs::write(at(&bench, "go"), "").unwrap();
    until("it is written down", async || {
        bench.number("SELECT sum(sequence) FROM _feed_handovers").await == 1
    })
    .await;
    fs::remove_file(at(&bench, "go")).unwrap();
    fs::remove_file(at(&bench, "begun")).unwrap();
    assert_eq!(vainu_sync(&bench, &["status"]).await.code, Some(0));
    bench.control.set_rows("FI", numbered(4));
    let mut second = program(bench.folder.path());
    let by_hand = second.args(["sync", "all"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the next one runs", async || !lines(&bench, "begun").is_empty()).await;
    signal(&by_hand, "TERM");
    signal(&child, "TERM");
    let done = ended(tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap());
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    let mut by_hand = by_hand;
    by_hand.wait().unwrap();
    assert!(!lives(&lines(&bench, "begun")[0]));
    assert_eq!(lines(&bench, "taken"), ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_left_the_commands_group_goes_on_and_holds_no_file_up() {
    let bench = Bench::with_rows([company("FI1", "a", "")], &crm(AFTER)).await;
    folder(&bench);
    consumer(
        &bench,
        "setsid sh -c 'echo $$ >>left; exec sleep 1000' &
         while [ \"$(wc -l <left)\" != $VAINU_SYNC_SEQUENCE ]; do sleep 0.05; done
         echo $VAINU_SYNC_SEQUENCE >>taken",
    );
    fs::write(at(&bench, "left"), "").unwrap();
    for name in ["b", "c"] {
        rename(&bench, name);
        assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    }
    assert_eq!(lines(&bench, "taken"), ["1", "2"]);
    let left = lines(&bench, "left");
    let living = left.iter().filter(|process| lives(process)).count();
    for process in &left {
        Command::new("kill").arg(process).status().unwrap();
    }
    assert_eq!((left.len(), living), (2, 2));
}
