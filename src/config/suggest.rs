//! Which of the known words another one was probably meant to be.

/// A table (empty: the tables themselves), a key of it, and other words that people have for that key.
const OTHER_WORDS: [(&str, &str, &[&str]); 42] = [
    ("", "queries", &["query", "search", "searches"]),
    ("", "auth", &["credentials", "credential", "authentication", "token"]),
    ("", "store", &["database", "db", "storage", "sqlite"]),
    ("", "http", &["server", "listen", "metrics", "web"]),
    ("", "log", &["logging", "logs", "logger"]),
    ("", "api", &["vainu"]),
    ("api", "base_url", &["url", "endpoint", "host"]),
    ("api", "page_size", &["limit", "batch_size"]),
    ("api", "concurrency", &["parallel", "threads", "workers"]),
    ("api", "requests_per_second", &["rate", "rate_limit"]),
    ("api", "retry_for", &["retry", "retries", "max_retries"]),
    ("api", "ca_file", &["ca", "cert", "certificate", "ca_cert"]),
    ("auth", "refresh_token", &["token", "jwt", "refresh"]),
    ("auth", "refresh_token_file", &["token_file", "jwt_file"]),
    ("auth", "client_secret", &["secret", "password"]),
    ("store", "path", &["file", "filename", "database", "db"]),
    ("store", "keep_changes", &["retention"]),
    ("http", "listen", &["port", "address", "bind", "host"]),
    ("log", "level", &["verbosity"]),
    ("queries", "name", &["id", "title", "label"]),
    ("queries", "database", &["db", "country", "market"]),
    ("queries", "query", &["vql", "filter", "where"]),
    ("queries", "list", &["list_id"]),
    ("queries", "payload_file", &["payload", "request", "body"]),
    ("queries", "fields", &["columns", "select", "paths"]),
    ("queries", "quiet", &["ignore", "silent"]),
    ("queries", "schedule", &["cron", "crontab", "every", "interval", "when"]),
    ("queries", "timezone", &["tz", "zone"]),
    ("queries", "ping_url", &["ping", "healthcheck", "heartbeat"]),
    ("", "feeds", &["feed", "export", "exports", "outputs"]),
    ("feeds", "name", &["id", "title", "label"]),
    ("feeds", "queries", &["query", "sources"]),
    ("feeds", "format", &["type"]),
    ("feeds", "directory", &["dir", "folder", "path", "output"]),
    ("feeds", "content", &["mode", "kind"]),
    ("feeds", "keep_files", &["keep", "retention"]),
    ("feeds", "columns", &["fields", "mapping", "map", "headers"]),
    ("feeds", "url_file", &["dsn", "connection", "database_url"]),
    ("feeds", "removals", &["deletes", "on_delete", "deletions"]),
    ("feeds", "delimiter", &["separator", "sep", "delim"]),
    ("feeds", "line_ending", &["newline", "eol", "line_terminator"]),
    ("feeds", "null", &["na", "null_value", "empty"]),
];

/// The key of `table` that `given` is another word for. `[defaults]` has keys of `[[queries]]`.
pub(super) fn other_word(table: &str, given: &str) -> Option<&'static str> {
    let table = if table == "defaults" { "queries" } else { table };
    let given = plain(given);
    let entry = OTHER_WORDS.iter().find(|(home, _, words)| *home == table && words.contains(&&*given));
    entry.map(|(_, key, _)| *key)
}

/// The candidate that is nearest to `given`, if one is near enough to be meant. Case and the choice
/// between `-` and `_` count for nothing.
pub(crate) fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = plain(given);
    let reach = reach(&given);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&given, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The zone that `given` was probably meant to be; a bare city finds its zone too. What looks like an
/// abbreviation is near to zones of quite another meaning, so it finds none.
pub(super) fn nearest_zone<'a>(given: &str, zones: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if given.len() <= 5 && given.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let given = plain(given);
    let reach = reach(&given);
    zones
        .into_iter()
        .filter(|zone| zone.contains('/'))
        .map(|zone| (zone_distance(&given, &plain(zone)), zone))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, zone)| zone)
}

fn zone_distance(given: &str, zone: &str) -> usize {
    let whole = strsim::osa_distance(given, zone);
    let by_city = strsim::osa_distance(city(given), city(zone)) + usize::from(given.contains('/'));
    whole.min(by_city)
}

fn city(zone: &str) -> &str {
    zone.rsplit('/').next().unwrap_or(zone)
}

fn reach(given: &str) -> usize {
    (given.chars().count() / 3).clamp(1, 4)
}

fn plain(word: &str) -> String {
    word.to_lowercase().replace(['-', ' '], "_")
}

/// `; did you mean …?`, or nothing where no candidate is near.
pub(super) fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|word| format!("; did you mean {word}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word_and_nonsense_finds_none() {
        let keys = ["timeout", "retry_for", "base_url"];
        assert_eq!(nearest("timeuot", keys), Some("timeout"));
        assert_eq!(nearest("base-url", keys), Some("base_url"));
        assert_eq!(nearest("colour", keys), None);
    }

    #[test]
    fn another_word_finds_the_key_of_its_own_table() {
        assert_eq!(other_word("queries", "cron"), Some("schedule"));
        assert_eq!(other_word("defaults", "TZ"), Some("timezone"));
        assert_eq!(
            (other_word("", "database"), other_word("store", "database")),
            (Some("store"), Some("path"))
        );
        assert_eq!(other_word("log", "cron"), None);
    }

    #[test]
    fn a_city_alone_finds_its_zone() {
        let zones = ["EST", "Europe/Helsinki", "Europe/Stockholm"];
        assert_eq!(nearest_zone("Helsinki", zones), Some("Europe/Helsinki"));
        assert_eq!(nearest_zone("Europe/Helsinky", zones), Some("Europe/Helsinki"));
        assert_eq!(nearest_zone("HELSI", zones), None);
    }
}
