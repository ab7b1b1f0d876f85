//! Which of the known words a misspelt one was probably meant to be.

/// The candidate that is nearest to `given`, if one is near enough to be meant. Case and the choice
/// between `-` and `_` count for nothing.
pub(super) fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = plain(given);
    let reach = reach(&given);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&given, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The zone that `given` was probably meant to be; a bare city finds its zone too.
pub(super) fn nearest_zone<'a>(given: &str, zones: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
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
    fn a_city_alone_finds_its_zone() {
        let zones = ["EST", "Europe/Helsinki", "Europe/Stockholm"];
        assert_eq!(nearest_zone("Helsinki", zones), Some("Europe/Helsinki"));
        assert_eq!(nearest_zone("Europe/Helsinky", zones), Some("Europe/Helsinki"));
        assert_eq!(nearest_zone("EEST", zones), None);
    }
}
