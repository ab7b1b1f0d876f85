//! The alert rules that come with the program.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::program::ended;

/// Runs promtool, where there is one, and expects that it finds nothing to say against `input`.
pub async fn promtool(args: &[&str], input: Option<&str>) {
    let mut command = Command::new("promtool");
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus"));
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("skipped: promtool can't be run ({error})");
            return;
        }
    };
    let input = input.unwrap_or_default().to_owned();
    let ended = tokio::task::spawn_blocking(move || {
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        ended(child.wait_with_output().unwrap())
    });
    let ended = ended.await.unwrap();
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(ended.err, "", "{}", ended.out);
}

#[tokio::test]
async fn the_rules_are_right_and_fire_as_their_tests_say() {
    promtool(&["check", "rules", "alerts.yml"], None).await;
    promtool(&["test", "rules", "alerts.test.yml"], None).await;
}

#[test]
fn each_rule_says_what_to_do_and_each_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = std::fs::read_to_string(root.join("deploy/prometheus/alerts.yml")).unwrap();
    let operations = std::fs::read_to_string(root.join("docs/operations.md")).unwrap();
    let source = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let metrics = source("src/observe/metrics.rs") + &source("src/observe/metrics/feeds.rs");
    let each = rules.split("- alert: ").skip(1);
    assert!(each.clone().count() > 8);
    for rule in each {
        let name = rule.lines().next().unwrap();
        assert!(rule.contains("summary: ") && rule.contains("description: "), "{name}");
        assert!(operations.contains(&format!("`{name}`")), "{name} is not in docs/operations.md");
    }
    for word in rules.split(|letter: char| !letter.is_alphanumeric() && letter != '_') {
        if let Some(metric) = word.strip_prefix("vainu_sync_") {
            assert!(metrics.contains(&format!("\"{metric}\"")), "{metric} is no metric");
        }
    }
}
