//! A command with all that it starts: one process group, which ends as one.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a group that was told to end has for it: half of what a daemon has that was told to stop.
const GRACE: Duration = Duration::from_secs(2);

/// One start at a time: what a child may inherit is inherited by whoever is started just then.
static STARTS: Mutex<()> = Mutex::new(());

/// Processes that were started together.
pub struct Group {
    child: Child,
    id: Pid,
}

impl Group {
    /// Starts `command` as the first of a group of its own; what all of it say comes from the receiver. Each has `lock`
    /// open, so that it is held for as long as one of them lives, whatever becomes of this process.
    pub fn start(mut command: Command, lock: &File) -> io::Result<(Self, Receiver)> {
        let (reader, writer) = io::pipe()?;
        let said = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
        let _one = STARTS.lock().unwrap_or_else(PoisonError::into_inner);
        fcntl_setfd(lock, FdFlags::empty())?;
        let started = command.spawn();
        fcntl_setfd(lock, FdFlags::CLOEXEC)?;
        let child = started?;
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let id = id.expect("a child that was not waited for has a number");
        Ok((Self { child, id }, said))
    }

    /// Waits until the command has ended, and ends what it has left behind.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await;
        self.signal(Signal::KILL);
        status
    }

    /// Tells all of them to end, and ends who does not within [`GRACE`].
    pub async fn end(&mut self) {
        self.signal(Signal::TERM);
        if timeout(GRACE, self.child.wait()).await.is_err() {
            self.signal(Signal::KILL);
            // Nobody outlives that for long, but on a dead disk.
            let _ = timeout(GRACE, self.child.wait()).await;
        }
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        // That nobody is left is fine.
        let _ = kill_process_group(self.id, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Left behind half-way, as by a second signal: nothing of it may go on unwatched.
        if self.child.id().is_some() {
            self.signal(Signal::KILL);
        }
    }
}
