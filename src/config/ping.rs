//! What is unwise about `ping_url`, though it is taken.

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::conflict::Placed;
use super::parse::is_loopback;
use super::report::Report;
use super::table::Table;

/// Over http, whoever is on the way learns the address and can report in this program's place.
pub(super) fn note_open_ping(url: &SecretString, table: &mut Table<'_>) {
    let is_open = |url: Url| url.scheme() == "http" && !is_loopback(&url);
    if Url::parse(url.expose_secret()).is_ok_and(is_open) {
        let (place, path) = (table.origin_of("ping_url"), table.path_of("ping_url"));
        table.report().notes.push(format!(
            "{place}: {path}: goes over http, where whoever is on the way can read the address and what is reported; \
             write https if the receiver has it"
        ));
    }
}

/// At one address, the success of one query covers up the failure of another.
pub(super) fn note_shared_pings(queries: &[Placed], report: &mut Report) {
    let address = |placed: &Placed| placed.query.ping_url.as_ref().map(|url| url.expose_secret().to_owned());
    for (index, first) in queries.iter().enumerate() {
        let Some(url) = address(first) else { continue };
        let shares = |other: &&Placed| address(other).as_ref() == Some(&url);
        if queries[..index].iter().any(|earlier| shares(&earlier)) {
            continue;
        }
        let names: Vec<&str> =
            queries[index..].iter().filter(shares).map(|placed| placed.query.name.as_str()).collect();
        if names.len() > 1 {
            report.notes.push(format!(
                "{} have one ping_url, so that the success of one covers up the failure of another; give each its own",
                names.join(", ")
            ));
        }
    }
}
