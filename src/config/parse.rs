//! Texts that mean more than themselves: durations, percentages, addresses.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

use super::suggest::{did_you_mean, nearest};
use super::value::{Given, kind};
use crate::organization::Database;

/// Longer than any job here, and far from where arithmetic on times ends.
const LONGEST: Duration = Duration::from_hours(100 * 366 * 24);

/// A span of time, zero too.
pub(super) fn duration(given: &Given<'_>) -> Result<Duration, String> {
    let without_unit = |digits: &str| format!(r#"has no unit; write "{digits}s" for seconds, or m, h or d"#);
    let Some(text) = given.value.as_str().map(str::trim) else {
        return Err(match given.value.to_i128().filter(|number| *number >= 0) {
            Some(number) => without_unit(&number.to_string()),
            None => format!(
                r#"is {}; write a number and a unit in quotes, as "130s" or "400d""#,
                kind(given.value)
            ),
        });
    };
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(without_unit(text));
    }
    let mut units = text.split(|letter: char| letter.is_ascii_digit() || letter.is_whitespace());
    if units.any(|unit| unit == "M") {
        return Err("could be minutes or months; write m for minutes, or days with d".into());
    }
    match humantime::parse_duration(text) {
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
    let text = given.text().map_err(|_| reason())?.trim();
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
    if url.host_str() == Some("api.vainu.io") && url.path() == "/" {
        return Err(format!("lacks the path of the API; write \"{base}/api\""));
    }
    match resource_in(base) {
        Some(start) => Err(format!(
            "has a path too many, for the program adds it itself; write {:?}",
            base[..start].trim_end_matches('/')
        )),
        None => Ok(base.to_owned()),
    }
}

/// Where the path of something below the API begins, if it is named too: `/v3/…`, or an endpoint for tokens.
fn resource_in(base: &str) -> Option<usize> {
    const RESOURCES: [&str; 5] = ["/v1", "/v2", "/v3", "/token_authentication", "/oauth"];
    // A gateway may have such names in a path of its own, above the API.
    let ends = |start: usize, resource: &str| {
        let (before, rest) = (&base[..start], &base[start + resource.len()..]);
        (resource == "/v3" || before.ends_with("/api")) && (rest.is_empty() || rest.starts_with('/'))
    };
    let starts = RESOURCES.iter().filter_map(|resource| {
        base.match_indices(resource).map(|(start, _)| start).find(|start| ends(*start, resource))
    });
    starts.min()
}

/// An address that is told about each run.
pub(super) fn ping_url(given: &Given<'_>) -> Result<SecretString, String> {
    let text = given.text()?;
    web_address(text, "https://hc-ping.com/…").map(|_| text.into())
}

/// Where a feed's files are told: https, or http to this machine itself.
pub(super) fn webhook_url(given: &Given<'_>) -> Result<SecretString, String> {
    let text = given.text()?;
    let url = web_address(text, "https://crm.example/hooks/vainu")?;
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(
            "goes over http, where whoever is on the way can read it; write https (http only to a loopback \
                    address)"
                .into(),
        );
    }
    Ok(text.into())
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
        return Err("has white space in it; remove it".into());
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

/// Names of this machine, without a port.
pub(super) fn hosts(given: &Given<'_>) -> Result<Vec<String>, String> {
    let hosts = given.texts()?;
    let is_name = |host: &str| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    match hosts.iter().find(|host| !is_name(host)) {
        Some(host) => Err(format!(
            "holds {host:?}; write names alone, without http:// and without a port, as \"status.example.com\""
        )),
        None => Ok(hosts),
    }
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
        .map_err(|_| "is no log filter; write a level, or pairs as vainu_sync::store=debug,info".into())
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
        assert_eq!(read(base_url, "https://v3.example/v30").as_deref(), Ok("https://v3.example/v30"));
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
