use crate::store::StoreError;

/// Why a query was not renamed or pruned.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// It would run again and let everybody in.
    #[error(
        "the configuration still has the query \"{0}\": remove it there first, and let a daemon read it again \
         (SIGHUP)"
    )]
    StillConfigured(String),
    /// No query of that name holds or held anything.
    #[error("the store has no query \"{name}\"; {}", told(known))]
    Unknown { name: String, known: Vec<String> },
    #[error("the query is called \"{0}\" already: give another name")]
    SameName(String),
    /// The members of two queries can't be told apart under one name.
    #[error(
        "\"{name}\" has {members} members of its own: give another name, or let the members of one of the two go: \
         take it out of the configuration, then `vainu-sync prune` it"
    )]
    Taken { name: String, members: u64 },
    /// What was committed so far is true.
    #[error("stopped by a signal: {left} members have left, the others did not; the same command goes on")]
    Stopped { left: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn told(known: &[String]) -> String {
    if known.is_empty() { "it has none".to_owned() } else { format!("it has: {}", known.join(", ")) }
}
