//! Texts that mean more than themselves: durations, percentages, addresses, zones.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use reqwest::Url;

use super::suggest::{did_you_mean, nearest, nearest_zone};
use super::value::Given;
use crate::organization::Database;

/// Longer than any job here, and far from where arithmetic on times ends.
const LONGEST: Duration = Duration::from_hours(100 * 366 * 24);

/// A span of time, zero too.
pub(super) fn duration(given: &Given<'_>) -> Result<Duration, String> {
    let text = given
        .text()
        .map_err(|_| r#"is not text; write a number and a unit in quotes, as "130s" or "400d""#.to_owned())?;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(r#"has no unit; write "{text}s" for seconds, or m, h or d"#));
    }
    match humantime::parse_duration(text.trim()) {
        Ok(duration) if duration > LONGEST => Err("is longer than 100 years".into()),
        Ok(duration) => Ok(duration),
        Err(_) => Err(r#"is no duration; write a number and a unit, as "130s", "15m" or "400d""#.into()),
    }
}

/// A span of time that is not zero.
pub(super) fn positive_duration(given: &Given<'_>) -> Result<Duration, String> {
    let duration = duration(given)?;
    if duration.is_zero() { Err("is no time at all; write a longer one".into()) } else { Ok(duration) }
}

/// Percent from 0 to 100.
pub(super) fn share(given: &Given<'_>) -> Result<f64, String> {
    match percentage(given)? {
        share if share > 100.0 => Err(r#"is more than all there is; write "100%" at most"#.into()),
        share => Ok(share),
    }
}

/// Percent from 0 up.
pub(super) fn percentage(given: &Given<'_>) -> Result<f64, String> {
    let reason = || r#"is no percentage; write it with its sign in quotes, as "20%""#.to_owned();
    let text = given.text().map_err(|_| reason())?;
    let digits = text.strip_suffix('%').map(str::trim_end).ok_or_else(reason)?;
    let plain = digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    digits.parse().ok().filter(|number: &f64| plain && number.is_finite()).ok_or_else(reason)
}

/// One of a few words.
pub(super) fn choice<T: Copy>(given: &Given<'_>, words: &[(&'static str, T)]) -> Result<T, String> {
    let text = given.text()?;
    let names = || words.iter().map(|(word, _)| *word);
    words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning).ok_or_else(|| {
        let all = names().collect::<Vec<_>>().join(", ");
        format!("is none of {all}{}", did_you_mean(nearest(text, names())))
    })
}

/// A database code.
pub(super) fn database(given: &Given<'_>) -> Result<Database, String> {
    database_called(given.text()?)
}

/// The database of this code; a country's name finds it.
///
/// # Errors
/// What is wrong with `text` and what was probably meant, to be read on after `text` itself.
pub fn database_called(text: &str) -> Result<Database, String> {
    const COUNTRIES: [(&str, &str); 5] =
        [("finland", "FI"), ("sweden", "SE"), ("norway", "NO"), ("denmark", "DK"), ("netherlands", "NL")];
    text.parse().map_err(|error| {
        let codes = Database::ALL.map(Database::code);
        let country = nearest(text, COUNTRIES.map(|(name, _)| name));
        let code = COUNTRIES.iter().find(|(name, _)| Some(*name) == country).map(|(_, code)| *code);
        format!("is {error}{}", did_you_mean(code.or_else(|| nearest(text, codes))))
    })
}

/// A zone and its name. The system's data come first, so that a change of law needs no new version of
/// ours; names that the system lacks come from the bundled data.
pub(super) fn zone(given: &Given<'_>) -> Result<(String, TimeZone), String> {
    let name = given.text()?;
    if let Some(zone) = zone_called(name, jiff::tz::db()) {
        return Ok((name.to_owned(), zone));
    }
    let names: Vec<String> = TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
    let suggestion = did_you_mean(nearest_zone(name, names.iter().map(String::as_str)));
    Err(format!(r#"is no time zone; write a name of the IANA database, as "Europe/Helsinki"{suggestion}"#))
}

fn zone_called(name: &str, system: &TimeZoneDatabase) -> Option<TimeZone> {
    let zone = system.get(name).or_else(|_| TimeZoneDatabase::bundled().get(name));
    zone.ok().filter(|zone| !zone.is_unknown())
}

/// Where Vainu's API is: https, or http to this machine itself. Without a slash at its end.
pub(super) fn base_url(given: &Given<'_>) -> Result<String, String> {
    let text = given.text()?;
    let url = web_address(text, "https://api.vainu.io/api")?;
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err("would send tokens unencrypted; write https (http only to a loopback address)".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a ? or # in it; write the base alone, as \"https://api.vainu.io/api\"".into());
    }
    let base = text.trim_end_matches('/');
    match base.find("/v3") {
        Some(end) if base[end + 3..].is_empty() || base[end + 3..].starts_with('/') => {
            Err(format!("has a path too many; the program adds /v3/… itself, so write {:?}", &base[..end]))
        }
        _ => Ok(base.to_owned()),
    }
}

/// An address that is told about each run.
pub(super) fn ping_url(given: &Given<'_>) -> Result<String, String> {
    let text = given.text()?;
    web_address(text, "https://hc-ping.com/…").map(|_| text.to_owned())
}

fn web_address(text: &str, example: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| format!("is no address; write one as {example:?}"))?;
    if !["https", "http"].contains(&url.scheme()) {
        return Err(format!("is no web address; write one as {example:?}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or a password; write the address without them".into());
    }
    if text.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err("has white space in it".into());
    }
    Ok(url)
}

/// Whether this machine itself is addressed.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Where to listen; an empty text means nowhere.
pub(super) fn listen(given: &Given<'_>) -> Result<Option<SocketAddr>, String> {
    let text = given.text()?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        r#"is no address and port; write one as "127.0.0.1:9464", "[::1]:9464" or, for all of this machine's addresses, "0.0.0.0:9464"; "" turns the listener off"#.to_owned()
    })
}

/// A log level, or directives as `tracing_subscriber::EnvFilter` takes them.
pub(super) fn log_level(given: &Given<'_>) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    let text = given.text()?;
    for directive in text.split(',').map(str::trim) {
        let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level);
        // The filter itself takes a word that is no level for the name of a module, and would log nothing.
        if !LEVELS.contains(&level.to_lowercase().as_str()) {
            return Err(format!(
                "is no log level; write one of {}, or vainu_sync::store=debug,info{}",
                LEVELS.join(", "),
                did_you_mean(nearest(level, LEVELS))
            ));
        }
    }
    tracing_subscriber::EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| format!("is no log filter: {error}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use figment::value::Value;

    use super::*;
    use crate::config::Origin;

    fn read<T>(parse: fn(&Given<'_>) -> Result<T, String>, text: &str) -> Result<T, String> {
        parse(&Given { value: &Value::from(text), origin: &Origin::Default, base: Path::new("/") })
    }

    #[test]
    fn http_is_for_this_machine_only() {
        for address in ["http://127.0.0.1:8080/api", "http://[::1]/api", "http://localhost/api"] {
            assert_eq!(read(base_url, address).as_deref(), Ok(address));
        }
        for address in ["http://api.vainu.io/api", "http://127.0.0.1.example.com/", "http://10.0.0.1/"] {
            assert!(read(base_url, address).is_err_and(|reason| reason.contains("https")), "{address}");
        }
    }

    #[test]
    fn a_slash_at_the_end_of_the_base_is_dropped_and_a_version_refused() {
        assert_eq!(read(base_url, "https://api.vainu.io/api/").as_deref(), Ok("https://api.vainu.io/api"));
        let reason = read(base_url, "https://api.vainu.io/api/v3/").unwrap_err();
        assert!(reason.contains(r#""https://api.vainu.io/api""#), "{reason}");
    }

    #[test]
    fn zones_that_many_systems_lack_are_known() {
        for name in ["US/Pacific", "PST8PDT", "Europe/Helsinki", "UTC"] {
            assert!(zone_called(name, &TimeZoneDatabase::none()).is_some(), "{name}");
        }
        assert!(read(zone, "Etc/Unknown").is_err());
    }

    #[test]
    fn a_percentage_needs_its_sign_and_a_share_its_bounds() {
        assert_eq!(read(share, "12.5%"), Ok(12.5));
        assert_eq!(read(percentage, "250%"), Ok(250.0));
        for text in ["20", "-1%", "1e3%", "inf%", "%", "101%"] {
            assert!(read(share, text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_country_finds_its_database() {
        assert!(read(database, "Finland").unwrap_err().ends_with("did you mean FI?"));
        assert!(read(database, "se").unwrap_err().ends_with("did you mean SE?"));
    }

    #[test]
    fn a_misspelt_level_is_not_taken_for_a_module() {
        assert!(read(log_level, "inof").unwrap_err().contains("did you mean info?"));
        assert_eq!(read(log_level, "warn,vainu_sync=debug").as_deref(), Ok("warn,vainu_sync=debug"));
    }
}
