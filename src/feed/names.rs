//! What a feed's files are called: `crm-00000012.csv`, and `crm-latest.json` for the manifest.

use crate::config::settings::{Feed, Format};

const EXTENSIONS: [&str; 2] = [".csv", ".jsonl"];

/// A higher number was never given: a hand has written it. At one file a second it takes 30,000 years.
const MOST: i64 = 999_999_999_999;

/// Whether a feed may have given this number to a file.
pub fn is_sequence(number: i64) -> bool {
    (1..=MOST).contains(&number)
}

/// The name of the file with this number.
pub fn file(feed: &Feed, sequence: i64) -> String {
    let extension = match feed.format {
        Format::Csv(_) => EXTENSIONS[0],
        Format::Jsonl => EXTENSIONS[1],
    };
    format!("{}-{sequence:08}{extension}", feed.name)
}

/// What a file is called while it is written.
pub fn temporary(file: &str) -> String {
    format!(".{file}.tmp")
}

/// The name of a feed's manifest.
#[must_use]
pub fn manifest(feed: &str) -> String {
    format!("{feed}-latest.json")
}

/// The number of a file of this feed, whatever its format.
pub fn sequence_of(feed: &str, file: &str) -> Option<i64> {
    let rest = file.strip_prefix(feed)?.strip_prefix('-')?;
    let digits = EXTENSIONS.iter().find_map(|extension| rest.strip_suffix(extension))?;
    let is_number = digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten().filter(|number| is_sequence(*number))
}

/// Whether `name` is a temporary one of this feed.
pub fn is_temporary(feed: &str, name: &str) -> bool {
    let file = name.strip_prefix('.').and_then(|name| name.strip_suffix(".tmp"));
    file.is_some_and(|file| sequence_of(feed, file).is_some() || file == manifest(feed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_knows_its_own_files_only() {
        assert_eq!(sequence_of("crm", "crm-00000012.csv"), Some(12));
        assert_eq!(sequence_of("crm", "crm-00000012.jsonl"), Some(12));
        assert_eq!(sequence_of("crm", "crm-100000000.csv"), Some(100_000_000));
        for other in [
            "crm-12.csv",
            "crm-00000012.csv.gz",
            "crm-00000012.CSV",
            "crm-latest.json",
            "crm-a-00000012.csv",
            "crm-00000001-00000012.csv",
            "crm-99999999999999999999.csv",
            "crm-9223372036854775807.csv",
            "crm-00000000.csv",
            ".crm-00000012.csv.tmp",
            "crm00000012.csv",
        ] {
            assert_eq!(sequence_of("crm", other), None, "{other}");
        }
        assert!(is_temporary("crm", ".crm-00000012.csv.tmp") && is_temporary("crm", ".crm-latest.json.tmp"));
        assert!(!is_temporary("crm", ".crm-a-00000012.csv.tmp") && !is_temporary("crm", "crm-00000012.csv"));
    }
}
