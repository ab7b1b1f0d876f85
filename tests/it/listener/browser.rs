//! The status page in a real browser.

use std::path::Path;
use std::process::Command;

use jiff::Timestamp;

use super::Served;
use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::{Ended, to_its_end};

/// Debian's chromium, without a window; `None`, said, where it is lacking.
async fn chromium(folder: &Path, args: &[String]) -> Option<Ended> {
    if Command::new("chromium").arg("--version").output().is_err() {
        eprintln!("skipped: chromium can't be run");
        return None;
    }
    let profile = tempfile::tempdir_in(folder).unwrap();
    let mut command = Command::new("chromium");
    command.current_dir(folder).arg(format!("--user-data-dir={}", profile.path().display())).args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--enable-logging=stderr",
    ]);
    command.args(args);
    let ended = to_its_end(command).await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(!ended.err.contains("Content Security Policy"), "{}", ended.err);
    Some(ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_shows_the_page_on_a_phone_on_a_desk_and_in_the_dark() {
    let bench = Bench::with_rows(numbered(100), ALL_OF_FI).await;
    bench.sync().await;
    bench.control.set_rows("FI", numbered(50));
    bench.sync().await;
    bench.write("UPDATE runs SET error = '<script>document.title = \"taken over\"</script>' || error").await;
    let served = Served::of(&bench, Timestamp::now).await;
    let folder = bench.folder.path();
    for path in ["/", "/queries/all"] {
        let url = format!("http://{}{path}", served.address);
        let Some(dom) = chromium(folder, &["--dump-dom".into(), url.clone()]).await else { return };
        assert!(dom.out.contains("<code>vainu-sync sync all --accept</code>"), "{}", dom.out);
        assert!(dom.out.contains("&lt;script&gt;") && !dom.out.contains("<title>taken over"), "{}", dom.out);
        let mut shots = Vec::new();
        for (name, width, height, scheme) in
            [("phone", 390, 844, 1), ("desk", 1280, 900, 1), ("dark", 1280, 900, 0)]
        {
            let shot = folder.join(format!("{name}.png"));
            let args = [
                format!("--screenshot={}", shot.display()),
                format!("--window-size={width},{height}"),
                format!("--blink-settings=preferredColorScheme={scheme}"),
                url.clone(),
            ];
            chromium(folder, &args).await;
            let png = std::fs::read(shot).unwrap();
            let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
            assert_eq!((number(16), number(20)), (width, height), "{name}");
            shots.push(png);
        }
        assert!(shots[1] != shots[2], "the dark one looks like the light one");
    }
}
