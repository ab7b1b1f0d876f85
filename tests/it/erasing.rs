//! Erasing one organization as the documents say.

use std::fs;
use std::path::Path;

use crate::bench::{ALL_OF_FI, Bench, named, row};
use crate::replay::assert_log_is_true;

/// The statements that erase `id`.
fn statements(id: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let text = fs::read_to_string(path).unwrap();
    let section = text.split("## Erasing one organization").nth(1).unwrap();
    let statements = section.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    statements.replace("FI00000000", id)
}

/// Whether a file of the store, where there is one, holds these bytes.
fn holds(bench: &Bench, suffix: &str, text: &str) -> bool {
    let bytes = fs::read(format!("{}{suffix}", bench.store_path().display())).unwrap_or_default();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn the_documented_statements_leave_nothing_of_an_organization_and_all_of_the_others() {
    let queries = format!("{ALL_OF_FI}{}", named("other", r#"["name"]"#));
    let bench = Bench::with_rows([], &queries).await;
    let too_deep = format!("{}\"Erased\"{}", "[".repeat(200), "]".repeat(200));
    let rejected = format!(r#"{{"business_id":"FI00002","name":{too_deep}}}"#);
    for night in 1..=3 {
        let padding = "x".repeat(20_000 * night);
        let rows = [
            row("FI00001", "Kept"),
            row("FI00002", &format!("Erased {night}{padding}")),
            row("FI00003", "Kept"),
        ];
        bench.control.set_rows("FI", rows.into_iter().chain([rejected.clone()]).collect());
        bench.sync().await;
    }
    assert_eq!(bench.number("SELECT count(*) FROM rejects").await, 6);
    assert!(holds(&bench, "", "Erased") || holds(&bench, "-wal", "Erased"));
    bench.write(&statements("FI00002")).await;
    for suffix in ["", "-wal"] {
        for text in ["Erased", "FI00002"] {
            assert!(!holds(&bench, suffix, text), "{text} is left in the store{suffix}");
        }
    }
    assert_eq!(bench.texts("SELECT business_id FROM organizations").await, ["FI00001", "FI00003"]);
    assert_eq!(bench.texts("PRAGMA foreign_key_check").await.len(), 0);
    assert_log_is_true(&bench).await;
    bench.control.set_rows("FI", vec![row("FI00001", "Kept"), row("FI00003", "Kept")]);
    for report in bench.sync().await {
        assert_eq!((report.numbers.unchanged, report.numbers.left), (2, 0), "{:?}", report.error);
    }
}
