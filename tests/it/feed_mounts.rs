//! Folders that are no longer those that a feed has left: not mounted, emptied, older, or spoilt by a hand.

use std::fs;
use std::path::Path;

use crate::bench::{Bench, named, numbered};
use crate::consumer::{Consumer, feed, folder, manifest, write_feeds, written};
use crate::program::vainu_sync;

fn crm(directory: &str) -> String {
    let feed = feed("crm", "[\"all\"]", "", "Name = \"name\"");
    let feed = feed.replace("\"feeds\"", &format!("\"{directory}\""));
    format!("{}max_departures = \"100%\"\n{feed}", named("all", r#"["name"]"#))
}

async fn night(bench: &Bench, companies: usize) {
    bench.control.set_rows("FI", numbered(companies));
    bench.sync().await;
}

async fn assert_members(bench: &Bench, folder: &Path) {
    let told: Vec<String> = Consumer::of(folder, "crm").into_keys().collect();
    assert_eq!(told, bench.members("all").await.into_keys().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_empty_now_is_written_into_only_when_a_person_says_so() {
    let bench = Bench::with_rows(numbered(3), &crm("feeds")).await;
    let folder = folder(&bench);
    bench.sync().await;
    write_feeds(&bench).await;
    // What a share leaves behind that is not mounted.
    let share = bench.folder.path().join("share");
    fs::rename(&folder, &share).unwrap();
    fs::create_dir(&folder).unwrap();
    bench.control.set_rows("FI", numbered(2));
    let sync = vainu_sync(&bench, &["sync"]).await;
    let told = "feeds holds nothing of the feed any more, though crm-00000001.csv was written there: mount";
    assert!(sync.code == Some(1) && sync.out.contains(told), "{}", sync.out);
    assert!(sync.out.contains("begin anew by: vainu-sync feed crm --snapshot"), "{}", sync.out);
    let named = bench.folder.path().join("config.toml").display().to_string();
    let by_hand = vainu_sync(&bench, &["--config", &named, "feed"]).await;
    let command = format!("begin anew by: vainu-sync --config {named} feed crm --snapshot");
    assert!(by_hand.code == Some(1) && by_hand.err.contains(&command), "{}", by_hand.err);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    let status = vainu_sync(&bench, &["status"]).await;
    assert!(status.out.contains("held back") && status.out.contains(told), "{}", status.out);
    fs::remove_dir(&folder).unwrap();
    fs::rename(&share, &folder).unwrap();
    assert_eq!(written(&write_feeds(&bench).await), "1", "nothing of that night is lost");
    assert_members(&bench, &folder).await;
    fs::remove_dir_all(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    let anew = vainu_sync(&bench, &["feed", "crm", "--snapshot"]).await;
    assert_eq!((anew.code, &*anew.out), (Some(0), "feed crm: crm-00000003.csv: 2 rows\n"), "{}", anew.err);
    night(&bench, 4).await;
    assert_eq!(written(&write_feeds(&bench).await), "2");
    assert_members(&bench, &folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_came_back_older_gets_everybody_and_lets_go_of_who_left_meanwhile() {
    let mut bench = Bench::with_rows(numbered(5), &crm("feeds")).await;
    let here = folder(&bench);
    let there = bench.folder.path().join("there");
    fs::create_dir(&there).unwrap();
    bench.sync().await;
    write_feeds(&bench).await;
    // Into another folder for two nights, which is as good as a backup of this one.
    bench.configure("", &crm("there"));
    for companies in [4, 2] {
        night(&bench, companies).await;
        write_feeds(&bench).await;
        assert_eq!(manifest(&there, "crm")["sequence"], if companies == 4 { 2 } else { 3 });
    }
    assert_members(&bench, &there).await;
    bench.configure("", &crm("feeds"));
    assert_eq!(written(&write_feeds(&bench).await), "5", "two members, three who left");
    assert_members(&bench, &here).await;
    assert_eq!(written(&write_feeds(&bench).await), "-");
    // A backup of the folder itself.
    let saved: Vec<_> = fs::read_dir(&here).unwrap().map(|entry| entry.unwrap().path()).collect();
    let saved: Vec<_> = saved.into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    night(&bench, 1).await;
    write_feeds(&bench).await;
    fs::remove_dir_all(&here).unwrap();
    fs::create_dir(&here).unwrap();
    for (bytes, path) in saved {
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(written(&write_feeds(&bench).await), "2", "one member, one who left");
    assert_members(&bench, &here).await;
    assert_eq!(written(&write_feeds(&bench).await), "-");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_a_hand_has_spoilt_holds_nothing_up() {
    let bench = Bench::with_rows(numbered(1), &crm("feeds")).await;
    let folder = folder(&bench);
    bench.sync().await;
    write_feeds(&bench).await;
    let path = folder.join("crm-latest.json");
    let texts = [
        "",
        "{\"sequence\": ",
        "[]",
        "{\"sequence\": -5}",
        "{\"sequence\": 1e99}",
        "{\"sequence\": 9223372036854775807}",
    ];
    for (night_before, text) in texts.into_iter().enumerate() {
        fs::write(&path, text).unwrap();
        night(&bench, night_before + 2).await;
        let feed = vainu_sync(&bench, &["feed"]).await;
        let file = format!("crm-{:08}.csv", night_before + 2);
        assert_eq!((feed.code, &*feed.out), (Some(0), &*format!("feed crm: {file}: 1 rows\n")), "{text}");
        assert!(feed.err.contains("tells of no file"), "{}", feed.err);
        assert_eq!(manifest(&folder, "crm")["file"], file);
    }
    assert_members(&bench, &folder).await;
    let stray = folder.join("crm-9223372036854775807.csv");
    fs::write(&stray, "no file of a feed").unwrap();
    night(&bench, 9).await;
    assert_eq!(written(&write_feeds(&bench).await), "2");
    fs::remove_file(stray).unwrap();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let feed = vainu_sync(&bench, &["feed"]).await;
    let told = "crm-latest.json is a directory, and a file of the feed has to be there: move it away";
    assert!(feed.code == Some(1) && feed.out.contains(told), "{}", feed.out);
    fs::remove_dir(&path).unwrap();
    assert_eq!(vainu_sync(&bench, &["feed"]).await.code, Some(0));
    assert_members(&bench, &folder).await;
}
