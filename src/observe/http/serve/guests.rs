//! Who is let in, and who goes for it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::AbortHandle;

/// Connections at once.
const CONNECTIONS: usize = 128;

/// Connections that are served, the oldest first. Nobody waits before the door: a monitor that asks while others hold
/// places and say nothing would take the daemon for dead.
#[derive(Debug, Default)]
pub struct Guests(VecDeque<Guest>);

#[derive(Debug)]
struct Guest {
    task: AbortHandle,
    /// Whether the head of its request has come.
    has_asked: Arc<AtomicBool>,
}

impl Guests {
    /// Takes one in. Where there are too many, the oldest goes that has asked nothing yet, else the oldest.
    pub fn let_in(&mut self, task: AbortHandle, has_asked: Arc<AtomicBool>) {
        self.0.retain(|guest| !guest.task.is_finished());
        while self.0.len() >= CONNECTIONS {
            let silent = self.0.iter().position(|guest| !guest.has_asked.load(Ordering::Relaxed));
            if let Some(guest) = self.0.remove(silent.unwrap_or(0)) {
                guest.task.abort();
            }
        }
        self.0.push_back(Guest { task, has_asked });
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::task::JoinSet;

    use super::*;

    /// Every task had its turn: the runtime gives some dozens of them one at a time.
    async fn settle() {
        for _ in 0..CONNECTIONS {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_new_one_is_let_in_at_once_and_the_oldest_that_has_asked_nothing_goes() {
        let (mut guests, mut tasks) = (Guests::default(), JoinSet::new());
        let mut let_in = |has_asked| {
            let task = tasks.spawn(pending::<()>());
            guests.let_in(task.clone(), Arc::new(AtomicBool::new(has_asked)));
            task
        };
        let asked = let_in(true);
        let silent = let_in(false);
        let others: Vec<AbortHandle> = (2..CONNECTIONS).map(|_| let_in(true)).collect();
        settle().await;
        assert!(!silent.is_finished(), "there is room");
        let_in(true);
        settle().await;
        assert!(silent.is_finished() && !asked.is_finished());
        let_in(true);
        settle().await;
        assert!(asked.is_finished() && others.iter().all(|other| !other.is_finished()), "then the oldest");
    }
}
