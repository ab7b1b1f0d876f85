//! A machine on which nothing but the store's folder can be written: no place for temporary files.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::backups::dump;
use crate::bench::{ALL_OF_FI, Bench, named};
use crate::migration::make_store;
use crate::program::{Ended, program, signal, to_its_end, until, vainu_sync};
use crate::replay::assert_log_is_true;

/// Leaves the program as $3 on in a view of the machine where only the folder $1 can be written, and the working
/// folder is /.
const CONFINED: &str = r#"
    mount --make-rprivate / || exit 99
    mount --bind "$1" "$1" || exit 99
    for place in /tmp /var/tmp /usr/tmp /dev/shm; do
        if mountpoint -q $place; then mount -o remount,bind,ro $place || exit 99; fi
    done
    mount -o remount,bind,ro / || exit 99
    for place in / /tmp /var/tmp /usr/tmp /dev/shm; do
        if touch $place/probe 2>/dev/null; then echo "$place can be written" >&2; exit 99; fi
    done
    touch "$1/probe" && rm "$1/probe" || exit 99
    cd / && shift && exec "$@"
"#;

fn confined(bench: &Bench, args: &[&str]) -> Command {
    let folder = bench.folder.path();
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", CONFINED, "sh"]).arg(folder).arg(program(folder).get_program());
    command.arg("--config").arg(folder.join("config.toml")).args(args);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
    command
}

async fn run(bench: &Bench, args: &[&str]) -> Ended {
    to_its_end(confined(bench, args)).await
}

async fn expect_done(bench: &Bench, args: &[&str]) -> Ended {
    let ended = run(bench, args).await;
    assert_eq!(ended.code, Some(0), "{args:?}: {}{}", ended.out, ended.err);
    ended
}

/// Whether this machine lets a test do that; says so where not.
async fn can_confine(bench: &Bench) -> bool {
    let completions = run(bench, &["completions", "bash"]).await;
    if completions.code == Some(0) {
        return true;
    }
    eprintln!("skipped: a view of the machine of its own wants root: {}", completions.err);
    false
}

/// Large rows in no order, of which `edition` changes every one.
fn rows(count: u32, edition: u32) -> Vec<String> {
    let row = |n: u32| {
        let id = n.wrapping_mul(2_654_435_761);
        let text = format!("{edition} {id:010} ").repeat(100);
        format!(r#"{{"business_id":"FI{id:010}","name":"{text}"}}"#)
    };
    (0..count).map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_works_where_nothing_but_the_folder_of_the_store_can_be_written() {
    let mut bench = Bench::with_rows(rows(20_000, 1), ALL_OF_FI).await;
    if !can_confine(&bench).await {
        return;
    }
    let folder = bench.folder.path().to_owned();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (copy, store) = (path("copy.db"), bench.store_path());
    expect_done(&bench, &["sync"]).await;
    bench.control.set_rows("FI", rows(19_000, 2));
    expect_done(&bench, &["sync", "--dry-run"]).await;
    expect_done(&bench, &["sync"]).await;
    let entries = expect_done(&bench, &["changes", "--json"]).await.out.lines().count();
    assert_eq!(entries, 20_000 + 19_000 + 1000);
    for args in [&["status", "--json"][..], &["check"], &["check", "--online"], &["backup", &copy]] {
        expect_done(&bench, args).await;
    }
    assert_eq!(dump(copy.as_ref()).await, dump(&store).await);
    bench.configure("", &named("other", r#"["name"]"#));
    expect_done(&bench, &["rename", "all", "kept"]).await;
    expect_done(&bench, &["prune", "kept"]).await;
    assert_log_is_true(&bench).await;
    let log = File::create(path("log")).unwrap();
    let mut daemon = confined(&bench, &["run"]).stderr(log).spawn().unwrap();
    until("the daemon has run a query", async || {
        bench.texts("SELECT status FROM runs WHERE query = 'other'").await == ["succeeded"]
    })
    .await;
    signal(&daemon, "TERM");
    let code = tokio::task::spawn_blocking(move || daemon.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(0), "{}", std::fs::read_to_string(path("log")).unwrap());
    assert_log_is_true(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_store_is_brought_up_to_date_where_nothing_else_can_be_written() {
    let bench = Bench::with_rows(rows(10, 1), ALL_OF_FI).await;
    if !can_confine(&bench).await {
        return;
    }
    make_store(&bench, 1).await;
    bench
        .write(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000) \
             INSERT INTO organizations (business_id, database, first_seen_at, changed_at, gone_at, document) \
             SELECT 'FI' || i, 'FI', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', \
               printf('2026-01-01T00:00:00.%dZ', abs(random())), '{}' FROM n",
        )
        .await;
    let ended = run(&bench, &["prune", "unknown"]).await;
    assert!(ended.code == Some(1) && ended.err.contains("the store has no query"), "{}", ended.err);
    assert_eq!(vainu_sync(&bench, &["status"]).await.code, Some(0), "it has the present schema");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_on_a_file_system_that_another_machine_may_serve_is_said_and_used() {
    let bench = Bench::with_rows(rows(10, 1), ALL_OF_FI).await;
    let (behind, mounted) = (bench.folder.path().join("behind"), bench.folder.path().join("mounted"));
    std::fs::create_dir(&behind).unwrap();
    std::fs::create_dir(&mounted).unwrap();
    if !Command::new("bindfs").args([&behind, &mounted]).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: a FUSE file system wants root and the program bindfs");
        return;
    }
    let mut said = Vec::new();
    for command in ["check", "sync", "status"] {
        said.push(vainu_sync(&bench, &["--store", "mounted/vainu.db", command]).await);
    }
    assert!(Command::new("umount").arg(&mounted).status().unwrap().success());
    let note = "lies on a FUSE file system, which another machine may serve";
    for (said, place) in said.iter().zip([&said[0].out, &said[1].err]) {
        assert!(said.code == Some(0) && place.contains(note), "{}{}", said.out, said.err);
        assert!(place.contains("set store.path to a local disk"), "{place}");
    }
    assert_eq!(said[2].code, Some(0), "{}", said[2].err);
    let local = vainu_sync(&bench, &["check"]).await;
    assert!(!local.out.contains("file system"), "{}", local.out);
}
