//! What the README of the deployment tells its readers to type.

/// Root's commands of one section.
pub fn commands(section: &str) -> String {
    let readme = include_str!("../../deploy/README.md");
    let heading = format!("\n## {section}\n");
    let (_, text) = readme.split_once(&heading).unwrap_or_else(|| panic!("no section {section}"));
    let text = text.split("\n## ").next().unwrap_or(text);
    let commands: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# ")).collect();
    assert!(!commands.is_empty(), "{section}");
    format!("set -e\n{}\n", commands.join("\n"))
}
