use std::path::PathBuf;
use std::time::Duration;

use super::super::{Environment, Flags, load, load_text, place};
use super::{Folder, QUERY, origin};

#[test]
fn a_file_with_one_query_gets_every_default() {
    let folder = Folder::with(QUERY);
    let loaded = folder.load().unwrap();
    let settings = &loaded.settings;
    assert_eq!(settings.api.base_url, "https://api.vainu.io/api");
    assert_eq!(settings.api.timeout, Duration::from_secs(130));
    assert_eq!(settings.store.path, folder.path().join("vainu.db"));
    assert_eq!(settings.queries[0].fields, ["business_id", "name"]);
    assert_eq!(settings.queries[0].timezone_name, "UTC");
    assert_eq!(settings.queries[0].retry_run_after, Duration::from_mins(30));
    assert_eq!(origin(&loaded, "api.language"), ("\"en\"".into(), "default".into()));
}

#[test]
fn each_layer_covers_the_one_below() {
    let url = |folder: &Folder, variables: &[(&str, &str)]| {
        let loaded = folder.load_with(variables).unwrap();
        (loaded.settings.api.base_url.clone(), origin(&loaded, "api.base_url").1)
    };
    let vainu = ("VAINU_BASE_URL", "https://vainu.example/api");
    let ours = ("VAINU_SYNC_API__BASE_URL", "https://ours.example/api");
    let bare = Folder::with(QUERY);
    assert_eq!(url(&bare, &[vainu]), ("https://vainu.example/api".into(), "VAINU_BASE_URL".into()));
    let full = Folder::with(&format!("[api]\nbase_url = 'https://file.example/api'\n{QUERY}"));
    assert_eq!(url(&full, &[vainu]), ("https://file.example/api".into(), "config.toml:2".into()));
    assert_eq!(
        url(&full, &[vainu, ours]),
        ("https://ours.example/api".into(), "VAINU_SYNC_API__BASE_URL".into())
    );
}

#[test]
fn flags_cover_variables_and_start_from_the_current_directory() {
    let folder = Folder::with("");
    folder.write("etc/own.toml", format!("[store]\npath = 'data/file.db'\n{QUERY}"));
    let environment = folder.environment().with("VAINU_SYNC_LOG__LEVEL", "warn");
    let mut flags = Flags { config: Some("etc/own.toml".into()), ..Flags::default() };
    let loaded = load(&flags, &environment).unwrap();
    assert_eq!(loaded.settings.store.path, folder.path().join("etc/data/file.db"));
    assert_eq!(loaded.path, folder.path().join("etc/own.toml"));
    assert_eq!(loaded.settings.log.level, "warn");

    flags.store = Some("flag.db".into());
    flags.log = Some("debug".into());
    let loaded = load(&flags, &environment).unwrap();
    assert_eq!(loaded.settings.store.path, folder.path().join("flag.db"));
    assert_eq!(origin(&loaded, "store.path").1, "--store");
    assert_eq!(loaded.settings.log.level, "debug");
}

#[test]
fn the_file_is_looked_for_in_the_documented_order() {
    let folder = Folder::with(QUERY);
    folder.write("root/etc/vainu-sync/config.toml", QUERY);
    folder.write("variable.toml", QUERY);
    folder.write("flag.toml", QUERY);
    let path = |flags: &Flags, environment: &Environment| load(flags, environment).unwrap().path;
    let first = |flags: &Flags, environment: &Environment| place(flags, environment).unwrap();
    let named = folder.environment().with("VAINU_SYNC_CONFIG", "variable.toml");
    let flag = Flags { config: Some(PathBuf::from("flag.toml")), ..Flags::default() };
    assert_eq!(path(&flag, &named), folder.path().join("flag.toml"));
    assert_eq!(path(&Flags::default(), &named), folder.path().join("variable.toml"));
    assert_eq!(path(&Flags::default(), &folder.environment()), folder.path().join("config.toml"));
    std::fs::remove_file(folder.path().join("config.toml")).unwrap();
    let system = folder.path().join("root/etc/vainu-sync/config.toml");
    assert_eq!(path(&Flags::default(), &folder.environment()), system);
    assert_eq!(first(&flag, &named), folder.path().join("flag.toml"));
    assert_eq!(first(&Flags::default(), &named), folder.path().join("variable.toml"));
    assert_eq!(first(&Flags::default(), &folder.environment()), folder.path().join("config.toml"));
}

#[test]
fn a_text_is_judged_as_if_it_stood_in_its_file() {
    let folder = Folder::with("not even TOML");
    let path = folder.path().join("config.toml");
    let text = format!("{QUERY}[store]\npath = 'data/x.db'\n");
    let loaded = load_text(&path, &text, &Flags::default(), &folder.environment()).unwrap();
    assert_eq!(loaded.settings.store.path, folder.path().join("data/x.db"));
    let error = load_text(&path, "[stoer]", &Flags::default(), &folder.environment()).unwrap_err();
    assert!(error.to_string().contains("config.toml:1: stoer"), "{error}");
}

#[test]
fn without_any_file_the_message_says_where_it_looked_and_how_to_begin() {
    let folder = Folder::with("");
    std::fs::remove_file(folder.path().join("config.toml")).unwrap();
    let message = folder.load().unwrap_err().to_string();
    for words in [
        "config.toml",
        "etc/vainu-sync/config.toml",
        "vainu-sync init",
        "config.example.toml",
        "--config",
        "demo",
    ] {
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_variable_stays_text_where_text_is_wanted() {
    let folder = Folder::with(QUERY);
    let loaded = folder
        .load_with(&[
            ("VAINU_SYNC_AUTH__CLIENT_ID", "0123456789"),
            ("VAINU_SYNC_AUTH__CLIENT_SECRET", "true"),
            ("VAINU_SYNC_STORE__PATH", "[1, 2]"),
            ("VAINU_SYNC_API__PAGE_SIZE", "500"),
            ("VAINU_SYNC_DEFAULTS__CATCH_UP", "false"),
            ("VAINU_SYNC_DEFAULTS__QUIET", "['modifications']"),
        ])
        .unwrap();
    assert_eq!(origin(&loaded, "auth.client_id").0, "\"0123456789\"");
    assert_eq!(loaded.settings.store.path, folder.path().join("[1, 2]"));
    assert_eq!(loaded.settings.api.page_size, 500);
    assert!(!loaded.settings.queries[0].catch_up);
    assert_eq!(loaded.settings.queries[0].quiet, ["modifications"]);
}

#[test]
fn a_query_covers_the_defaults_of_the_file() {
    let text =
        format!("[defaults]\ntimezone = 'Europe/Helsinki'\nfetch = 'pages'\n{QUERY}fetch = 'export'\n");
    let loaded = Folder::with(&text).load().unwrap();
    assert_eq!(loaded.settings.queries[0].timezone_name, "Europe/Helsinki");
    assert_eq!(origin(&loaded, "queries.all.timezone").1, "config.toml:2");
    assert_eq!(origin(&loaded, "queries.all.fetch"), ("\"export\"".into(), "config.toml:10".into()));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_no_line_number() {
    let text = format!("\u{feff}[api]\r\nlanguage = 'fi'\r\n{}", QUERY.replace('\n', "\r\n"));
    let folder = Folder::with(&text);
    assert_eq!(origin(&folder.load().unwrap(), "api.language").1, "config.toml:2");
}

#[test]
fn a_query_file_is_read_with_its_mark_dropped_and_its_text_kept() {
    let folder = Folder::with("");
    let text = QUERY.replace("query = '{\"?ALL\": []}'", "query_file = 'vql/all.json'");
    folder.write("conf/config.toml", text);
    folder.write("conf/vql/all.json", "\u{feff}{\"?GTE\": {\"x\": 1.0e2} }\n");
    let flags = Flags { config: Some("conf/config.toml".into()), ..Flags::default() };
    let loaded = load(&flags, &folder.environment()).unwrap();
    let ask = format!("{:?}", loaded.settings.queries[0].ask);
    assert!(ask.contains("1.0e2} }"), "{ask}");
}

#[test]
fn kubernetes_service_links_are_passed_over() {
    let folder = Folder::with(QUERY);
    folder.load_with(&[("VAINU_SYNC_PORT", "tcp://10.0.0.1:80"), ("VAINU_SYNC_SERVICE_HOST", "x")]).unwrap();
}

#[test]
fn business_id_comes_first_and_nothing_twice() {
    let folder = Folder::with(&QUERY.replace("['name']", "['name', 'website', 'business_id', 'name']"));
    assert_eq!(folder.load().unwrap().settings.queries[0].fields, ["business_id", "name", "website"]);
}
