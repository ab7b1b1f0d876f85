use std::time::Duration;

/// Why nothing is to be had of an export that was submitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// `failure`, `partial_failure_complete`, `partial_failure_incomplete` or `stopped`.
    #[error("{endpoint}: the export job ended as {state:?}{}; run again, and list by pages if it stays so (fetch = \"pages\")", after(.detail.as_ref()))]
    Ended { endpoint: String, state: String, detail: Option<String> },

    /// A state that Vainu's documents do not name: to wait on could be to wait for ever.
    #[error(
        "{endpoint}: the export job is in a state unknown here, {state:?}; list by pages (fetch = \"pages\"), and tell who maintains this program"
    )]
    UnknownState { endpoint: String, state: String },

    #[error("{endpoint}: the export job has not ended within {} (api.export_timeout); run again, or list by pages (fetch = \"pages\")", humantime::format_duration(*.patience))]
    TooSlow { endpoint: String, patience: Duration },

    /// It would be asked with the access token.
    #[error(
        "the export job's link points to {to}, and access tokens are for the host of api.base_url alone ({host}): it is not asked; if that is Vainu's API, correct api.base_url, else list by pages (fetch = \"pages\") and ask Vainu"
    )]
    ForeignLink { to: String, host: String },

    /// Another scheme than https, or plain HTTP beyond this machine, in the download link or a redirect.
    #[error("the export's download points to {to}, which is not asked: it must be https{}; list by pages (fetch = \"pages\") and ask Vainu", if *.plain { ", or http on this machine" } else { "" })]
    UnsafeDownload { to: String, plain: bool },

    #[error(
        "{host} refused each of {links} download links (status {status}), though the export job gave them afresh; run again, and tell Vainu if it stays so"
    )]
    Expired { host: String, links: u32, status: u16 },

    /// An array, or another text that does not change when it is asked for again.
    #[error(
        "the export's download from {host} is not in JSON lines, twice the same, near `{place}`; list by pages (fetch = \"pages\"), and tell Vainu"
    )]
    NotLines { host: String, place: String },

    #[error(
        "the export's download from {host} broke off {times} times, each further on; run again, or list by pages (fetch = \"pages\")"
    )]
    BrokeOff { host: String, times: u32 },
}

impl ExportError {
    /// Whether nothing more can come of the job itself, so that the next run must submit another.
    #[must_use]
    pub const fn is_end_of_job(&self) -> bool {
        !matches!(self, Self::Expired { .. } | Self::BrokeOff { .. })
    }
}

fn after(detail: Option<&String>) -> String {
    detail.map(|detail| format!(": {detail}")).unwrap_or_default()
}
