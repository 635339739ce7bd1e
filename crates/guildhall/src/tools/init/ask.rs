//! Somebody at a terminal: asked in one line, answers in one.

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, bail};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::task::spawn_blocking;

/// Standard input and standard error, where somebody sits at both.
pub(super) struct Terminal(());

impl Terminal {
    pub(super) fn if_there() -> Option<Self> {
        let sits = io::stdin().is_terminal() && io::stderr().is_terminal();
        sits.then_some(Self(()))
    }

    /// The answer, without blanks around it.
    ///
    /// # Errors
    ///
    /// Whoever was asked has left.
    pub(super) async fn ask(&self, question: &str) -> anyhow::Result<String> {
        let mut err = io::stderr();
        write!(err, "{question}: ").and_then(|()| err.flush())?;
        let answered = tokio::select! {
            line = spawn_blocking(|| {
                let mut line = String::new();
                io::stdin().read_line(&mut line).map(|length| (length, line))
            }) => line?.context("the terminal")?,
            stopped = tokio::signal::ctrl_c() => {
                stopped?;
                (0, String::new())
            }
        };
        match answered {
            (0, _) => bail!("nothing is written, since nobody answers"),
            (_, line) => Ok(line.trim().to_owned()),
        }
    }

    /// The same, and what is typed is not shown.
    pub(super) async fn ask_secret(&self, question: &str) -> anyhow::Result<String> {
        let quiet = Quiet::begin()?;
        let answered = self.ask(question).await;
        drop(quiet);
        // The answer's end was not shown either.
        writeln!(io::stderr())?;
        answered
    }
}

/// The terminal shows nothing of what is typed, until this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> anyhow::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that is gone has nothing to show.
        let _shown = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
