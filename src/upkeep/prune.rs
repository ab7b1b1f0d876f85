use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{UpkeepError, remembered};
use crate::config::Settings;
use crate::merge::Keys;
use crate::run::Leaving;
use crate::store::{Store, time};

/// Members that leave in one commit: few enough to hold in memory.
pub const BATCH_MEMBERS: u32 = 2000;

/// How a query is pruned.
#[derive(Debug, Clone, Copy)]
pub struct Pruning<'a> {
    pub settings: &'a Settings,
    pub now: Timestamp,
    pub stop: &'a CancellationToken,
    /// Members that leave in one commit: [`BATCH_MEMBERS`], or fewer where a test wants more commits.
    pub batch_members: u32,
}

/// What a pruned query let go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Members that left.
    pub left: u64,
    /// Of those, the ones that no query holds any more.
    pub gone: u64,
}

/// Forgets a query that the configuration no longer has: its members leave, a commit for each batch, and then
/// what was remembered of it goes. The log and the list of runs keep its name.
///
/// # Errors
/// If the configuration still has the query, the store does not, or a signal ends it: what was committed is
/// true, and the next call goes on.
pub async fn prune(store: &mut Store, name: &str, pruning: Pruning<'_>) -> Result<Pruned, UpkeepError> {
    let Pruning { settings, now, stop, batch_members } = pruning;
    if settings.queries.iter().any(|query| query.name == name) {
        return Err(UpkeepError::StillConfigured(name.to_owned()));
    }
    let query = remembered(store, name).await?;
    let (keys, now) = (store.owned_keys().await?, time::to_text(now));
    // What was quiet stood in the configuration.
    let quiet = Keys::new();
    let leaving = Leaving { query: query.id, keys: &keys, quiet: &quiet, now: &now };
    let (mut pruned, mut last) = (Pruned::default(), 0);
    loop {
        let members = store.members_after(query.id, last, batch_members).await?;
        let Some(member) = members.last() else { break };
        if stop.is_cancelled() {
            return Err(UpkeepError::Stopped { left: pruned.left });
        }
        last = member.organization;
        let departures = leaving.plan(&members, store).await?;
        store.let_go(query.id, &departures, &now).await?;
        pruned.left += departures.left.len() as u64;
        pruned.gone += departures.gone.len() as u64;
    }
    store.forget(&query, &now).await?;
    Ok(pruned)
}
