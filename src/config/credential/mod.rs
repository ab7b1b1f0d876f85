//! Which credential wins: the highest layer that sets any of them wins whole.

mod secret;
mod layer;
mod directory;

pub(super) use layer::note_if_open;
pub use secret::{NoCredential, SecretError};

use super::environment::Environment;
use super::layers::Layers;
use super::problem::{Origin, Problem};
use super::report::{Report, Reported, Setting};
use super::settings::Credential;
use super::table::Table;
use layer::{CLIENT, Kind, REFRESH};

/// What the layers give.
pub(super) struct Given {
    pub credential: Option<Credential>,
    /// Where a client's id is set that has no secret.
    pub lone_client_id: Option<Origin>,
    /// Whether there is none, but one that systemd hands to the service.
    pub service_has_one: bool,
}

/// The credential, or none where no layer gives one.
pub(super) fn credential(
    layers: &Layers,
    environment: &Environment,
    report: &mut Report,
) -> Result<Given, Reported> {
    know_keys(layers, report);
    let variables = layer::variables(layers, report);
    let file = layer::file(layers, report);
    let (variables, file) = (variables?, file?);
    let mut client_id = variables.client_id.or(file.client_id);
    let mut chosen = variables.chosen.or(file.chosen);
    if chosen.is_none() {
        let vainu = layer::vainu(layers, environment, report)?;
        chosen = vainu.chosen;
        client_id = client_id.or(vainu.client_id);
    }
    let client_id = client_id.or_else(|| layer::vainu_client_id(environment));
    let chosen = chosen.or_else(|| directory::files(environment, client_id.is_some(), report));
    let service_has_one = chosen.is_none() && directory::is_in_credstore(environment);
    Ok(Given { service_has_one, ..conclude(chosen, client_id, report)? })
}

/// Makes the keys known and reports those that are none.
fn know_keys(layers: &Layers, report: &mut Report) {
    let mut table = Table::single(layers, report, "auth");
    for key in REFRESH.into_iter().chain(CLIENT).chain(["client_id"]) {
        table.know(key);
    }
    table.finish();
}

fn conclude(
    chosen: Option<(Kind, Setting)>,
    client_id: Option<(String, Origin)>,
    report: &mut Report,
) -> Result<Given, Reported> {
    let Some((kind, setting)) = chosen else {
        let origin = Origin::Default;
        report.settings.push(Setting { key: "auth".into(), value: "(not set)".into(), origin });
        return Ok(Given {
            credential: None,
            lone_client_id: client_id.map(|(_, origin)| origin),
            service_has_one: false,
        });
    };
    let origin = setting.origin.clone();
    let key = setting.key.clone();
    report.settings.push(setting);
    let credential = match (kind, client_id) {
        (Kind::Refresh(secret), _) => Credential::RefreshToken(secret),
        (Kind::Client(secret), Some((id, origin))) => {
            report.settings.push(Setting { key: "auth.client_id".into(), value: format!("{id:?}"), origin });
            Credential::Client { id, secret }
        }
        (Kind::Client(_), None) => {
            let message = "needs client_id beside it, which is set nowhere; set it in [auth], or the variable VAINU_SYNC_AUTH__CLIENT_ID".into();
            report.problem(Problem { key: Some(key), message, origin: Some(origin) });
            return Err(Reported);
        }
    };
    Ok(Given { credential: Some(credential), lone_client_id: None, service_has_one: false })
}
