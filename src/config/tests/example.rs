use super::super::document::Document;
use super::super::environment::{Environment, Flags};
use super::super::layers::Layers;
use super::super::report::Report;
use super::super::{find, settings, value::shown};
use super::Folder;

const EXAMPLE: &str = include_str!("../../../config.example.toml");
const DEFAULTS: &str = include_str!("../defaults.toml");

/// Keys beside which another stands.
const OTHERS: [&str; 1] = ["url"];

#[test]
fn the_example_is_right_as_it_stands() {
    let loaded = Folder::with(EXAMPLE).load().unwrap();
    assert_eq!(loaded.settings.queries[0].timezone_name, "Europe/Helsinki");
    let headers = loaded.settings.feeds[0].columns.iter().map(|column| column.header.as_str());
    assert_eq!(headers.collect::<Vec<_>>(), ["Company ID", "Name", "Revenue", "City", "All cities"]);
    assert!(loaded.settings.credential.is_none());
}

#[test]
fn the_example_shows_every_key_of_every_table() {
    let folder = Folder::with(EXAMPLE);
    for (table, key) in known_keys(&folder.environment()) {
        let shown = EXAMPLE.lines().any(|line| {
            let line = line.trim_start_matches("# ");
            line.starts_with(&format!("{key} = "))
                || line.trim_matches(['[', ']']).rsplit('.').next() == Some(key)
        });
        assert!(shown || OTHERS.contains(&key), "{table}.{key} is not in config.example.toml");
    }
}

#[test]
fn the_commented_feed_of_the_example_is_right_too() {
    let (text, feed) = EXAMPLE.split_once("# [[feeds]]\n").unwrap();
    let feed: Vec<&str> = feed.lines().map(|line| line.strip_prefix("# ").unwrap()).collect();
    let loaded = Folder::with(&format!("{text}[[feeds]]\n{}", feed.join("\n"))).load().unwrap();
    let warehouse = &loaded.settings.warehouses[0];
    assert_eq!((warehouse.place(), warehouse.columns.len()), ("public.organizations".into(), 1));
}

#[test]
fn the_example_gives_each_default_as_it_is() {
    let defaults = Document::parse(DEFAULTS).ok().unwrap().values;
    for (table, keys) in &defaults {
        for (key, value) in keys.as_dict().unwrap() {
            let shown = format!("{key} = {}", shown(value));
            // Of tables: in the example that is commented out.
            let commented = format!("# {shown}");
            let is_shown = |line: &str| {
                line == shown || line.split("  #").next().is_some_and(|line| line.trim_end() == commented)
            };
            assert!(EXAMPLE.lines().any(is_shown), "{table}: {shown}");
        }
    }
}

#[test]
fn each_commented_key_of_the_example_stands_in_its_table() {
    let commented = |line: &&str| line.starts_with("# ") && line.split(" = ").next().is_some_and(is_key);
    let lines: Vec<&str> = EXAMPLE.lines().filter(commented).collect();
    assert!(lines.len() > 9, "{lines:?}");
    for line in lines {
        let text = EXAMPLE.replacen(line, &line[2..], 1);
        let message = Folder::with(&text).load().err().map(|error| error.to_string()).unwrap_or_default();
        assert!(!message.contains("no such key") && !message.contains("TOML"), "{line}: {message}");
    }
}

fn is_key(word: &str) -> bool {
    word.trim_start_matches("# ").bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn known_keys(environment: &Environment) -> Vec<(&'static str, &'static str)> {
    let file = find::file(&Flags::default(), environment).ok().unwrap();
    let document = Document::parse(&file.text).ok().unwrap();
    let mut report = Report::default();
    let layers = Layers::merge(file, document, environment, &Flags::default(), &mut report);
    settings(&layers, environment, &mut report).ok().unwrap();
    report.known().to_vec()
}
