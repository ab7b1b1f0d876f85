use std::path::Path;

use super::layer::Kind;
use crate::config::environment::Environment;
use crate::config::problem::{Origin, Problem};
use crate::config::report::{Report, Setting};
use crate::config::settings::Secret;

/// The files that systemd and container engines lay out.
pub(super) fn files(
    environment: &Environment,
    has_client_id: bool,
    report: &mut Report,
) -> Option<(Kind, Setting)> {
    for directory in environment.secret_folders() {
        let refresh = directory.join("refresh-token");
        let client = directory.join("client-secret");
        let setting = |key: &str, path: &Path| Setting {
            key: format!("auth.{key}"),
            value: format!("{:?}", path.display().to_string()),
            origin: Origin::File { path: directory.clone(), line: None },
        };
        match (refresh.exists(), client.exists()) {
            (true, true) => report.problem(Problem {
                key: Some("auth".into()),
                message: "holds both refresh-token and client-secret; leave one of them".into(),
                origin: Some(Origin::File { path: directory, line: None }),
            }),
            (true, false) => {
                let setting = setting("refresh_token_file", &refresh);
                return Some((Kind::Refresh(Secret::File(refresh)), setting));
            }
            (false, true) if has_client_id => {
                let setting = setting("client_secret_file", &client);
                return Some((Kind::Client(Secret::File(client)), setting));
            }
            (false, true) => report.notes.push(format!(
                "{} is not used: client_id is set nowhere (auth.client_id, VAINU_SYNC_AUTH__CLIENT_ID)",
                client.display()
            )),
            (false, false) => {}
        }
    }
    None
}

/// Whether systemd has a credential for a service of ours, as far as this user may look.
pub(super) fn is_in_credstore(environment: &Environment) -> bool {
    let is_ours = |file: std::io::Result<std::fs::DirEntry>| {
        file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("vainu-sync."))
    };
    ["etc/credstore", "etc/credstore.encrypted"].into_iter().any(|folder| {
        std::fs::read_dir(environment.system_path(folder)).is_ok_and(|mut files| files.any(is_ours))
    })
}
