use std::io::{self, Stdin};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// While this lives, the terminal does not show what is typed but for the line's end. Signals are the
/// program's own, so that its end by one drops this too.
pub struct Hidden {
    terminal: Stdin,
    before: Termios,
}

impl Hidden {
    /// # Errors
    /// If `terminal` is none.
    pub fn on(terminal: Stdin) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&terminal, OptionalActions::Now, &hidden)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden {
    /// Lines that were pasted behind the first are thrown away: they would be taken for the next answer, and
    /// shown.
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}
