//! `check`: what it tells of the settings, the store and the credentials.

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::vainu_sync;

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_each_setting_with_its_place_and_the_next_runs_in_the_querys_zone() {
    let queries = ALL_OF_FI
        .replace("schedule = \"@daily\"", "schedule = \"0 3 * * *\"\ntimezone = \"Europe/Helsinki\"");
    let bench = Bench::with_rows([], &queries).await;
    let check = vainu_sync(&bench, &["check"]).await;
    assert_eq!(check.code, Some(0), "{}", check.err);
    assert!(check.out.contains("api.page_size = 1000  [default]"), "{}", check.out);
    assert!(check.out.contains("config.toml:"), "{}", check.out);
    assert_eq!(check.out.matches(" 03:00:00 +0").count(), 3, "{}", check.out);
    assert!(!check.out.contains(&bench.sandbox.refresh_token()));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_store_and_file_disagree_on() {
    let queries = format!("{ALL_OF_FI}{}", ALL_OF_FI.replace("\"all\"", "\"other\""));
    let mut bench = Bench::with_rows(numbered(1234), &queries).await;
    vainu_sync(&bench, &["sync"]).await;
    let agreed = vainu_sync(&bench, &["check"]).await;
    assert!(!agreed.out.contains("note:"), "{}", agreed.out);
    bench.configure("", &ALL_OF_FI.replace("?ALL", "?ANY"));
    let check = vainu_sync(&bench, &["check"]).await;
    assert_eq!(check.code, Some(0), "{}", check.err);
    for note in ["1,234 members of \"other\"", "\"all\" was edited since its last success"] {
        assert!(check.out.contains(note), "{note}: {}", check.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_online_says_whether_the_credentials_are_taken_and_their_days_left() {
    let bench = Bench::with_rows([], ALL_OF_FI).await;
    let check = vainu_sync(&bench, &["check", "--online"]).await;
    assert_eq!(check.code, Some(0), "{}", check.err);
    // 30 within the second in which the sandbox gave it out.
    let told = |days| format!("online: the API takes the refresh token, {days} days left");
    assert!([29, 30].iter().any(|days| check.out.contains(&told(days))), "{}", check.out);
    bench.control.revoke_refresh_tokens();
    let check = vainu_sync(&bench, &["check", "--online"]).await;
    assert_eq!((check.code, check.out.contains("online:")), (Some(77), false), "{}", check.err);
    assert!(check.err.contains("get a new refresh token"), "{}", check.err);
}
